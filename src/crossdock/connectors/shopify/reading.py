"""Pages of what changed, and counts.

A window of changes is read by cursor and always starts a little before the last change that was seen.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from crossdock.connectors.shopify import mapper
from crossdock.connectors.shopify.client import Client
from crossdock.connectors.shopify.mapper import FIELD, gid
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopOrderState, ShopProduct, Unreadable
from crossdock.domain.values import Money
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing
from crossdock.kit.json_node import Node
from crossdock.kit.rows import await_each, named, order_with, read_row, read_rows, readable
from crossdock.kit.shop.base import chosen_locations
from crossdock.kit.shop.graphql import connected
from crossdock.kit.shop.paging import usable

# "The single query limit is 1,000 points" (shopify.dev, rate limits): counted before anything is read, from the sizes
# that are asked for.
POINTS, POINTS_PER_PRODUCT = 900, 20
VARIANTS_AT_ONCE = 10
ORDERS_AT_ONCE = 20
# "Shopify limits pagination of arrays of objects to 25,000 objects": before that the window starts again where it has
# come to.
OBJECTS_PER_WINDOW = 20_000
# Changes reach the search index some time after they happen. While the last change is young, look back this far behind
# it.
OVERLAP = timedelta(minutes=2)
# What is dated before is no date of a change: Shopify began in 2006.
BEGAN = datetime(2006, 1, 1, tzinfo=UTC)
YOUNG = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Window:
    """Where a listing by updated_at has come to.

    `top` is the newest change seen; times are ISO 8601 in UTC, "" for none.
    """

    since: str = ""
    after: str = ""
    top: str = ""
    seen: int = 0

    @classmethod
    def of(cls, cursor: str) -> "Window":
        """A cursor that another version wrote and this one can't read starts from the beginning."""
        try:
            return cls(**json.loads(cursor))
        except (ValueError, TypeError):
            return cls()

    @property
    def query(self) -> str | None:
        return f"updated_at:>='{self.since}'" if self.since else None

    def following(self, info: Node, changes: Sequence[datetime | None], now: datetime) -> tuple[str, bool]:
        """(next cursor, whether there is more to ask at once). A row without a usable date moves nothing."""
        top = max([self.top, *(_iso(change) for change in changes if change and usable(change, BEGAN, now))])
        if not info.bool("hasNextPage"):
            return json.dumps(asdict(Window(since=_behind(top, now), top=top))), False
        seen = self.seen + len(changes)
        if seen >= OBJECTS_PER_WINDOW and top > self.since:
            return json.dumps(asdict(Window(since=top, top=top))), True
        return json.dumps(asdict(Window(self.since, info.str("endCursor"), top, seen))), True


def from_now(now: datetime) -> str:
    return json.dumps(asdict(Window(since=_iso(now - OVERLAP))))


def _behind(top: str, now: datetime) -> str:
    """An old newest change needs no look behind it: otherwise a shop at rest would tell its last two busy minutes for
    ever.
    """
    if not top:
        return ""
    last = datetime.fromisoformat(top)
    return _iso(last - OVERLAP) if now - last < YOUNG else top


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# Stock


def stock_scope(client: Client, levels: int | None = None) -> dict[str, Any]:
    """Variables that say which locations are counted: the pinned one, or all that there were at the last test (an
    answer says when it has more).

    Several chosen ones are all asked for, by name, and added up here: one request answers them all, so units moved
    between two are never counted twice.
    """
    places = chosen_locations(client.shop.settings)
    pinned = next(iter(places)) if len(places) == 1 else ""
    known = int(client.shop.settings.get("locations") or 1)
    return {
        "all": not pinned,
        "named": len(places) > 1,
        "levels": levels or max(1, min(known, 200)),
        "location": gid("Location", pinned or "0"),
    }


def points_per_variant(scope: Mapping[str, Any]) -> int:
    each = 3 if scope["named"] else 2
    return 5 + (each * int(scope["levels"]) if scope["all"] else 2)


def at_once(scope: Mapping[str, Any]) -> int:
    """How many variants one request can ask for, beside a product."""
    return max(1, min(100, (POINTS - POINTS_PER_PRODUCT) // points_per_variant(scope)))


def page_sizes(scope: Mapping[str, Any]) -> tuple[int, int]:
    """Products in a page, and variants of each; the rest of its variants is read product by product."""
    variants = min(VARIANTS_AT_ONCE, at_once(scope))
    return max(1, min(50, POINTS // (POINTS_PER_PRODUCT + variants * points_per_variant(scope)))), variants


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    return await counted(client, [variant.variant_id for variant in variants])


async def counted(client: Client, variant_ids: Sequence[str], levels: int | None = None) -> list[Count | Unreadable]:
    """Each variant with all its locations comes from one request; a batch is cut into as many requests as the point
    limit demands.
    """
    scope = stock_scope(client, levels)
    step = at_once(scope)
    found: list[Count | Unreadable] = []
    cut: list[str] = []
    for start in range(0, len(variant_ids), step):
        ids = [gid("ProductVariant", number) for number in variant_ids[start : start + step]]
        data = await client.ask("Counts", {"ids": ids, **scope})
        for read in read_rows(LookKind.COUNTS, _present(data, "nodes"), mapper.variant_id, _with_cut):
            if isinstance(read, Unreadable):
                found.append(read)
            elif read[1] and scope["levels"] < 200:
                cut.append(mapper.variant_id(read[0]))
            else:
                count = partial(mapper.count, read[0], chosen_locations(client.shop.settings))
                found.append(read_row(LookKind.COUNTS, mapper.variant_id(read[0]), count))
    return [*found, *(await counted(client, cut, 200) if cut else [])]


def _with_cut(node: Node) -> tuple[Node, bool]:
    return node, mapper.cut_short(node.child("inventoryItem"))


def _present(data: Node, key: str) -> list[Any]:
    """`nodes(ids:)` answers null for what is gone, and an empty object for an id of another kind."""
    return [value for value in data.entries(key) if value is not None and value != {}]


def _changes(rows: Sequence[Node | Unreadable]) -> list[datetime | None]:
    return [row.moment("updatedAt") if isinstance(row, Node) else None for row in rows]


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    window, scope = Window.of(cursor), stock_scope(client)
    first, variants = page_sizes(scope)
    listing = {"first": first, "after": window.after or None, "query": window.query}
    data = await client.ask("Products", {**listing, "variants": variants, **scope})
    page = data.child("products")
    rows = [named(LookKind.PRODUCT, value, mapper.variant_id) for value in page.entries("nodes")]
    items = await await_each(LookKind.PRODUCT, rows, mapper.variant_id, lambda row: _whole(client, row, scope))
    after, more = window.following(page.child("pageInfo"), _changes(rows), client.shop.now())
    return Page(tuple(items), after, more)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    scope = stock_scope(client)
    size = at_once(scope)
    data = await client.ask("Product", {"id": gid("Product", product_id), "variants": size, **scope})
    node = data.opt_child("product")
    return await _whole(client, node, scope) if node else ProductGone(product_id)


async def _whole(client: Client, node: Node, scope: Mapping[str, Any]) -> ShopProduct:
    """With all its variants (a product may have 2,048), and with the counts of all locations."""
    scope = {**scope, "variants": at_once(scope)}

    async def more(after: str) -> Node | None:
        data = await client.ask("MoreVariants", {"id": node.str("id"), "after": after, **scope})
        again = data.opt_child("product")
        return again.child("variants") if again else None

    variants = await connected(node.child("variants"), more)
    shop, places = client.shop, chosen_locations(client.shop.settings)
    found = mapper.product(node, variants, currency=await currency(client), address=shop.address, places=places)
    told = {variant.variant_id for variant in found.variants}
    read = [v for v in variants if v.text("id").rpartition("/")[2] in told]
    cut = [mapper.variant_id(v) for v in read if mapper.cut_short(v.child("inventoryItem"))]
    return mapper.recounted(found, readable(await counted(client, cut, 200))) if cut else found


async def currency(client: Client) -> str:
    """Of the shop's base prices: `price` on a variant is a bare number."""
    known = client.shop.settings.get("currency", "")
    return known or (await client.ask("Shop")).child("shop").str("currencyCode")


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """Ours are read whole; of the others only that they changed: what the seller's other customers bought is none of
    our business.
    """
    if not cursor:
        return Page((), from_now(client.shop.now()), False)
    window = Window.of(cursor)
    listing = {
        "first": ORDERS_AT_ONCE,
        "after": window.after or None,
        "query": window.query or f"updated_at:>='{_iso(client.shop.now() - OVERLAP)}'",
    }
    page = (await client.ask("ChangedOrders", {**listing, **FIELD})).child("orders")
    rows = [named(LookKind.ORDER, value, mapper.order_id) for value in page.entries("nodes")]
    found = await await_each(LookKind.ORDER, rows, mapper.order_id, partial(_seen, client))
    after, more = window.following(page.child("pageInfo"), _changes(rows), client.shop.now())
    return Page(tuple(found), after, more)


async def _seen(client: Client, node: Node) -> ShopOrder:
    if mapper.reference(node):
        return await order(client, mapper.order_id(node))
    return mapper.of_others(node, address=client.shop.address, currency=await currency(client))


async def order(client: Client, shop_id: str) -> ShopOrder:
    data = await client.ask("Order", {"id": gid("Order", shop_id), **FIELD})
    node = data.opt_child("order")
    if node is None:
        return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero(await currency(client)))
    with order_with(mapper.reference(node)):
        lines = await _all(client, node.child("lineItems"), "MoreLines", gid("Order", shop_id), ("order", "lineItems"))
        parts = [await _parts(client, part) for part in node.list("fulfillments")]
        return mapper.order(node, lines, parts, address=client.shop.address)


async def _parts(client: Client, fulfilment: Node) -> list[Node]:
    page, id_ = fulfilment.child("fulfillmentLineItems"), fulfilment.str("id")
    return await _all(client, page, "MoreOfParcel", id_, ("node", "fulfillmentLineItems"))


async def _all(client: Client, page: Node, operation: str, id: str, path: tuple[str, str]) -> list[Node]:
    """The nodes of a connection that is longer than its first page."""

    async def more(after: str) -> Node:
        owner = (await client.ask(operation, {"id": id, "after": after})).opt_child(path[0])
        if owner is None:
            raise Missing("The order was deleted while it was read.")
        return owner.child(path[1])

    return await connected(page, more)
