"""Shopify's deliveries: proved by our app's secret, read for what changed, and set up again when Shopify has dropped
them.

A retried delivery carries the payload of its first try, so nothing of a payload is believed but ids, and numbers that
lower a count.
"""

from dataclasses import replace
from functools import partial

from crossdock.connectors.shopify.client import Client, Said, own_app
from crossdock.domain.events import HookNews, Look, LookKind, StockHint
from crossdock.kit import wire
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.errors import Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.rows import read_row, readable
from crossdock.kit.shop.graphql import further
from crossdock.kit.shop.webhooks import heal, nothing, ours
from crossdock.kit.webhook import hmac_ok

# Topic and the only fields that we ask to be sent: with these, no buyer's name or address ever comes in.
_ORDER = ("id", "updated_at", "cancelled_at", "fulfillment_status")
_PARCEL = ("id", "order_id", "updated_at")
# Not inventory_levels/update: it names an inventory item and no variant, and every change of a count is told by
# products/update as well ("the inventory adjustment is counted as an update", schema, Product.updatedAt).
TOPICS: dict[str, tuple[str, ...]] = {
    "ORDERS_CREATE": _ORDER,
    "ORDERS_UPDATED": _ORDER,
    "ORDERS_CANCELLED": _ORDER,
    "ORDERS_FULFILLED": _ORDER,
    "ORDERS_PARTIALLY_FULFILLED": _ORDER,
    "ORDERS_DELETE": ("id",),
    "FULFILLMENTS_CREATE": _PARCEL,
    "FULFILLMENTS_UPDATE": _PARCEL,
    "REFUNDS_CREATE": ("id", "order_id", "processed_at"),
    "PRODUCTS_CREATE": ("id", "updated_at"),
    "PRODUCTS_UPDATE": (
        "id",
        "updated_at",
        "variants.id",
        "variants.inventory_quantity",
        "variants.inventory_management",
    ),
    "PRODUCTS_DELETE": ("id",),
    "APP_UNINSTALLED": ("id", "myshopify_domain"),
}


def verify(shop: Shop, hook: Hook) -> None:
    """Of a seller's own app, or of the operator's; "up to an hour" after a rotation Shopify still signs with the old
    secret.
    """
    given = hook.headers.get("x-shopify-hmac-sha256", "")
    own = own_app(shop).get("client_secret", "")
    secrets = [own] if own else [shop.app.get("client_secret", ""), shop.app.get("old_client_secret", "")]
    if not any(hmac_ok(secret, hook.body, given) for secret in secrets):
        raise Forged


def news(shop: Shop, hook: Hook) -> HookNews:
    topic = hook.headers.get("x-shopify-topic", "").lower()
    told = nothing(topic, hook)
    try:
        body = node_of(wire.load(hook.body), topic or "delivery")
        looks, hints = _meaning(topic, body, shop)
    except Strange:
        return told
    return replace(told, looks=looks, hints=hints)


def _meaning(topic: str, body: Node, shop: Shop) -> tuple[tuple[Look, ...], tuple[StockHint, ...]]:
    match topic:
        case "products/create":
            return (Look(LookKind.PRODUCT, body.id("id")),), ()
        case "products/update":
            return (Look(LookKind.PRODUCT, body.id("id")),), _hints(body, shop)
        case "products/delete":
            return (Look(LookKind.PRODUCT_GONE, body.id("id")),), ()
        case "app/uninstalled":
            return (Look(LookKind.UNINSTALLED),), ()
        case "customers/redact":
            return _redact(body), ()
        case "customers/data_request":
            asked, orders = body.opt_child("data_request"), ",".join(_ids(body, "orders_requested"))
            return (Look(LookKind.DATA_REQUEST, f"{asked.opt_id('id') if asked else ''}:{orders}"),), ()
        case "shop/redact":
            return (Look(LookKind.ERASE_SHOP),), ()
        case _ if topic.startswith("orders/"):
            return (Look(LookKind.ORDER, body.id("id")),), ()
        case _ if topic.startswith(("fulfillments/", "refunds/")):
            return (Look(LookKind.ORDER, body.id("order_id")),), ()
        case _:
            # inventory_levels/update of an older subscription: products/update says the same.
            return (Look(LookKind.NOTHING),), ()


def _hints(body: Node, shop: Shop) -> tuple[StockHint, ...]:
    """`inventory_quantity` is the sum over all locations: of no use when one is pinned.

    Only "shopify" means that the variant is tracked.
    """
    if shop.settings.get("location"):
        return ()
    tracked = [v for v in body.rows("variants") if v.text("inventory_management") == "shopify"]
    hints = [read_row(LookKind.COUNTS, "", partial(_hint, variant)) for variant in tracked]
    return readable(hints)


def _hint(variant: Node) -> StockHint:
    return StockHint(variant.id("id"), variant.int("inventory_quantity"))


def _redact(body: Node) -> tuple[Look, ...]:
    """One look per order to erase; without orders the shop's own customer number, by which we keep nothing."""
    if orders := _ids(body, "orders_to_redact"):
        return tuple(Look(LookKind.ERASE_BUYER, number) for number in orders)
    customer = body.opt_child("customer")
    return (Look(LookKind.ERASE_BUYER, f"customer:{customer.opt_id('id') or ''}" if customer else ""),)


def _ids(body: Node, key: str) -> list[str]:
    """The ids in a list of bare ones."""
    values = body.raw(key)
    found = [node_of({"id": value}, key) for value in (values if isinstance(values, list) else [])]
    return list(readable(read_row(LookKind.ORDER, "", partial(node.id, "id")) for node in found))


def shop_of(hook: Hook) -> str:
    """Deliveries to the operator's app name the shop by its permanent domain, which is our shop_id."""
    return hook.headers.get("x-shopify-shop-domain", "").strip().lower()


# Subscriptions


async def subscribe(client: Client) -> Subscriptions:
    """What should be there, is there once, and points here. Other subscriptions of a seller's own app are not ours to
    touch.
    """
    url = client.shop.hook_url

    def hook(topic: str) -> dict[str, object]:
        return {"uri": url, "includeFields": list(TOPICS[topic])}

    return await heal(
        tuple(TOPICS),
        await _ours(client),
        create=lambda topic: _change(client, "Create", {"topic": topic, "hook": hook(topic)}),
        change=lambda node, topic: _change(client, "Update", {"id": node.str("id"), "hook": hook(topic)}),
        remove=partial(_remove, client),
        right=lambda node, topic: node.text("uri") == url and _fields(node) == sorted(TOPICS[topic]),
    )


def _fields(node: Node) -> list[str]:
    fields = node.raw("includeFields")
    return sorted(str(field) for field in fields) if isinstance(fields, list) else []


async def unsubscribe(client: Client) -> None:
    for node in await _ours(client):
        await _remove(client, node)


async def _remove(client: Client, node: Node) -> None:
    await _change(client, "Delete", {"id": node.str("id")})


async def _ours(client: Client) -> list[Node]:
    found: list[Node] = []
    ends: list[str] = []
    after: str | None = None
    while after != "":
        page = (await client.ask("Hooks", {"after": after})).child("webhookSubscriptions")
        found += page.rows("nodes")
        after = further(page, ends)
    return ours(found, client.shop.hook_url, "uri")


async def _change(client: Client, what: str, variables: dict[str, object]) -> None:
    try:
        await client.change(f"{what}Hook", f"webhookSubscription{what}", variables)
    except Said as said:
        raise Outside(f"Shopify did not set up the webhook {variables.get('topic', '')}: {said}") from None
