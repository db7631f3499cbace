"""What the corner shop shows. Its lists are by number of change, so a cursor is a number."""

from collections.abc import Sequence

from crossdock.connectors.toy import mapper
from crossdock.connectors.toy.client import Client

from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopOrderState, ShopProduct, Unreadable
from crossdock.domain.values import Money
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing
from crossdock.kit.json_node import Node
from crossdock.kit.rows import order_with, read_rows


def id_of(node: Node) -> str:
    return node.id("id")


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    node = await client.get("/api/products", since=cursor or "0")
    items = read_rows(LookKind.PRODUCT, node.entries("items"), id_of, mapper.product)
    return Page(tuple(items), str(node.int("next")), node.bool("more"))


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    try:
        return mapper.product(await client.get(f"/api/products/{product_id}"))
    except Missing:
        return ProductGone(product_id)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    node = await client.post("/api/counts", {"variants": [ref.variant_id for ref in variants]})
    rows = node.entries("counts")
    return read_rows(LookKind.COUNTS, rows, id_of, lambda item: Count(id_of(item), item.int("count")))


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    node = await client.get("/api/orders", since=cursor or "now")
    items = read_rows(LookKind.ORDER, node.entries("items"), id_of, _shown)
    return Page(tuple(items), str(node.int("next")), node.bool("more"))


def _shown(node: Node) -> ShopOrder:
    with order_with(node.text("reference")):
        return mapper.order(node)


async def order(client: Client, shop_id: str) -> ShopOrder:
    try:
        return mapper.order(await client.get(f"/api/orders/{shop_id}"))
    except Missing:
        return gone(client, shop_id)


def gone(client: Client, shop_id: str) -> ShopOrder:
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero(client.shop.settings["currency"]))
