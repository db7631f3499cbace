"""What the shop has: products with their counts, and orders, page by page behind the shop's own cursors."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from crossdock.connectors.open_door import mapper
from crossdock.connectors.open_door.client import Client
from crossdock.domain.events import (
    Count,
    LookKind,
    ProductGone,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    Unreadable,
)
from crossdock.domain.values import Money
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.rows import read_rows

T = TypeVar("T")
LIMIT = 100


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    return await _page(client, "products/list", cursor, LookKind.PRODUCT, mapper.product)


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    return await _page(client, "orders/list", cursor, LookKind.ORDER, mapper.order)


async def _page(
    client: Client, call: str, cursor: str, kind: LookKind, read: Callable[[Node], T]
) -> Page[T | Unreadable]:
    """A cursor that stands still while there is more would be asked for ever."""
    node = await client.ask(call, cursor=cursor, limit=LIMIT)
    onward, more = node.secret("cursor"), node.bool("more")
    if more and onward == cursor:
        raise Strange(f"{call}.cursor", "further cursor", onward)
    return Page(tuple(read_rows(kind, node.entries("items"), _id, read)), onward, more)


def _id(node: Node) -> str:
    return node.id("id")


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    for node in await nodes(client, "products/read", ids=[product_id]):
        if node.id("id") == product_id:
            return mapper.product(node)
    return ProductGone(product_id)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    wanted = {ref.variant_id for ref in variants}
    ids = list(dict.fromkeys(ref.product_id for ref in variants))
    node = await client.ask("products/read", ids=ids)
    found: list[Count | Unreadable] = []
    for row in read_rows(LookKind.COUNTS, node.entries("items"), _id, mapper.counts):
        found += [row] if isinstance(row, Unreadable) else [count for count in row if count.variant_id in wanted]
    return found


async def order_node(client: Client, shop_id: str) -> Node | None:
    for node in await nodes(client, "orders/read", ids=[shop_id]):
        if node.id("id") == shop_id:
            return node
    return None


async def order(client: Client, shop_id: str) -> ShopOrder:
    node = await order_node(client, shop_id)
    return gone(client, shop_id) if node is None else mapper.order(node)


def gone(client: Client, shop_id: str) -> ShopOrder:
    none = Money.zero(client.shop.settings["currency"])
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), none)


async def nodes(client: Client, call: str, **asked: object) -> list[Node]:
    node = await client.ask(call, **asked)
    return [node_of(entry, f"{call}.items[{n}]") for n, entry in enumerate(node.entries("items"))]
