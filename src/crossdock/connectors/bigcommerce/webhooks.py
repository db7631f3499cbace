"""Deliveries of BigCommerce: signed by Standard Webhooks, with ids and nothing else. After 48 hours of failures, or 90
quiet days, it switches a webhook off.
"""

import base64
from typing import Any

from crossdock.connectors.bigcommerce.client import Client
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.connector import Hook, Shop, Subscriptions
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.webhooks import gone, heal, ours, told
from crossdock.kit.webhook import verify_standard

# Each covers all events of its kind (vendor: webhooks, store_order_wildcard and its like).
SCOPES = ("store/order/*", "store/product/*", "store/shipment/*", "store/sku/*")


def verify(shop: Shop, hook: Hook) -> None:
    """The key is the account's client secret, in base64."""
    key = base64.b64encode(shop.secrets.get("client_secret", "").encode()).decode()
    verify_standard(key, hook)


def news(shop: Shop, hook: Hook) -> HookNews:
    return told(hook, _meaning)


def _meaning(said: Any) -> tuple[str, Look]:
    body = node_of(said, "webhook")
    scope = body.word("scope")
    return scope, _look(scope, body.child("data"))


def _look(scope: str, data: Node) -> Look:
    """An SKU speaks under its product's name, a shipment under its order's."""
    match data.word("type"):
        case "order":
            return Look(LookKind.ORDER, data.id("id"))
        case "shipment":
            return Look(LookKind.ORDER, data.id("orderId"))
        case "product":
            deleted = scope == "store/product/deleted"
            return Look(LookKind.PRODUCT_GONE if deleted else LookKind.PRODUCT, data.id("id"))
        case "sku":
            inside = data.child("sku" if "sku" in data else "inventory")
            return Look(LookKind.PRODUCT, inside.id("product_id"))
        case _:
            return Look(LookKind.NOTHING)


async def subscribe(client: Client) -> Subscriptions:
    url = client.shop.hook_url
    there = await _ours(client)
    return await heal(
        SCOPES,
        there,
        create=lambda scope: client.one(
            "POST", "v3/hooks", json={"scope": scope, "destination": url, "is_active": True}
        ),
        change=lambda hook, scope: client.one(
            "PUT", f"v3/hooks/{hook.id('id')}", json={"destination": url, "is_active": True}
        ),
        remove=lambda hook: client.send("DELETE", f"v3/hooks/{hook.id('id')}"),
        right=lambda hook, scope: hook.raw("is_active") is True and hook.text("destination") == url,
    )


async def unsubscribe(client: Client) -> None:
    for hook in await _ours(client):
        await gone(client.send("DELETE", f"v3/hooks/{hook.id('id')}"))


async def _ours(client: Client) -> list[Node]:
    """What others call a topic is a scope here."""
    kept = ("id", "is_active", "destination")
    found = [
        node_of({"topic": hook.text("scope"), **{name: hook.raw(name) for name in kept}}, "hook")
        for hook in await client.every("v3/hooks")
    ]
    return ours(found, client.shop.hook_url, "destination")
