"""Reading a BigCommerce store: products with their variants in one list, counts from the inventory of all locations,
and orders, whose lines, shipments and refunds are lists of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from crossdock.connectors.bigcommerce import mapper
from crossdock.connectors.bigcommerce.client import PAGE, Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Declined, Missing, NotAllowed, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import certain, odd, order_with, read_each, read_parts, readable, unreadable
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.base import chosen_locations
from crossdock.kit.shop.concurrency import each_patiently, together
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import Listed, Spot, Walked, entries, walk

# BigCommerce is of 2009: what is dated before is no date of a change.
BEGAN = datetime(2009, 1, 1, tzinfo=UTC)
# Products come with up to 600 variants each, so their pages are small.
PRODUCTS_PAGE = 50
WITH = "variants,images,custom_fields"


async def _changes(client: Client, path: str, spot: Spot, size: int, since: str, **query: str) -> Walked:
    """One page of what changed, oldest change first. There is no offset, only pages: a walk that goes on within one
    second reads two half pages. The filter includes its own second, which the walk does not want again.
    """

    async def page(spot: Spot, size: int) -> Listed:
        asked = dict(query)
        if spot.after:
            asked[since] = f"{spot.begins}+00:00"
        if not spot.offset:
            return await client.rows(path, {**asked, "limit": str(size), "page": "1"})
        half = size // 2
        first = spot.offset // half + 1
        one, two = [
            await client.rows(path, {**asked, "limit": str(half), "page": str(number)}) for number in (first, first + 1)
        ]
        return Listed([*one.items, *two.items], one.at, (*one.odd, *two.odd))

    return await walk(page, spot, size, lambda row: mapper.moment(row, "date_modified"), BEGAN)


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """What was deleted is not in the list: it is told by a webhook, and seen when looked at."""
    query = {"sort": "date_modified", "direction": "asc", "include": WITH}
    seen = await _changes(client, "v3/catalog/products", Spot.of(cursor), PRODUCTS_PAGE, "date_modified:min", **query)
    rows = entries(LookKind.PRODUCT, seen, number)
    there = await _inventory(client, [number(row) for row in readable(rows)])
    tried = read_each(LookKind.PRODUCT, rows, number, lambda row: _product(client, row, there))
    return Page(tuple(tried), str(seen.spot), seen.more)


async def _inventory(client: Client, products: Sequence[str]) -> dict[str, int]:
    """Of a page of products; what cannot be understood tells no count, and is read again with the counts."""
    if not products:
        return {}
    rows = await odd(client.every("v3/inventory/items", {"product_id:in": ",".join(products)}))
    if isinstance(rows, Strange):
        return {}
    places = chosen_locations(client.shop.settings)
    read = read_each(
        LookKind.COUNTS, rows, lambda row: "", lambda row: (_variant_id(row), mapper.count_of(row, places))
    )
    return dict(readable(read))


def _product(client: Client, node: Node, there: Mapping[str, int]) -> ShopProduct:
    settings = client.shop.settings
    return mapper.product_of(node, currency=settings["currency"], admin=settings.get("admin", ""), counts=there)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    if not is_number(product_id):
        return ProductGone(product_id)
    try:
        node = await client.one("GET", f"v3/catalog/products/{product_id}", query={"include": WITH})
    except Missing:
        return ProductGone(product_id)
    return _product(client, node, await _inventory(client, [product_id]))


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """Each number comes from the inventory; the catalogue says whether it is counted at all."""
    known = {ref.variant_id: ref.product_id for ref in variants if (ref.product_id + ref.variant_id).isdigit()}
    if not known:
        return ()
    about = {"id:in": ",".join(sorted(set(known.values()))), "limit": str(PAGE)}
    wanted = {"variant_id:in": ",".join(sorted(known)), "limit": "1000"}
    catalogue, items = await together(
        [
            client.rows("v3/catalog/products", {**about, "include_fields": "inventory_tracking,base_variant_id"}),
            client.rows("v3/inventory/items", wanted),
        ]
    )
    named_rows = entries(LookKind.COUNTS, catalogue, number)
    read = read_each(LookKind.COUNTS, named_rows, number, lambda node: (number(node), _tracked(node)))
    tracked = dict(readable(read))
    places = chosen_locations(client.shop.settings)

    def count(node: Node) -> list[Count]:
        variant = _variant_id(node)
        of = tracked.get(known.get(variant, ""))
        if of is None:
            return []
        return [Count(variant, mapper.count_of(node, places) if of == "counted" else None)]

    found = read_parts(LookKind.COUNTS, entries(LookKind.COUNTS, items, _variant_id), _variant_id, count)
    return (*found, *unreadable(read))


def _tracked(node: Node) -> str | None:
    """None: it cannot be said of one variant alone, so it is left out and its product read again."""
    if not mapper.counted(node):
        return None
    return "uncounted" if node.word("inventory_tracking") == "none" else "counted"


def _variant_id(node: Node) -> str:
    return node.child("identity").id("variant_id")


async def stock(client: Client, variants: Sequence[VariantRef]) -> dict[str, Count]:
    """By variant; what the store does not have is left out. Raises Outside when a row cannot be understood."""
    return {row.variant_id: row for row in certain(await counts(client, variants))}


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """Those of ours with their parts, each a few requests more; what did not come is asked for with the next page."""
    if not cursor:
        now = Spot.settled((await client.rows("v2/orders", {"limit": "1"})).at)
        return Page((), str(now), more=False)
    text, _, rest = cursor.partition(";")
    before = [id_ for id_ in rest.split(",") if id_.isdigit()]
    seen = await _changes(client, "v2/orders", Spot.of(text), PAGE, "min_date_modified", sort="date_modified:asc")
    tried = entries(LookKind.ORDER, seen, number)
    reads = {id_: partial(parts_of, client, id_) for id_ in before}
    reads |= {number(node): partial(_with_parts, client, node) for node in readable(tried)}
    found, waiting = await each_patiently(LookKind.ORDER, reads, refusals=(Missing, Declined))
    items = [*unreadable(tried), *read_each(LookKind.ORDER, found, lambda parts: parts.id_, partial(shown, client))]
    more = seen.more or (bool(waiting) and len(waiting) < len(before))
    return Page(tuple(items), f"{seen.spot};{','.join(waiting)}", more)


async def order(client: Client, shop_id: str) -> ShopOrder:
    return shown(client, await parts_of(client, shop_id))


@dataclass(frozen=True, slots=True)
class Parts:
    """An order with its lists. `node` is None when it is gone."""

    id_: str
    node: Node | None = None
    lines: tuple[Node, ...] = ()
    shipments: tuple[Node, ...] = ()
    refunds: tuple[Node, ...] = ()


async def parts_of(client: Client, shop_id: str) -> Parts:
    if not is_number(shop_id):
        return Parts(shop_id)
    try:
        return await _with_parts(client, await client.one("GET", f"v2/orders/{shop_id}"))
    except Missing:
        return Parts(shop_id)


async def _with_parts(client: Client, node: Node) -> Parts:
    """Of our own only. An order and its shipments are read one after the other, so a shipment that is undone in between
    leaves what looks like units that left without one: then the order is looked at once more.
    """
    if not mapper.reference_of(node):
        return Parts(number(node), node)
    parts = await _lists(client, node)
    if not mapper.marked_alone(node, parts.lines, parts.shipments):
        return parts
    again = await client.one("GET", f"v2/orders/{parts.id_}")
    return parts if again.raw("status_id") == node.raw("status_id") else await _lists(client, again)


async def _lists(client: Client, node: Node) -> Parts:
    """All of them, whatever the order says: `refunded_amount` is always 0 (vendor: order_Shared), and a deleted
    shipment leaves the status as it is.
    """
    id_ = number(node)
    lines, shipments, refunds = await together(
        [
            client.every(f"v2/orders/{id_}/products"),
            client.every(f"v2/orders/{id_}/shipments"),
            _refunds(client, id_),
        ]
    )
    return Parts(id_, node, tuple(lines), tuple(shipments), tuple(refunds))


async def _refunds(client: Client, id_: str) -> list[Node]:
    """That the right to see refunds is missing is said by the connection test, and stops nothing else."""
    try:
        return (await client.rows(f"v3/orders/{id_}/payment_actions/refunds", {})).items
    except NotAllowed:
        return []


def shown(client: Client, parts: Parts) -> ShopOrder:
    settings = client.shop.settings
    if parts.node is None:
        return gone(parts.id_, settings["currency"])
    with order_with(mapper.reference_of(parts.node)):
        return mapper.order_of(
            parts.node,
            parts.lines,
            parts.shipments,
            parts.refunds,
            admin=settings.get("admin", ""),
            takes=settings.get("takes", ""),
        )
