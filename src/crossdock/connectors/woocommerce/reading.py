"""Reading a WooCommerce shop.

Lists move while one turns their pages, so a page begins where the last one's newest row was, not where it ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from crossdock.connectors.woocommerce import goods, mapper
from crossdock.connectors.woocommerce.client import PAGE, Client, NoRoute, Rejected
from crossdock.domain.currencies import minor_units
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.rows import named, order_with, read_each, read_row, readable
from crossdock.kit.shop.concurrency import each_patiently, patiently, together
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import Listed, Spot, Walked, walk

T = TypeVar("T")

# What is dated before is no date of a change: WordPress is of 2003.
BEGAN = datetime(2003, 1, 1, tzinfo=UTC)
# The very first page is small: a person waits for it, and each of its products may need a request of its own.
FIRST_PAGE = 15
# What the shop refuses it refuses again: such a row is not waited for.
REFUSALS = (Rejected, Missing)


async def changes(client: Client, path: str, spot: Spot, **query: str) -> Walked:
    """One page of what changed, oldest change first. `modified_after` excludes its own second.

    Dates may be null, zero or of the future: imported orders have such (woocommerce/woocommerce #68783), and pending
    products of marketplace vendors.
    """

    async def page(spot: Spot, size: int) -> Listed:
        after = {"modified_after": spot.after} if spot.after else {}
        order = {"orderby": "modified", "order": "asc", "dates_are_gmt": "true"}
        return await client.rows(path, {**order, "per_page": str(size), "offset": str(spot.offset), **query, **after})

    return await walk(page, spot, PAGE if spot.after or spot.offset else FIRST_PAGE, _changed, BEGAN)


def _changed(row: Node) -> datetime | None:
    return row.moment("date_modified_gmt", naive_utc=True)


@dataclass(frozen=True, slots=True)
class Marks:
    """A poll's cursor: where the list goes on, where the trash does, and the ids that are still to be read."""

    live: Spot
    trash: Spot
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


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """Products, and those moved to the trash.

    A variation's change moves its parent's date, so parents are enough to ask for.
    """
    marks = Marks.of(cursor)
    seen = await changes(client, "products", marks.live)
    # What was deleted before the first reading is no news.
    trash = (
        await changes(client, "products", marks.trash, status="trash")
        if cursor
        else Walked([], seen.settled, False, seen.settled)
    )
    live, odd = _by_id(LookKind.PRODUCT, [*seen.rows, *seen.odd])
    # What is in the trash and cannot be read is not sold, and is asked for by id if it ever was.
    binned, _ = _by_id(LookKind.PRODUCT, [row for row in trash.rows if row.text("status") == "trash"])
    rows = {id_: partial(_whole, client, row) for id_, row in live.items()}
    late = {id_: partial(_whole_by_id, client, id_) for id_ in marks.waiting if id_ not in rows}
    found, waiting = await each_patiently(LookKind.PRODUCT, {**late, **rows}, refusals=REFUSALS)
    read = read_each(LookKind.PRODUCT, found, lambda whole: whole[0], partial(_product, client))
    items: list[ShopProduct | ProductGone | Unreadable] = [*odd, *read, *map(ProductGone, binned)]
    return Marks(seen.spot, trash.spot, tuple(waiting)).page(items, marks, more=seen.more or trash.more)


def _by_id(kind: LookKind, values: Iterable[Any]) -> tuple[dict[str, Node], list[Unreadable]]:
    """The rows by their ids, and those that have none."""
    found = [value if isinstance(value, Node) else named(kind, value, id_of) for value in values]
    tried = read_each(kind, found, lambda node: "", lambda node: (id_of(node), node))
    return dict(readable(tried)), [row for row in tried if isinstance(row, Unreadable)]


def id_of(node: Node) -> str:
    """Always a number, and part of the addresses that are asked next."""
    id_ = node.id("id")
    if not (id_.isascii() and id_.isdigit()):
        raise Strange(f"{node.path}.id", "whole number", id_)
    return id_


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    return _product(client, await _whole_by_id(client, product_id))


Whole = tuple[str, Node | None, list[Node]]


async def _whole(client: Client, node: Node) -> Whole:
    """A product (None when it is gone) with its variations."""
    id_ = node.id("id")
    return id_, node, await _variations(client, id_) if node.text("type") == "variable" else []


async def _whole_by_id(client: Client, product_id: str) -> Whole:
    try:
        node = await client.one(f"products/{int(product_id)}")
        if node.text("type") == "variation" and node.raw("parent_id"):
            return await _whole_by_id(client, node.id("parent_id"))
        return (product_id, None, []) if node.text("status") == "trash" else await _whole(client, node)
    except (Missing, ValueError):
        return product_id, None, []


def _product(client: Client, whole: Whole) -> ShopProduct | ProductGone:
    id_, node, family = whole
    if node is None:
        return ProductGone(id_)
    return goods.product_of(node, family, currency=client.shop.settings["currency"], address=client.shop.address)


async def _variations(client: Client, product_id: str) -> list[Node]:
    rows = await client.every(f"products/{product_id}/variations", {"order": "asc", "orderby": "id"})
    # One without an id cannot be ordered, whatever else it says.
    return list(_by_id(LookKind.PRODUCT, rows)[0].values())


async def stock(client: Client, pairs: Sequence[tuple[str, str]]) -> dict[str, Node]:
    """(product id, variant id) -> the entry that holds the variant's count.

    What is gone or in the trash is left out.
    """
    entries, families = await _families(client, pairs)
    return entries | {row.id("id"): row for _, rows in families for row in rows}


async def counts(client: Client, variants: Sequence[VariantRef]) -> tuple[Count | Unreadable, ...]:
    """Each variant's number comes from one request; a variant that the shop would not sell is left out, so that its
    product is read again.
    """
    wanted = {ref.variant_id for ref in variants}
    entries, families = await _families(client, [(ref.product_id, ref.variant_id) for ref in variants])
    found: list[Count | Unreadable] = [
        read_row(LookKind.COUNTS, id_, partial(_count, node, {})) for id_, node in entries.items() if id_ in wanted
    ]
    for parent, rows in families:
        read = {row.id("id"): read_row(LookKind.COUNTS, row.id("id"), partial(goods.count_of, row)) for row in rows}
        known = [row for row in rows if not isinstance(read[row.id("id")], Unreadable)]
        dealt = goods.counts_of(parent, known)
        found += [odd for id_, odd in read.items() if isinstance(odd, Unreadable) and id_ in wanted]
        found += [_count(row, dealt) for row in known if goods.sellable(row) and row.id("id") in wanted]
    return tuple(found)


def _count(node: Node, dealt: Mapping[str, int | None]) -> Count:
    """`dealt` are the parts of what a family's variations share."""
    id_ = node.id("id")
    return Count(id_, dealt[id_] if id_ in dealt else goods.count_of(node), backorders=goods.backorders(node))


Family = tuple[Node, list[Node]]


async def _families(client: Client, pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, Node], list[Family]]:
    """The simple products asked for by id, and each variable one with all its variations.

    Parents are asked for too: a trashed parent still lists its variations.
    """
    ids = sorted({product for product, _ in pairs if product.isdigit()})
    if not ids:
        return {}, []
    rows = (await client.rows("products", {"include": ",".join(ids), "orderby": "id"})).items
    live = {id_: row for id_, row in _by_id(LookKind.PRODUCT, rows)[0].items() if id_ in ids}
    parents = sorted({product for product, variant in pairs if product in live and variant != product})
    families = await together([patiently(partial(_variations, client, parent)) for parent in parents])
    simple = {product: live[product] for product, variant in pairs if product == variant and product in live}
    return simple, [(live[parent], family) for parent, family in zip(parents, families, strict=True)]


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """Orders of every status, and those in the trash, which "any" leaves out."""
    if not cursor:
        now = Spot.settled((await client.rows("orders", {"per_page": "1"})).at)
        return Page((), str(Marks(now, now)), more=False)
    marks, dp = Marks.of(cursor), _dp(client)
    seen, trash = await together(
        [
            changes(client, "orders", marks.live, status="any", dp=dp),
            changes(client, "orders", marks.trash, status="trash", dp=dp),
        ]
    )
    binned = [row for row in trash.rows if row.text("status") == "trash"]
    named_rows, odd = _by_id(LookKind.ORDER, [*seen.rows, *seen.odd, *binned])
    rows = {id_: partial(_with_parts, client, row) for id_, row in named_rows.items()}
    late = {id_: partial(parts_of, client, id_) for id_ in marks.waiting if id_ not in rows}
    found, waiting = await each_patiently(LookKind.ORDER, {**late, **rows}, refusals=REFUSALS)
    items = [*odd, *read_each(LookKind.ORDER, found, lambda parts: parts.id_, partial(shown, client))]
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
        fulfillments = await fulfillments_of(client, id_) or []
    return Parts(id_, node, tuple(fulfillments), tuple(refunds))


async def fulfillments_of(client: Client, order_id: str) -> list[Node] | None:
    """None where the feature is off. Versions differ: a list, or an object with one (10.x)."""
    try:
        answer = await client.ask("GET", f"orders/{order_id}/fulfillments")
    except NoRoute:
        return None
    except Missing:
        return []
    rows = answer.get("fulfillments") if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise Strange("fulfillments", "list", answer)
    return [node_of(row, f"fulfillments[{place}]") for place, row in enumerate(rows)]


def shown(client: Client, parts: Parts) -> ShopOrder:
    if parts.node is None:
        return gone(parts.id_, client.shop.settings["currency"])
    with order_with(mapper.reference_of(parts.node)):
        return mapper.order_of(parts.node, parts.fulfillments, parts.refunds, address=client.shop.address)


def _dp(client: Client) -> str:
    """Decimals of the amounts: without this the shop's display setting cuts them."""
    return str(minor_units(client.shop.settings["currency"]))
