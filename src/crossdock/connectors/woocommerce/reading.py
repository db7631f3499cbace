"""Reading a WooCommerce shop.

Lists move while one turns their pages, so a page begins where the last one's newest row was, not where it ended.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from crossdock.connectors.woocommerce import mapper
from crossdock.connectors.woocommerce.client import PAGE, Client, NoRoute, patiently, together
from crossdock.domain.currencies import minor_units
from crossdock.domain.events import Count, ProductGone, ShopOrder, ShopProduct
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import AuthDead, Missing, Outside, Strange
from crossdock.kit.tame import Node

T = TypeVar("T")
log = logging.getLogger(__name__)

# A row is seen some time after the moment that it carries: what is younger than this is read again.
SETTLED = timedelta(seconds=60)
# The very first page is small: a person waits for it, and each of its products may need a request of its own.
FIRST_PAGE = 15


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a walk through a list goes on: rows changed after `after` (UTC, "" means all), without the first `offset`
    of them.
    """

    after: str = ""
    offset: int = 0

    @classmethod
    def of(cls, text: str) -> "Spot":
        after, _, offset = text.partition("~")
        return cls(after, int(offset) if offset.isdigit() else 0)

    def __str__(self) -> str:
        return f"{self.after}~{self.offset}"


@dataclass(frozen=True, slots=True)
class Walked:
    """`settled` is the moment before which everything was surely seen, by the shop's own clock."""

    rows: list[Node]
    spot: Spot
    more: bool
    settled: str


async def walk(client: Client, path: str, spot: Spot, **query: str) -> Walked:
    """One page of what changed, oldest change first. `modified_after` excludes its own second.

    Where a second fills a page, the next begins half a page further on: as many rows may move away meanwhile without
    one being lost.
    """
    size = PAGE if spot.after or spot.offset else FIRST_PAGE
    asked = {
        "orderby": "modified",
        "order": "asc",
        "per_page": str(size),
        "offset": str(spot.offset),
        "dates_are_gmt": "true",
        **query,
    }
    if spot.after:
        asked["modified_after"] = spot.after
    page = await client.rows(path, asked)
    times = [row.time("date_modified_gmt", naive_utc=True) for row in page.items]
    rows = [row for row, time in zip(page.items, times, strict=True) if _text(time) >= spot.after]
    settled = _text(page.at - SETTLED)
    if len(page.items) < size:
        end = Spot(max(spot.after, min(_text(max(times)) if times else settled, settled)))
        return Walked(rows, end, more=False, settled=settled)
    before = _text(max(times) - timedelta(seconds=1))
    onward = Spot(before) if before > spot.after else Spot(spot.after, spot.offset + size // 2)
    return Walked(rows, onward, more=True, settled=settled)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def understood(read: Callable[[], T]) -> list[T]:
    """One product or order that a plugin made unreadable is left out with a word in the log, so that it does not stop
    all others.
    """
    try:
        return [read()]
    except Strange as error:
        log.warning("left out of a poll: %s", error)
        return []


async def each(reads: Mapping[str, Callable[[], Awaitable[T]]]) -> tuple[list[T], list[str]]:
    """What every row of a page needs besides, and the ids for which the shop did not give it: these are asked for
    again with the next page.

    A page is a request per row; were all thrown away with one of them, a shop with a bad day would never be read to
    the end.
    """

    failed: dict[str, Outside] = {}

    async def one(id_: str, read: Callable[[], Awaitable[T]]) -> list[T]:
        try:
            return [await patiently(read)]
        except AuthDead:
            raise
        except Outside as error:
            failed[id_] = error
            return []

    found = await together([one(id_, read) for id_, read in reads.items()])
    if len(failed) > PAGE:
        raise next(iter(failed.values()))
    return [result for results in found for result in results], list(failed)


@dataclass(frozen=True, slots=True)
class Marks:
    """A poll's cursor: where the list goes on, where the trash does, and the ids that are still to be read."""

    live: Spot = Spot()
    trash: Spot = Spot()
    waiting: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Marks":
        live, trash, waiting = [*text.split(";"), "", ""][:3]
        return cls(Spot.of(live), Spot.of(trash), tuple(id_ for id_ in waiting.split(",") if id_.isdigit()))

    def __str__(self) -> str:
        return f"{self.live};{self.trash};{','.join(self.waiting)}"

    def page(self, items: Sequence[T], before: "Marks", *, more: bool) -> Page[T]:
        """More at once, unless all that is left is what did not come just now either."""
        fewer = bool(self.waiting) and len(self.waiting) < len(before.waiting)
        return Page(tuple(items), str(self), more or fewer)


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone]:
    """Products, and those moved to the trash.

    A variation's change moves its parent's date, so parents are enough to ask for.
    """
    marks = Marks.of(cursor)
    seen = await walk(client, "products", marks.live)
    # What was deleted before the first reading is no news.
    trash = (
        await walk(client, "products", marks.trash, status="trash")
        if cursor
        else Walked([], Spot(seen.settled), False, "")
    )
    rows = {row.id("id"): partial(_whole, client, row) for row in seen.rows}
    late = {id_: partial(_whole_by_id, client, id_) for id_ in marks.waiting if id_ not in rows}
    found, waiting = await each({**late, **rows})
    items = [item for whole in found for item in understood(partial(_product, client, whole))]
    items += [ProductGone(row.id("id")) for row in trash.rows if row.str("status") == "trash"]
    after = Marks(seen.spot, trash.spot, tuple(waiting))
    return after.page(items, marks, more=seen.more or trash.more)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    return _product(client, await _whole_by_id(client, product_id))


Whole = tuple[str, Node | None, list[Node]]


async def _whole(client: Client, node: Node) -> Whole:
    """A product (None when it is gone) with its variations."""
    id_ = node.id("id")
    return id_, node, await _variations(client, id_) if node.str("type") == "variable" else []


async def _whole_by_id(client: Client, product_id: str) -> Whole:
    try:
        node = await client.one(f"products/{int(product_id)}")
        if node.str("type") == "variation" and node.raw("parent_id"):
            return await _whole_by_id(client, node.id("parent_id"))
        return (product_id, None, []) if node.str("status") == "trash" else await _whole(client, node)
    except (Missing, ValueError):
        return product_id, None, []


def _product(client: Client, whole: Whole) -> ShopProduct | ProductGone:
    id_, node, family = whole
    if node is None:
        return ProductGone(id_)
    return mapper.product_of(node, family, currency=client.shop.settings["currency"], address=client.shop.address)


async def _variations(client: Client, product_id: str) -> list[Node]:
    return await client.every(f"products/{product_id}/variations", {"order": "asc", "orderby": "id"})


async def stock(client: Client, pairs: Sequence[tuple[str, str]]) -> dict[str, Node]:
    """(product id, variant id) -> the entry that holds the variant's count.

    What is gone or in the trash is left out.
    """
    entries, families = await _families(client, pairs)
    return entries | {row.id("id"): row for rows in families for row in rows}


async def counts(client: Client, variants: Sequence[VariantRef]) -> tuple[Count, ...]:
    """Each variant's number comes from one request; a variant that the shop would not sell is left out, so that its
    product is read again.
    """
    wanted = {ref.variant_id for ref in variants}
    entries, families = await _families(client, [(ref.product_id, ref.variant_id) for ref in variants])
    found = {id_: mapper.count_of(node) for id_, node in entries.items()}
    for rows in families:
        counted = mapper.counts_of(rows)
        found |= {row.id("id"): counted[row.id("id")] for row in rows if mapper.sellable(row)}
    return tuple(Count(variant, count) for variant, count in found.items() if variant in wanted)


async def _families(client: Client, pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, Node], list[list[Node]]]:
    """The simple products asked for by id, and all variations of each variable one.

    Parents are asked for too: a trashed parent still lists its variations.
    """
    ids = sorted({product for product, _ in pairs if product.isdigit()})
    if not ids:
        return {}, []
    rows = (await client.rows("products", {"include": ",".join(ids), "orderby": "id"})).items
    live = {row.id("id"): row for row in rows if row.id("id") in ids}
    parents = sorted({product for product, variant in pairs if product in live and variant != product})
    families = await together([patiently(partial(_variations, client, parent)) for parent in parents])
    return {product: live[product] for product, variant in pairs if product == variant and product in live}, families


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder]:
    """Orders of every status, and those in the trash, which "any" leaves out."""
    if not cursor:
        now = Spot(_text((await client.rows("orders", {"per_page": "1"})).at - SETTLED))
        return Page((), str(Marks(now, now)), more=False)
    marks, dp = Marks.of(cursor), _dp(client)
    seen, trash = await together(
        [
            walk(client, "orders", marks.live, status="any", dp=dp),
            walk(client, "orders", marks.trash, status="trash", dp=dp),
        ]
    )
    binned = [row for row in trash.rows if row.str("status") == "trash"]
    rows = {row.id("id"): partial(_with_parts, client, row) for row in [*seen.rows, *binned]}
    late = {id_: partial(parts_of, client, id_) for id_ in marks.waiting if id_ not in rows}
    found, waiting = await each({**late, **rows})
    items = [item for parts in found for item in understood(partial(shown, client, parts))]
    return Marks(seen.spot, trash.spot, tuple(waiting)).page(items, marks, more=seen.more or trash.more)


async def order(client: Client, shop_id: str) -> ShopOrder:
    return shown(client, await parts_of(client, shop_id))


@dataclass(frozen=True, slots=True)
class Parts:
    """An order with what WooCommerce keeps beside it. `node` is None when it is gone."""

    id_: str
    node: Node | None = None
    fulfillments: tuple[Node, ...] = ()
    refunds: tuple[Node, ...] = ()


async def parts_of(client: Client, shop_id: str) -> Parts:
    try:
        return await _with_parts(client, await client.one(f"orders/{int(shop_id)}", query={"dp": _dp(client)}))
    except (Missing, ValueError):
        return Parts(shop_id)


async def _with_parts(client: Client, node: Node) -> Parts:
    """Of our own only, and only where there may be some, since each is a request of its own.

    A refund says what units it took out of the order.
    """
    id_ = node.id("id")
    if not mapper.reference_of(node):
        return Parts(id_, node)
    refunds, fulfillments = list[Node](), list[Node]()
    if node.opt_list("refunds"):
        refunds = await client.every(f"orders/{id_}/refunds", {"dp": _dp(client)})
    if mapper.may_have_fulfillments(node):
        try:
            fulfillments = (await client.rows(f"orders/{id_}/fulfillments", {})).items
        except (NoRoute, Missing):
            fulfillments = []
    return Parts(id_, node, tuple(fulfillments), tuple(refunds))


def shown(client: Client, parts: Parts) -> ShopOrder:
    if parts.node is None:
        return mapper.gone(parts.id_, client.shop.settings["currency"])
    return mapper.order_of(parts.node, parts.fulfillments, parts.refunds, address=client.shop.address)


def _dp(client: Client) -> str:
    """Decimals of the amounts: without this the shop's display setting cuts them."""
    return str(minor_units(client.shop.settings["currency"]))
