"""Reading a Saleor channel. Lists go on behind the values that their last row is sorted by, so what changes while we
turn pages comes again and nothing is skipped.

Two dates do not move: a product's when its price changes, an order's when a tracking number is entered or corrected. So
each poll reads some more products in turn, and our own orders of the last days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crossdock.connectors.saleor import mapper
from crossdock.connectors.saleor.client import PAGE, Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing
from crossdock.kit.json_node import Node
from crossdock.kit.rows import named, order_with, read_each
from crossdock.kit.shop.graphql import further
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import instant, read_cursor, write_cursor

# A product comes with all its variants and their stock rows.
PRODUCTS_PAGE = 50
OVERLAP = timedelta(seconds=60)
# Ours that changed lately are read at every poll, all of ours that were made in the time of WATCHED once an hour.
RECENT, WATCHED, SLOW = timedelta(days=3), timedelta(days=90), timedelta(hours=1)
WAITING = ["UNCONFIRMED", "UNFULFILLED", "PARTIALLY_FULFILLED", "PARTIALLY_RETURNED"]
Rows = list[Node | Unreadable]
Products = Page[ShopProduct | ProductGone | Unreadable]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a sweep stands: what changed from `since` on, in phases; `through` is where the next one begins. `turn` is
    how far the products came that are read in turn, `slow` when all our orders are due.
    """

    since: str = ""
    through: str = ""
    phase: str = ""
    after: str = ""
    turn: str = ""
    slow: str = ""


def rows_of(page: Node, kind: LookKind) -> Rows:
    """The nodes of a connection's edges; what is none stands by itself."""
    edges = page.entries("edges")
    return [named(kind, edge.get("node") if isinstance(edge, dict) else edge, id_of) for edge in edges]


def id_of(node: Node) -> str:
    return node.id("id")


async def _listed(
    client: Client, operation: str, kind: LookKind, *, first: int, after: str, where: Any, by: str
) -> tuple[Rows, str, datetime]:
    """A page's rows, where the list goes on ("" at its end), and the server's clock. Raises Strange for a list that
    would never end.
    """
    asked = {"channel": client.channel, "first": first, "after": after or None, "where": where, "by": by}
    answer = await client.answer(operation, **asked)
    page = answer.data.child(operation.lower())
    return rows_of(page, kind), further(page, [after]), answer.at


# Products


async def products(client: Client, words: str) -> Products:
    cursor = read_cursor(Cursor, words)
    turn = cursor.phase == "turn"
    rows, onward, at = await _listed(
        client,
        "Products",
        LookKind.PRODUCT,
        first=PRODUCTS_PAGE,
        after=cursor.turn if turn else cursor.after,
        where={"updatedAt": {"range": {"gte": cursor.since}}} if cursor.since and not turn else None,
        by="CREATED_AT" if turn else "LAST_MODIFIED_AT",
    )
    items = tuple(read_each(LookKind.PRODUCT, rows, id_of, partial(_product, client)))
    if turn:
        return Page(items, write_cursor(Cursor(since=cursor.through, turn=onward)), more=False)
    cursor = replace(cursor, through=cursor.through or instant(at - OVERLAP), after=onward)
    if not onward and not cursor.since:
        # All of them were read just now.
        return Page(items, write_cursor(Cursor(since=cursor.through)), more=False)
    return Page(items, write_cursor(cursor if onward else replace(cursor, phase="turn")), more=True)


def _product(client: Client, node: Node) -> ShopProduct:
    shop = client.shop
    return mapper.product_of(node, shop.settings, admin=shop.address, now=shop.now())


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    """Asked for in the channel: what is not listed there is not there for us."""
    node = await client.one("OneProduct", "product", channel=client.channel, id=product_id)
    return ProductGone(product_id) if node is None else _product(client, node)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """Asked for in the channel, Saleor shows the stock rows that it would sell from."""
    ids = list(dict.fromkeys(ref.variant_id for ref in variants))
    if not ids:
        return ()
    try:
        data = await client.ask("Counts", channel=client.channel, ids=ids, first=PAGE)
    except Missing:
        # One id of another form fails all.
        return () if len(ids) == 1 else [row for ref in variants for row in await counts(client, [ref])]
    rows = rows_of(data.child("productVariants"), LookKind.COUNTS)
    return read_each(
        LookKind.COUNTS, rows, id_of, lambda node: Count(id_of(node), mapper.count_of(node, client.shop.settings))
    )


# Orders


async def orders(client: Client, words: str) -> Page[ShopOrder | Unreadable]:
    """What changed; ours that may have got a number since; and once an hour all of ours, for late news."""
    cursor = read_cursor(Cursor, words)
    if not cursor.since:
        at = (await client.answer("Server")).at
        return Page((), write_cursor(Cursor(since=instant(at - OVERLAP), slow=instant(at + SLOW))), more=False)
    phase = cursor.phase or "changed"
    rows, onward, at = await _listed(
        client,
        "Orders",
        LookKind.ORDER,
        first=PAGE,
        after=cursor.after,
        where=_where(phase, cursor, client.shop.now()),
        by="LAST_MODIFIED_AT" if phase == "changed" else "CREATED_AT",
    )
    items = tuple(read_each(LookKind.ORDER, rows, id_of, partial(shown, client)))
    cursor = replace(cursor, through=cursor.through or instant(at - OVERLAP), after=onward, phase=phase)
    if not onward and phase == "changed":
        cursor = replace(cursor, phase="ours")
    elif not onward and phase == "ours" and cursor.slow <= instant(at):
        cursor = replace(cursor, phase="all", slow=instant(at + SLOW))
    elif not onward:
        return Page(items, write_cursor(Cursor(since=cursor.through, slow=cursor.slow)), more=False)
    return Page(items, write_cursor(cursor), more=True)


def _where(phase: str, cursor: Cursor, now: datetime) -> Mapping[str, Any]:
    """An operator stands alone: "Cannot mix operators with other filter inputs." (graphql/core/connection.py)."""
    mine = {"metadata": {"key": mapper.MARK}, "createdAt": {"gte": instant(now - WATCHED)}}
    match phase:
        case "changed":
            return {"updatedAt": {"gte": cursor.since}}
        case "ours":
            late = {"updatedAt": {"gte": instant(now - RECENT)}}
            return {"AND": [mine, {"OR": [{"status": {"oneOf": WAITING}}, late]}]}
        case _:
            return mine


async def order(client: Client, shop_id: str) -> ShopOrder:
    return (await read(client, shop_id))[1]


async def read(client: Client, shop_id: str) -> tuple[Node | None, ShopOrder]:
    """As Saleor and as we show it."""
    node = await whole(client, shop_id)
    return node, gone(shop_id, client.shop.settings["currency"]) if node is None else shown(client, node)


async def whole(client: Client, shop_id: str, *, notes: bool = False) -> Node | None:
    """None when the shop has no such order; a draft is none."""
    node = await client.one("Notes" if notes else "OneOrder", "order", id=shop_id)
    return node if node is not None and node.word("status") != mapper.DRAFT else None


def shown(client: Client, node: Node) -> ShopOrder:
    with order_with(mapper.reference_of(node)):
        return mapper.order_of(node, admin=client.shop.address)
