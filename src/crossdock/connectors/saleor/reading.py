"""Reading a Saleor channel. Lists go on behind the values that their last row is sorted by, so what changes while we
turn pages comes again and nothing is skipped.

Two dates do not move: a product's when its price changes, an order's when a tracking number is entered or corrected. So
each poll reads some more products in turn, and our own orders of the last days.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crossdock.connectors.saleor import mapper
from crossdock.connectors.saleor.client import PAGE, Client
from crossdock.connectors.saleor.mapper import stamp
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import named, order_with, read_each

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

    @classmethod
    def read(cls, words: str) -> "Cursor":
        """Whatever is no cursor of ours is the beginning."""
        try:
            found = json.loads(words or "{}")
            return cls(**{name: str(value) for name, value in found.items()})
        except (ValueError, TypeError, AttributeError):
            return cls()

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, sort_keys=True)


def rows_of(page: Node, kind: LookKind) -> Rows:
    """The nodes of a connection's edges; what is none stands by itself."""
    edges = page.entries("edges")
    return [named(kind, edge.get("node") if isinstance(edge, dict) else edge, id_of) for edge in edges]


def id_of(node: Node) -> str:
    return node.id("id")


def _onward(page: Node, after: str) -> str:
    """Where the list goes on, "" at its end. Raises Strange for one that would never end."""
    info = page.child("pageInfo")
    if not info.bool("hasNextPage"):
        return ""
    end = info.word("endCursor")
    if end == after:
        raise Strange(f"{info.path}.endCursor", "next page", end)
    return end


# Products


async def products(client: Client, words: str) -> Products:
    cursor = Cursor.read(words)
    if cursor.phase == "turn":
        return await _in_turn(client, cursor)
    where = {"updatedAt": {"range": {"gte": cursor.since}}} if cursor.since else None
    answer = await client.answer(
        "Products",
        channel=client.channel,
        first=PRODUCTS_PAGE,
        after=cursor.after or None,
        where=where,
        by="LAST_MODIFIED_AT",
    )
    page = answer.data.child("products")
    items, onward = _read(client, page), _onward(page, cursor.after)
    cursor = replace(cursor, through=cursor.through or stamp(answer.at - OVERLAP), after=onward)
    if onward:
        return Page(items, str(cursor), more=True)
    if not cursor.since:
        # All of them were read just now.
        return Page(items, str(Cursor(since=cursor.through)), more=False)
    return Page(items, str(replace(cursor, phase="turn")), more=True)


async def _in_turn(client: Client, cursor: Cursor) -> Products:
    data = await client.ask(
        "Products", channel=client.channel, first=PRODUCTS_PAGE, after=cursor.turn or None, where=None, by="CREATED_AT"
    )
    page = data.child("products")
    ended = Cursor(since=cursor.through, turn=_onward(page, cursor.turn))
    return Page(_read(client, page), str(ended), more=False)


def _read(client: Client, page: Node) -> tuple[ShopProduct | Unreadable, ...]:
    return tuple(read_each(LookKind.PRODUCT, rows_of(page, LookKind.PRODUCT), id_of, partial(_product, client)))


def _product(client: Client, node: Node) -> ShopProduct:
    shop = client.shop
    return mapper.product_of(node, shop.settings, admin=shop.address, now=shop.now())


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    """Asked for in the channel: what is not listed there is not there for us."""
    try:
        node = (await client.ask("OneProduct", channel=client.channel, id=product_id)).opt_child("product")
    except Missing:
        return ProductGone(product_id)
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
    cursor = Cursor.read(words)
    if not cursor.since:
        at = (await client.answer("Server")).at
        return Page((), str(Cursor(since=stamp(at - OVERLAP), slow=stamp(at + SLOW))), more=False)
    phase = cursor.phase or "changed"
    now = client.shop.now()
    answer = await client.answer(
        "Orders",
        channel=client.channel,
        first=PAGE,
        after=cursor.after or None,
        where=_where(phase, cursor, now),
        by="LAST_MODIFIED_AT" if phase == "changed" else "CREATED_AT",
    )
    page = answer.data.child("orders")
    items = tuple(read_each(LookKind.ORDER, rows_of(page, LookKind.ORDER), id_of, partial(shown, client)))
    onward = _onward(page, cursor.after)
    cursor = replace(cursor, through=cursor.through or stamp(answer.at - OVERLAP), after=onward, phase=phase)
    if onward:
        return Page(items, str(cursor), more=True)
    if phase == "changed":
        return Page(items, str(replace(cursor, phase="ours")), more=True)
    if phase == "ours" and cursor.slow <= stamp(answer.at):
        return Page(items, str(replace(cursor, phase="all", slow=stamp(answer.at + SLOW))), more=True)
    return Page(items, str(Cursor(since=cursor.through, slow=cursor.slow)), more=False)


def _where(phase: str, cursor: Cursor, now: datetime) -> Mapping[str, Any]:
    """An operator stands alone: "Cannot mix operators with other filter inputs." (graphql/core/connection.py)."""
    mine = {"metadata": {"key": mapper.MARK}, "createdAt": {"gte": stamp(now - WATCHED)}}
    match phase:
        case "changed":
            return {"updatedAt": {"gte": cursor.since}}
        case "ours":
            late = {"updatedAt": {"gte": stamp(now - RECENT)}}
            return {"AND": [mine, {"OR": [{"status": {"oneOf": WAITING}}, late]}]}
        case _:
            return mine


async def order(client: Client, shop_id: str) -> ShopOrder:
    node = await whole(client, shop_id)
    return mapper.gone(shop_id, client.shop.settings["currency"]) if node is None else shown(client, node)


async def whole(client: Client, shop_id: str, *, notes: bool = False) -> Node | None:
    """None when the shop has no such order; a draft is none."""
    try:
        node = (await client.ask("Notes" if notes else "OneOrder", id=shop_id)).opt_child("order")
    except Missing:
        return None
    return node if node is not None and node.word("status") != mapper.DRAFT else None


def shown(client: Client, node: Node) -> ShopOrder:
    with order_with(mapper.reference_of(node)):
        return mapper.order_of(node, admin=client.shop.address)
