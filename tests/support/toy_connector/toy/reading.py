"""What the corner shop shows. Its lists are by number of change, so a cursor is a number."""

from collections.abc import Sequence

from crossdock.connectors.toy import mapper
from crossdock.connectors.toy.client import Client

from crossdock.domain.events import Count, ProductGone, ShopOrder, ShopOrderState, ShopProduct
from crossdock.domain.values import Money
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone]:
    node = await client.get("/api/products", since=cursor or "0")
    return Page(
        tuple(mapper.product(item) for item in node.list("items")), node.str("next") or cursor, node.bool("more")
    )


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    try:
        return mapper.product(await client.get(f"/api/products/{product_id}"))
    except Missing:
        return ProductGone(product_id)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count]:
    node = await client.post("/api/counts", {"variants": [ref.variant_id for ref in variants]})
    return [Count(item.id("id"), item.int("count")) for item in node.list("counts")]


async def orders(client: Client, cursor: str) -> Page[ShopOrder]:
    node = await client.get("/api/orders", since=cursor or "now")
    return Page(tuple(mapper.order(item) for item in node.list("items")), node.str("next"), node.bool("more"))


async def order(client: Client, shop_id: str) -> ShopOrder:
    try:
        return mapper.order(await client.get(f"/api/orders/{shop_id}"))
    except Missing:
        return gone(client, shop_id)


def gone(client: Client, shop_id: str) -> ShopOrder:
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero(client.shop.settings["currency"]))
