"""Reading a PrestaShop: products with their combinations, values and counts in four lists, orders with their rows in
one. Dates are the shop's own times, so the walk through changes is turned into them and back.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from crossdock.connectors.prestashop import mapper
from crossdock.connectors.prestashop.client import Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit import text
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import odd, order_with, read_each, read_parts, readable
from crossdock.kit.shop import clock
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.concurrency import together
from crossdock.kit.shop.joined import joined
from crossdock.kit.shop.mapping import NO_ORDER, or_gone
from crossdock.kit.shop.paging import Listed, Spot, Walked, entries, from_now, walk

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
            asked["filter[date_upd]"] = f"[{clock.since(spot.begins, zone)},{END}]"
        return await client.rows(resource, asked)

    return await walk(page, spot, size, lambda row: clock.moment(row, "date_upd", zone, spot.after), BEGAN)


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """What was deleted is not in the list: it is seen when looked at."""
    seen = await _changes(client, "products", Spot.of(cursor), PRODUCTS_PAGE, **PRICE, **_language(client))
    rows = entries(LookKind.PRODUCT, seen, number)
    read = await _reader(client, [number(row) for row in readable(rows)])
    return Page(tuple(read_each(LookKind.PRODUCT, rows, number, read)), str(seen.spot), seen.more)


def _language(client: Client) -> dict[str, str]:
    return {"language": client.shop.settings["id_lang"] or "1"}


async def _one(client: Client, resource: str, id_: str, **query: str) -> Node | None:
    rows = await client.of(resource, "id", [id_], **query) if is_number(id_) else []
    return next((row for row in rows if row.text("id") == id_), None)


async def _shown(client: Client, resource: str, ids: Iterable[str], **query: str) -> dict[str, Node]:
    """What is only shown, by its id: left out where it is odd."""
    rows = await odd(client.of(resource, "id", filter(is_number, ids), **query))
    return {} if isinstance(rows, Strange) else {row.text("id"): row for row in rows}


async def _reader(client: Client, products: Sequence[str]) -> Callable[[Node], ShopProduct]:
    """With what a page of products needs besides: combinations and counts by product, names of values."""
    parts = partial(client.of, "combinations", "id_product", sort="[id_ASC]", **PRICE)
    held_of = partial(client.of, "stock_availables", "id_product")
    combinations, stock = await together([joined(read, products, "id_product") for read in (parts, held_of)])
    chosen = [row.view("associations").rows("product_option_values") for row in combinations.each()]
    ids = {value.text("id") for values in chosen for value in values}
    named_values = await _shown(client, "product_option_values", ids, **_language(client))
    names = {id_: text.label(mapper.said(row, "name")) for id_, row in named_values.items()}

    def read(node: Node) -> ShopProduct:
        id_ = number(node)
        held = {mapper.variant_id(id_, row.text("id_product_attribute")): row for row in stock.of(id_)}
        rows = combinations.of(id_)
        return mapper.product_of(node, rows, held, names, client.shop)

    return read


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    node = await _one(client, "products", product_id, **PRICE, **_language(client))
    return ProductGone(product_id) if node is None else (await _reader(client, [product_id]))(node)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """All from one list. What a deleted product had in stock is deleted with it."""
    known = {ref.variant_id for ref in variants}
    wanted = filter(is_number, {variant.partition("-")[0] for variant in known})
    rows = Listed(await client.of("stock_availables", "id_product", wanted), client.shop.now())

    def counted(row: Node) -> list[Count]:
        variant = _variant(row)
        return [mapper.count_of(variant, row, client.shop.settings)] if variant in known else []

    return read_parts(LookKind.COUNTS, entries(LookKind.COUNTS, rows, _variant), _variant, counted)


def _variant(row: Node) -> str:
    return mapper.variant_id(number(row, "id_product"), row.text("id_product_attribute"))


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """A credit slip moves no date of its order (OrderSlip::create), so the newest slips name orders too."""
    if not cursor:
        return from_now(await client.rows("orders", {"limit": "1"}, display="[id]"))
    spot = Spot.of(cursor)
    seen = await _changes(client, "orders", spot, ORDERS_PAGE)
    rows = entries(LookKind.ORDER, seen, number)
    late, onward, more = await _refunded(client, spot, seen)
    there = {number(row) for row in readable(rows)}
    rows += (await _shown(client, "orders", late - there)).values()
    shown = await _around(client, readable(rows))
    return Page(tuple(read_each(LookKind.ORDER, rows, number, shown)), onward, more)


async def _refunded(client: Client, spot: Spot, seen: Walked) -> tuple[set[str], str, bool]:
    """Orders with a new slip, and where to go on: with each page of changed orders, and not beyond what was read of
    the slips. Where they could not be read, from the same spot, unless more orders wait behind it.
    """
    slips = await odd(_changes(client, "order_slip", Spot(spot.after), ORDERS_PAGE))
    if isinstance(slips, Strange):
        return set(), str(seen.spot if seen.more else spot), seen.more
    late = {row.text("id_order") for row in slips.rows}
    moved = slips.more and slips.spot.after > spot.after
    if moved and (not seen.more or slips.spot.after < seen.spot.after):
        return late, str(Spot(slips.spot.after)), True
    return late, str(seen.spot), seen.more


async def order(client: Client, shop_id: str) -> ShopOrder:
    return await or_gone(read(client, shop_id), shop_id, client.shop.settings["currency"])


async def read(client: Client, shop_id: str) -> tuple[Node, ShopOrder]:
    """The order as it is sent back, and as we say it. Raises Missing."""
    node = await _one(client, "orders", shop_id)
    if node is None:
        raise Missing(NO_ORDER)
    return node, (await _around(client, [node]))(node)


async def _around(client: Client, nodes: Sequence[Node]) -> Callable[[Node], ShopOrder]:
    """Reads orders with what ours among them have besides: parcels, slips, and the carriers by their id."""
    ids = [number(node) for node in nodes if mapper.reference_of(node)]
    lists = [partial(client.of, name, "id_order") for name in ("order_carriers", "order_slip")]
    sent, slips = await together([joined(read, ids, "id_order") for read in lists])
    wanted = {row.text("id_carrier") for row in sent.each() if row.text("tracking_number")}
    carriers = await _shown(client, "carriers", wanted)

    def shown(node: Node) -> ShopOrder:
        id_ = number(node)
        with order_with(mapper.reference_of(node)):
            return mapper.order_of(node, sent.of(id_), slips.of(id_), carriers, client.shop.settings)

    return shown
