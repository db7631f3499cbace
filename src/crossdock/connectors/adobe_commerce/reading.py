"""Reading a shop: products with their children and counts, orders with their shipments and credit memos.

A child changes without its product, and a shipment or a number that is added without its order: both are asked for.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crossdock.connectors.adobe_commerce import mapper
from crossdock.connectors.adobe_commerce.client import PAGE, Client, Filter
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import NotJson, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import named, order_with, read_each, readable, unreadable
from crossdock.kit.shop.concurrency import together
from crossdock.kit.shop.paging import SECOND, Listed, Spot, Walked, walk

# Magento 2 is of 2015, and its shops may come from Magento 1 of 2008.
BEGAN = datetime(2008, 1, 1, tzinfo=UTC)
FULL = "f;"
LINKS = "items[id,extension_attributes[configurable_product_links]],total_count"


async def _changes(client: Client, path: str, spot: Spot, size: int = PAGE, *filters: Filter) -> Walked:
    """One page of what changed, oldest change first."""

    async def page(spot: Spot, size: int) -> Listed:
        wanted = list(filters)
        if spot.after:
            after = datetime.fromisoformat(spot.after) + SECOND
            wanted.append(("updated_at", "gteq", after.strftime("%Y-%m-%d %H:%M:%S")))
        sort, half = "updated_at,entity_id", max(1, size // 2)
        if spot.offset % size == 0:
            return (await client.rows(path, wanted, sort=sort, size=size, page=spot.offset // size + 1))[0]
        # There are whole pages alone, so one that begins in the middle is two.
        numbers = (spot.offset // half + 1, spot.offset // half + 2)
        both = [(await client.rows(path, wanted, sort=sort, size=half, page=n))[0] for n in numbers]
        return Listed([row for one in both for row in one.items], both[0].at, (*both[0].odd, *both[1].odd))

    return await walk(page, spot, size, mapper.moment, BEGAN)


def _spot(cursor: str) -> Spot:
    spot = Spot.of(cursor)
    try:
        datetime.fromisoformat(spot.after or "2008-01-01")
    except ValueError:
        return Spot()
    return spot


def product_id(node: Node) -> str:
    return mapper.number(node, "id")


def order_id(node: Node) -> str:
    return mapper.number(node, "entity_id")


# Products

Products = Page[ShopProduct | ProductGone | Unreadable]


async def products(client: Client, cursor: str) -> Products:
    """All of them first ("f;SPOT;BEGUN"), then what changed since that began. What was deleted is in no list, and is
    seen when looked at or counted.
    """
    full = not cursor or cursor.startswith(FULL)
    first, _, begun = cursor.removeprefix(FULL).partition(";")
    seen = await _changes(client, "products", _spot(first))
    rows: list[Node | Unreadable] = [
        *read_each(LookKind.PRODUCT, seen.rows, lambda node: "", lambda node: (product_id(node), node)[1]),
        *(named(LookKind.PRODUCT, each, product_id) for each in seen.odd),
    ]
    parts = {product_id(row) for row in readable(rows) if mapper.hidden(row)}
    whole = [row for row in readable(rows) if not mapper.hidden(row)]
    if parts and not full:
        there = {product_id(row) for row in whole}
        whole += await client.of("products", "entity_id", (await _above(client, parts)) - there)
    found = await _shown(client, whole)
    items = (*found, *(ProductGone(id_) for id_ in sorted(parts)), *unreadable(rows))
    if not full:
        return Page(items, str(seen.spot), seen.more)
    begun = begun or str(seen.settled)
    return Page(items, f"{FULL}{seen.spot};{begun}" if seen.more else str(_spot(begun)), seen.more)


async def _above(client: Client, parts: Iterable[str]) -> set[str]:
    """The configurable products that these are children of: nothing leads from a child to them."""
    wanted, found, page, total = set(parts), set[str](), 1, 1
    while (page - 1) * PAGE < total:
        some: list[Filter] = [("type_id", "eq", "configurable")]
        rows, total = await client.rows("products", some, sort="entity_id", page=page, fields=LINKS)
        found |= {product_id(row) for row in rows.items if wanted & set(mapper.links(row))}
        page += 1
    return found


@dataclass(frozen=True, slots=True)
class _Joined:
    """Rows of a list beside another, and why it could not be read for some of the ids that were asked for."""

    rows: list[Node] = field(default_factory=list)
    odd: dict[str, Strange] = field(default_factory=dict)

    def check(self, ids: Iterable[str]) -> None:
        """Raises Strange."""
        for id_ in ids:
            if id_ in self.odd:
                raise self.odd[id_]


async def _joined(read: Callable[[list[str]], Awaitable[list[Node]]], ids: Iterable[str]) -> _Joined:
    """For all at once; where that answer is no list, for each alone."""
    wanted = list(ids)
    try:
        return _Joined(await read(wanted) if wanted else [])
    except NotJson:
        raise
    except Strange as error:
        if len(wanted) == 1:
            return _Joined(odd={wanted[0]: error})
    each = [await _joined(read, [id_]) for id_ in wanted]
    odd = {id_: why for one in each for id_, why in one.odd.items()}
    return _Joined([row for one in each for row in one.rows], odd)


async def _shown(client: Client, nodes: Sequence[Node]) -> list[ShopProduct | Unreadable]:
    def below(node: Node) -> list[str]:
        return mapper.links(node) if node.text("type_id") == "configurable" else []

    def sold(node: Node) -> list[str]:
        return below(node) or [product_id(node)]

    async def children(ids: list[str]) -> list[Node]:
        return await client.of("products", "entity_id", ids)

    parts = await _joined(children, sorted({link for node in nodes for link in below(node)}))
    stock = await _salable(client, sorted({id_ for node in nodes for id_ in sold(node)}))
    known, counts = {row.text("id"): row for row in parts.rows}, {row.text("sku"): row for row in stock.rows}
    shop = client.shop

    def read(node: Node) -> ShopProduct:
        parts.check(below(node))
        stock.check(sold(node))
        return mapper.product_of(node, known, counts, shop.settings, shop.now())

    return read_each(LookKind.PRODUCT, nodes, product_id, read)


async def _salable(client: Client, products: Sequence[str]) -> _Joined:
    """The total of this list is that of its page (ExportStockSalableQtyBySalesChannel), so it is asked for no more than
    fits one.
    """
    path = f"inventory/export-stock-salable-qty/website/{client.shop.settings['website']}"

    async def read(ids: list[str]) -> list[Node]:
        return (await client.rows(path, [("entity_id", "in", ",".join(ids))]))[0].items

    some = [products[first : first + PAGE] for first in range(0, len(products), PAGE)]
    pages = await together([_joined(read, ids) for ids in some])
    return _Joined([row for one in pages for row in one.rows], {id_: e for one in pages for id_, e in one.odd.items()})


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    found = await goods(client, [product_id])
    node = found.get(product_id)
    if node is None or mapper.hidden(node):
        return ProductGone(product_id)
    (shown,) = await _shown(client, [node])
    if isinstance(shown, Unreadable):
        raise Strange(shown.path or "product", "product that can be read", None)
    return shown


async def goods(client: Client, ids: Iterable[str]) -> dict[str, Node]:
    wanted = {id_ for id_ in ids if id_.isascii() and id_.isdigit() and len(id_) < 19}
    rows = await client.of("products", "entity_id", wanted)
    return {id_: row for row in rows if (id_ := row.text("id")) in wanted}


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    known = await goods(client, (ref.variant_id for ref in variants))
    stock = await _salable(client, list(known))
    rows = {row.text("sku"): row for row in stock.rows}

    def read(id_: str) -> Count:
        stock.check([id_])
        return mapper.count_of(id_, rows.get(known[id_].word("sku")))

    return read_each(LookKind.COUNTS, list(known), str, read)


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    if not cursor:
        newest, _ = await client.rows("orders", sort="entity_id DESC", size=1)
        return Page((), str(Spot.settled(newest.at)), more=False)
    spot = _spot(cursor)
    seen = await _changes(client, "orders", spot)
    rows: list[Node | Unreadable] = [
        *read_each(LookKind.ORDER, seen.rows, lambda node: "", lambda node: (order_id(node), node)[1]),
        *(named(LookKind.ORDER, each, order_id) for each in seen.odd),
    ]
    there = {order_id(row) for row in readable(rows)}
    rows += await client.of("orders", "entity_id", (await _sent(client, spot)) - there)
    parts = await _around(client, [row for row in readable(rows) if mapper.reference_of(row)])
    return Page(tuple(read_each(LookKind.ORDER, rows, order_id, parts.order)), str(seen.spot), seen.more)


async def _sent(client: Client, spot: Spot) -> set[str]:
    """Orders with a new shipment or number, out of the newest shipments: neither has to move a date of the order."""
    try:
        newest, _ = await client.rows("shipments", sort="entity_id DESC")
    except NotJson:
        raise
    except Strange:
        return set()
    found = set[str]()
    for row in newest.items:
        for dated in (row, *row.rows("tracks")):
            at = mapper.moment(dated) or mapper.moment(dated, "created_at")
            id_ = row.text("order_id")
            if at is not None and at.strftime("%Y-%m-%dT%H:%M:%S") >= spot.after and id_.isascii() and id_.isdigit():
                found.add(id_)
    return found


async def order(client: Client, shop_id: str) -> ShopOrder:
    return (await read(client, shop_id))[1]


async def read(client: Client, shop_id: str) -> tuple[Node | None, ShopOrder]:
    """The order as it came, and as we say it."""
    fits = shop_id.isascii() and shop_id.isdigit() and len(shop_id) < 19
    found = await client.of("orders", "entity_id", [shop_id]) if fits else []
    node = next((row for row in found if row.text("entity_id") == shop_id), None)
    if node is None:
        return None, mapper.gone(shop_id, client.shop.settings)
    return node, (await _around(client, [node] if mapper.reference_of(node) else [])).order(node)


@dataclass(frozen=True, slots=True)
class _Around:
    """What our orders of a page have besides."""

    shipments: _Joined
    memos: _Joined

    def order(self, node: Node) -> ShopOrder:
        id_ = order_id(node)
        with order_with(mapper.reference_of(node)):
            self.shipments.check([id_])
            self.memos.check([id_])
            here = [[row for row in one.rows if row.text("order_id") == id_] for one in (self.shipments, self.memos)]
            return mapper.order_of(node, *here)


async def _around(client: Client, ours: Sequence[Node]) -> _Around:
    ids = [order_id(node) for node in ours]

    async def shipments(some: list[str]) -> list[Node]:
        return await client.of("shipments", "order_id", some)

    async def memos(some: list[str]) -> list[Node]:
        return await client.of("creditmemos", "order_id", some)

    return _Around(*await together([_joined(shipments, ids), _joined(memos, ids)]))
