"""Reading a Saleor channel. Lists go on behind the values that their last row is sorted by, so what changes while we
turn pages comes again and nothing is skipped.

Two dates do not move: a product's when its price changes, an order's when a tracking number is entered or corrected. So
each poll reads some more products in turn, and our own orders of the last days.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from crossdock.connectors.saleor import mapper
from crossdock.connectors.saleor.client import Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing
from crossdock.kit.json_node import Node
from crossdock.kit.rows import id_of, named, order_with, read_each
from crossdock.kit.shop.graphql import further
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import instant, read_cursor, write_cursor

T = TypeVar("T")
OVERLAP = timedelta(seconds=60)
# Ours that changed lately are read at every poll, all of ours that were made in the time of WATCHED once an hour.
RECENT, WATCHED, SLOW = timedelta(days=3), timedelta(days=90), timedelta(hours=1)
LISTS = {"changed": "Orders", "ours": "OursLately", "all": "Ours"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a sweep stands: what changed from `since` on, in phases; `through` is where the
    next one begins. `turn` is how far the products came that are read in turn, `slow` when all our orders are due.
    """

    since: str = ""
    through: str = ""
    phase: str = ""
    after: str = ""
    turn: str = ""
    slow: str = ""


def rows_of(page: Node, kind: LookKind) -> list[Node | Unreadable]:
    """The nodes of a connection's edges; what is none stands by itself."""
    edges = page.entries("edges")
    return [named(kind, edge.get("node") if isinstance(edge, dict) else edge, id_of) for edge in edges]


async def _listed(
    client: Client, operation: str, kind: LookKind, read: Callable[[Node], T], after: str, **asked: Any
) -> tuple[tuple[T | Unreadable, ...], str, datetime]:
    """A page of a list, where it goes on ("" at its end), and the server's clock. Raises Strange for a list that would
    never end.
    """
    data, at = await client.answer(operation, after=after or None, **asked)
    page = data.child(f"{kind}s")
    return tuple(read_each(kind, rows_of(page, kind), id_of, read)), further(page, [after]), at


# Products


async def products(client: Client, words: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    cursor = read_cursor(Cursor, words)
    read, turn = partial(mapper.product_of, client.shop), cursor.phase == "turn"
    where = {"updatedAt": {"range": {"gte": cursor.since}}} if cursor.since and not turn else None
    by, after = ("CREATED_AT", cursor.turn) if turn else ("LAST_MODIFIED_AT", cursor.after)
    items, onward, at = await _listed(client, "Products", LookKind.PRODUCT, read, after, where=where, by=by)
    if turn:
        return Page(items, write_cursor(Cursor(since=cursor.through, turn=onward)), more=False)
    cursor = replace(cursor, through=cursor.through or instant(at - OVERLAP), after=onward)
    if not onward and not cursor.since:
        # All of them were read just now.
        return Page(items, write_cursor(Cursor(since=cursor.through)), more=False)
    return Page(items, write_cursor(cursor if onward else replace(cursor, phase="turn")), more=True)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    """Asked for in the channel: what is not listed there is not there for us."""
    node = await client.one("OneProduct", "product", id=product_id)
    return ProductGone(product_id) if node is None else mapper.product_of(client.shop, node)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """Asked for in the channel, Saleor shows the stock rows that it would sell from."""
    ids = list(dict.fromkeys(ref.variant_id for ref in variants))
    if not ids:
        return ()
    try:
        data = await client.ask("Counts", ids=ids)
    except Missing:
        # One id of another form fails all.
        return () if len(ids) == 1 else [row for ref in variants for row in await counts(client, [ref])]
    rows, settings = rows_of(data.child("productVariants"), LookKind.COUNTS), client.shop.settings
    return read_each(LookKind.COUNTS, rows, id_of, lambda node: Count(id_of(node), mapper.count_of(node, settings)))


# Orders


async def orders(client: Client, words: str) -> Page[ShopOrder | Unreadable]:
    """What changed; ours that may have got a number since; and once an hour all of ours, for late news."""
    cursor = read_cursor(Cursor, words)
    if not cursor.since:
        _, at = await client.answer("Server")
        return Page((), write_cursor(Cursor(since=instant(at - OVERLAP), slow=instant(at + SLOW))), more=False)
    phase, now = cursor.phase if cursor.phase in LISTS else "changed", client.shop.now()
    # Each document takes those that it names.
    begins = {"since": cursor.since, "watched": instant(now - WATCHED), "recent": instant(now - RECENT)}
    read, after = partial(shown, client), cursor.after
    items, onward, at = await _listed(client, LISTS[phase], LookKind.ORDER, read, after, **begins)
    cursor = replace(cursor, through=cursor.through or instant(at - OVERLAP), after=onward, phase=phase)
    if not onward and phase == "changed":
        cursor = replace(cursor, phase="ours")
    elif not onward and phase == "ours" and cursor.slow <= instant(at):
        cursor = replace(cursor, phase="all", slow=instant(at + SLOW))
    elif not onward:
        return Page(items, write_cursor(Cursor(since=cursor.through, slow=cursor.slow)), more=False)
    return Page(items, write_cursor(cursor), more=True)


async def order(client: Client, shop_id: str) -> ShopOrder:
    return (await read(client, shop_id))[1]


async def read(client: Client, shop_id: str) -> tuple[Node | None, ShopOrder]:
    """As Saleor and as we show it."""
    node = await whole(client, shop_id)
    return node, gone(shop_id, client.shop.settings["currency"]) if node is None else shown(client, node)


async def whole(client: Client, shop_id: str, *, notes: bool = False) -> Node | None:
    """None when the shop has no such order; a draft is none."""
    node = await client.one("Notes" if notes else "OneOrder", "order", id=shop_id)
    return node if node is not None and not mapper.is_draft(node) else None


async def ours(client: Client, reference: str) -> Node | None:
    """With our reference, a draft as well."""
    node = await client.one("Find", "order", reference=reference)
    return node if node is not None and mapper.reference_of(node) == reference else None


def shown(client: Client, node: Node) -> ShopOrder:
    with order_with(mapper.reference_of(node)):
        return mapper.order_of(node, admin=client.shop.address)
