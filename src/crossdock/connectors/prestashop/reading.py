"""Reading a PrestaShop: products with their combinations, values and counts in four lists, orders with their rows in
one. Dates are the shop's own times, so the walk through changes is turned into them and back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crossdock.connectors.prestashop import mapper
from crossdock.connectors.prestashop.client import Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit import text
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import NoAnswer, NotJson, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import named, order_with, read_each, readable
from crossdock.kit.shop.concurrency import together
from crossdock.kit.shop.paging import SECOND, Listed, Spot, Walked, walk

# PrestaShop is of 2007: what is dated before is no date of a change.
BEGAN = datetime(2007, 1, 1, tzinfo=UTC)
PRODUCTS_PAGE, ORDERS_PAGE = 50, 100
# Without a number of decimals it takes the shop's way of rounding for one (specificPriceCalculation).
PRICE = {"price[gross][use_tax]": "1", "price[gross][decimals]": "6"}
END = "2199-12-31 23:59:59"


async def _changes(client: Client, resource: str, spot: Spot, size: int, **query: str) -> Walked:
    """One page of what changed, oldest change first. Filters by dates need `date=1` (manageFilters), and an interval
    includes both its ends.
    """
    zone = ZoneInfo(client.shop.settings["zone"])

    async def page(spot: Spot, size: int) -> Listed:
        asked = {**query, "date": "1", "sort": "[date_upd_ASC,id_ASC]", "limit": f"{spot.offset},{size}"}
        if spot.after:
            begin = mapper.since((datetime.fromisoformat(spot.after) + SECOND).isoformat(), zone)
            asked["filter[date_upd]"] = f"[{begin},{END}]"
        return await client.rows(resource, asked)

    return await walk(page, spot, size, lambda row: mapper.moment(row, "date_upd", zone, spot.after), BEGAN)


def _spot(cursor: str) -> Spot:
    spot = Spot.of(cursor)
    try:
        datetime.fromisoformat(spot.after or "2007-01-01")
    except ValueError:
        return Spot()
    return spot


def id_of(node: Node) -> str:
    return mapper.number(node, "id")


def _rows(kind: LookKind, page: Walked) -> list[Node | Unreadable]:
    """The entries of a page; what is no object, or has no id, stands by itself."""
    tried = read_each(kind, page.rows, lambda node: "", lambda node: (id_of(node), node)[1])
    return [*tried, *(named(kind, each, id_of) for each in page.odd)]


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """What was deleted is not in the list: it is seen when looked at."""
    seen = await _changes(client, "products", _spot(cursor), PRODUCTS_PAGE, **PRICE, **_language(client))
    rows = _rows(LookKind.PRODUCT, seen)
    parts = await _parts(client, [id_of(row) for row in readable(rows)])
    return Page(tuple(read_each(LookKind.PRODUCT, rows, id_of, parts.product)), str(seen.spot), seen.more)


def _language(client: Client) -> dict[str, str]:
    return {"language": client.shop.settings["id_lang"] or "1"}


@dataclass(frozen=True, slots=True)
class _Joined:
    """Rows of a list by what they belong to, and what that is of which they could not be read."""

    rows: dict[str, list[Node]]
    odd: dict[str, Strange]

    def of(self, id_: str) -> list[Node]:
        """Raises Strange."""
        if id_ in self.odd:
            raise self.odd[id_]
        return self.rows.get(id_, [])


async def _joined(client: Client, resource: str, field: str, ids: Sequence[str], **query: str) -> _Joined:
    """For several at once; where that answer is no list, for each alone."""
    rows: dict[str, list[Node]] = {}
    try:
        for row in await client.of(resource, field, ids, **query):
            rows.setdefault(row.text(field), []).append(row)
    except NotJson:
        raise
    except Strange as error:
        if len(ids) == 1:
            return _Joined({}, {ids[0]: error})
        each = [await _joined(client, resource, field, [id_], **query) for id_ in ids]
        return _Joined(
            {id_: found for one in each for id_, found in one.rows.items()},
            {id_: odd for one in each for id_, odd in one.odd.items()},
        )
    return _Joined(rows, {})


async def _shown(client: Client, resource: str, ids: Iterable[str], **query: str) -> dict[str, Node]:
    """What is only shown, by its id: left out where it is odd."""
    try:
        rows = await client.of(resource, "id", [id_ for id_ in ids if id_.isascii() and id_.isdigit()], **query)
    except NotJson:
        raise
    except Strange:
        return {}
    return {row.text("id"): row for row in rows}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a page of products needs besides: combinations and counts by product, names of values."""

    client: Client
    combinations: _Joined
    stock: _Joined
    names: dict[str, str]

    def product(self, node: Node) -> ShopProduct:
        shop, id_ = self.client.shop, id_of(node)
        counts = {mapper.variant_id(id_, row.text("id_product_attribute")): row for row in self.stock.of(id_)}
        rows = self.combinations.of(id_)
        return mapper.product_of(node, rows, counts, self.names, settings=shop.settings, address=shop.address)


async def _parts(client: Client, products: Sequence[str]) -> _Parts:
    combinations, stock = await together(
        [
            _joined(client, "combinations", "id_product", products, sort="[id_ASC]", **PRICE),
            _joined(client, "stock_availables", "id_product", products),
        ]
    )
    values = {
        value.text("id")
        for rows in combinations.rows.values()
        for row in rows
        for value in row.view("associations").rows("product_option_values")
    }
    named_values = await _shown(client, "product_option_values", values, **_language(client))
    names = {id_: text.label(mapper.said(row, "name")) for id_, row in named_values.items()}
    return _Parts(client, combinations, stock, names)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    if not (product_id.isascii() and product_id.isdigit()):
        return ProductGone(product_id)
    found = [
        row
        for row in await client.of("products", "id", [product_id], **PRICE, **_language(client))
        if row.text("id") == product_id
    ]
    return (await _parts(client, [product_id])).product(found[0]) if found else ProductGone(product_id)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """All from one list. What a deleted product had in stock is deleted with it."""
    known = {ref.variant_id for ref in variants}
    wanted = {id_ for id_ in (variant.partition("-")[0] for variant in known) if id_.isascii() and id_.isdigit()}
    rows = await client.of("stock_availables", "id_product", wanted)

    def count(row: Node) -> Count | None:
        variant = _variant(row)
        return Count(variant, *_split(mapper.count_of(row, client.shop.settings))) if variant in known else None

    tried = read_each(LookKind.COUNTS, rows, lambda row: "", lambda row: (_variant(row), row)[1])
    found = read_each(LookKind.COUNTS, tried, _variant, count)
    return [row for row in found if row is not None]


def _split(counted: tuple[int | None, bool]) -> tuple[int | None, str, bool]:
    return counted[0], "", counted[1]


def _variant(row: Node) -> str:
    return mapper.variant_id(mapper.number(row, "id_product"), row.text("id_product_attribute"))


async def stock(client: Client, pairs: Sequence[tuple[str, str]]) -> dict[str, Count]:
    """By variant; what the shop does not have is left out. Raises Outside when a row cannot be understood."""
    read = await counts(client, [VariantRef(product, variant) for product, variant in pairs])
    for row in read:
        if isinstance(row, Unreadable):
            raise NoAnswer(row.cause)
    return {row.variant_id: row for row in readable(read)}


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """A credit slip moves no date of its order (OrderSlip::create), so the newest slips name orders too."""
    if not cursor:
        now = Spot.settled((await client.rows("orders", {"limit": "1"}, display="[id]")).at)
        return Page((), str(now), more=False)
    spot = _spot(cursor)
    seen = await _changes(client, "orders", spot, ORDERS_PAGE)
    rows = _rows(LookKind.ORDER, seen)
    late, onward, more = await _refunded(client, spot, seen)
    there = {id_of(row) for row in readable(rows)}
    rows += (await _shown(client, "orders", late - there)).values()
    parts = await _around(client, [row for row in readable(rows) if mapper.reference_of(row)])
    return Page(tuple(read_each(LookKind.ORDER, rows, id_of, parts.order)), onward, more)


async def _refunded(client: Client, spot: Spot, seen: Walked) -> tuple[set[str], str, bool]:
    """Orders with a new slip, and where to go on: with each page of changed orders, and not beyond what was read of
    the slips. Where they could not be read, from the same spot, unless more orders wait behind it.
    """
    try:
        slips = await _changes(client, "order_slip", Spot(spot.after), ORDERS_PAGE)
    except NotJson:
        raise
    except Strange:
        return set(), str(seen.spot if seen.more else spot), seen.more
    late = {row.text("id_order") for row in slips.rows}
    moved = slips.more and slips.spot.after > spot.after
    if moved and (not seen.more or slips.spot.after < seen.spot.after):
        return late, str(Spot(slips.spot.after)), True
    return late, str(seen.spot), seen.more


async def order(client: Client, shop_id: str) -> ShopOrder:
    return (await read(client, shop_id))[1]


async def read(client: Client, shop_id: str) -> tuple[Node | None, ShopOrder]:
    """The order as it is sent back, and as we say it."""
    found = await client.of("orders", "id", [shop_id]) if shop_id.isascii() and shop_id.isdigit() else []
    node = next((row for row in found if row.text("id") == shop_id), None)
    if node is None:
        return None, mapper.gone(shop_id, client.shop.settings)
    return node, (await _around(client, [node] if mapper.reference_of(node) else [])).order(node)


@dataclass(frozen=True, slots=True)
class _Around:
    """What our orders of a page have besides, by order; carriers by their id."""

    client: Client
    sent: _Joined
    slips: _Joined
    carriers: dict[str, Node]

    def order(self, node: Node) -> ShopOrder:
        id_ = id_of(node)
        with order_with(mapper.reference_of(node)):
            settings = self.client.shop.settings
            return mapper.order_of(node, self.sent.of(id_), self.slips.of(id_), self.carriers, settings)


async def _around(client: Client, ours: Sequence[Node]) -> _Around:
    ids = [id_of(node) for node in ours]
    sent, slips = await together([_joined(client, name, "id_order", ids) for name in ("order_carriers", "order_slip")])
    wanted = {row.text("id_carrier") for rows in sent.rows.values() for row in rows if row.text("tracking_number")}
    return _Around(client, sent, slips, await _shown(client, "carriers", wanted))
