"""Deliveries of Saleor: a detached JWS (RFC 7515, appendix F; RFC 7797, `b64` false) over the body as it came, by a key
of the shop's /.well-known/jwks.json. Our subscriptions ask for ids alone; without one Saleor sends a list of whole
documents, which is read as well.
"""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from crossdock.connectors.saleor.client import Client, Refusal
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit import wire
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.webhooks import heal, nothing, ours
from crossdock.kit.webhook import body_key

NAME = "Crossdock: {}"
# ORDER_UPDATED alone covers nearly all; the others are there since a seller can see and switch them one by one.
EVENTS = {
    "orders": {
        "ORDER_CREATED": "OrderCreated",
        "ORDER_UPDATED": "OrderUpdated",
        "ORDER_CANCELLED": "OrderCancelled",
        "ORDER_EXPIRED": "OrderExpired",
        "ORDER_REFUNDED": "OrderRefunded",
        "FULFILLMENT_CREATED": "FulfillmentCreated",
        "FULFILLMENT_CANCELED": "FulfillmentCanceled",
        "FULFILLMENT_TRACKING_NUMBER_UPDATED": "FulfillmentTrackingNumberUpdated",
    },
    "products": {
        "PRODUCT_CREATED": "ProductCreated",
        "PRODUCT_UPDATED": "ProductUpdated",
        "PRODUCT_DELETED": "ProductDeleted",
    },
    "variants": {
        "PRODUCT_VARIANT_CREATED": "ProductVariantCreated",
        "PRODUCT_VARIANT_UPDATED": "ProductVariantUpdated",
        "PRODUCT_VARIANT_DELETED": "ProductVariantDeleted",
        "PRODUCT_VARIANT_STOCK_UPDATED": "ProductVariantStockUpdated",
    },
}
FIELDS = {
    "orders": "order { id }",
    "products": "product { id }",
    "variants": "productVariant { id product { id } }",
}


def subscription(topic: str) -> str:
    """`issuedAt` makes two pieces of news about one order two bodies."""
    parts = [f"... on {kind} {{ {FIELDS[topic]} }}" for kind in EVENTS[topic].values()]
    return f"subscription {{ event {{ __typename issuedAt {' '.join(parts)} }} }}"


def verify(shop: Shop, hook: Hook) -> None:
    """By the key that the signature names, with RS256 and nothing else."""
    head, _, signature = hook.headers.get("saleor-signature", "").partition("..")
    try:
        header = json.loads(_decoded(head))
        key = _key(shop, header["kid"])
        if (header["alg"], header["b64"]) != ("RS256", False):
            raise Forged
        key.public_key().verify(_decoded(signature), head.encode() + b"." + hook.body, PKCS1v15(), SHA256())
    except (ValueError, TypeError, KeyError, InvalidSignature, RecursionError):
        raise Forged from None


def _decoded(part: str) -> bytes:
    """base64url without its padding. Raises ValueError."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _key(shop: Shop, kid: Any) -> RSAPublicNumbers:
    """Raises ValueError, KeyError or TypeError where the shop's keys do not have it."""
    for key in json.loads(shop.secrets.get("jwks", "")):
        if key["kid"] == kid:
            n, e = (int.from_bytes(_decoded(key[name])) for name in ("n", "e"))
            return RSAPublicNumbers(e, n)
    raise KeyError(kid)


def news(shop: Shop, hook: Hook) -> HookNews:
    topic = hook.headers.get("saleor-event", "")[:100]
    try:
        body = wire.load(hook.body)
        look = _look(topic, node_of(body[0] if isinstance(body, list) and body else body, "webhook"))
    except Strange:
        return nothing("odd", hook)
    return HookNews(topic, f"{look.kind}:{look.entity_id}:{body_key(hook.body)}", (look,))


def _look(topic: str, body: Node) -> Look:
    """A variant speaks under its product's name. A list's entries carry the entity itself."""
    if order := body.opt_child("order"):
        return Look(LookKind.ORDER, order.id("id"))
    if variant := body.opt_child("productVariant"):
        return Look(LookKind.PRODUCT, variant.child("product").id("id"))
    if product := body.opt_child("product"):
        return Look(LookKind.PRODUCT, product.id("id"))
    if topic.startswith("order_"):
        return Look(LookKind.ORDER, body.id("id"))
    if topic.startswith("product_variant_"):
        return Look(LookKind.PRODUCT, body.id("product_id"))
    return Look(LookKind.PRODUCT, body.id("id")) if topic.startswith("product_") else Look(LookKind.NOTHING)


async def subscribe(client: Client) -> Subscriptions:
    url = client.shop.hook_url
    return await heal(
        tuple(EVENTS),
        await _ours(client),
        create=lambda topic: client.do("AddWebhook", input=_wanted(topic, url)),
        change=lambda hook, topic: client.do("ChangeWebhook", id=hook.id("id"), input=_wanted(topic, url)),
        remove=lambda hook: _drop(client, hook),
        right=lambda hook, topic: _right(hook, topic, url),
    )


def _wanted(topic: str, url: str) -> dict[str, Any]:
    return {
        "name": NAME.format(topic),
        "targetUrl": url,
        "asyncEvents": list(EVENTS[topic]),
        "isActive": True,
        "query": subscription(topic),
    }


def _right(hook: Node, topic: str, url: str) -> bool:
    there = {row.text("eventType") for row in hook.rows("asyncEvents")}
    same = there == set(EVENTS[topic]) and hook.text("subscriptionQuery") == subscription(topic)
    return same and hook.raw("isActive") is True and hook.text("targetUrl") == url


async def unsubscribe(client: Client) -> None:
    for hook in await _ours(client):
        await _drop(client, hook)


async def _drop(client: Client, hook: Node) -> None:
    """By us, or by somebody before."""
    try:
        await client.do("DropWebhook", id=hook.id("id"))
    except Refusal as refusal:
        if refusal.code != "NOT_FOUND":
            raise


async def _ours(client: Client) -> list[Node]:
    """The app's webhooks that point to us; what others call a topic stands in the name."""
    kept = ("id", "targetUrl", "isActive", "subscriptionQuery", "asyncEvents")
    found = [
        node_of({"topic": row.text("name").partition(": ")[2], **{name: row.raw(name) for name in kept}}, "webhook")
        for row in (await client.ask("Webhooks")).child("app").rows("webhooks")
    ]
    return ours(found, client.shop.hook_url, "targetUrl")
