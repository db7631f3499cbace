"""Reading a shop: products with their children and counts, orders with their shipments and credit memos.

A child changes without its product, and a shipment or a number that is added without its order: both are asked for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from crossdock.connectors.adobe_commerce import mapper
from crossdock.connectors.adobe_commerce.client import PAGE, Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import odd, order_with, read_each, readable, unreadable
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.concurrency import together
from crossdock.kit.shop.joined import Joined, batched, beside, joined
from crossdock.kit.shop.mapping import NO_ORDER, or_gone
from crossdock.kit.shop.paging import Listed, Spot, Walked, by_numbers, entries, from_now, seconds, walk

# Magento 2 is of 2015, and its shops may come from Magento 1 of 2008.
BEGAN = datetime(2008, 1, 1, tzinfo=UTC)
FULL = "f;"
LINKS = "items[id,extension_attributes[configurable_product_links]],total_count"
order_id = partial(number, key="entity_id")


async def _changes(client: Client, path: str, spot: Spot, size: int = PAGE) -> Walked:
    """One page of what changed, oldest change first."""
    wanted = [("updated_at", "gteq", spot.begins.replace("T", " "))] if spot.after else []

    async def numbered(size: int, page: int) -> Listed:
        return await client.rows(path, wanted, sort="updated_at,entity_id", size=size, page=page)

    return await walk(partial(by_numbers, numbered), spot, size, mapper.moment, BEGAN)


# Products

Products = Page[ShopProduct | ProductGone | Unreadable]


async def products(client: Client, cursor: str) -> Products:
    """All of them first ("f;SPOT;BEGUN"), then what changed since that began. What was deleted is in no list, and is
    seen when looked at or counted.
    """
    full = not cursor or cursor.startswith(FULL)
    first, _, begun = cursor.removeprefix(FULL).partition(";")
    seen = await _changes(client, "products", Spot.of(first))
    rows = entries(LookKind.PRODUCT, seen, number)
    parts = {number(row) for row in readable(rows) if mapper.hidden(row)}
    whole = [row for row in readable(rows) if not mapper.hidden(row)]
    if parts and not full:
        there = {number(row) for row in whole}
        whole += await client.of("products", "entity_id", (await _above(client, parts)) - there)
    found = await _shown(client, whole)
    items = (*found, *(ProductGone(id_) for id_ in sorted(parts)), *unreadable(rows))
    if not full:
        return Page(items, str(seen.spot), seen.more)
    begun = begun or str(seen.settled)
    return Page(items, f"{FULL}{seen.spot};{begun}" if seen.more else str(Spot.of(begun)), seen.more)


async def _above(client: Client, parts: Iterable[str]) -> set[str]:
    """The configurable products that these are children of: nothing leads from a child to them."""
    wanted = set(parts)
    rows = await client.every("products", [("type_id", "eq", "configurable")], fields=LINKS)
    return {number(row) for row in rows if wanted & set(mapper.links(row))}


async def _shown(client: Client, nodes: Sequence[Node]) -> list[ShopProduct | Unreadable]:
    below = {number(node): mapper.links(node) if node.text("type_id") == "configurable" else [] for node in nodes}
    children = {link for links in below.values() for link in links}
    parts = await joined(partial(client.of, "products", "entity_id"), children, "id")
    stock = await _salable(client, {id_ for own, links in below.items() for id_ in links or [own]})
    known, counts = ({key: rows[0] for key, rows in each.rows.items()} for each in (parts, stock))

    def read(node: Node) -> ShopProduct:
        links = below[number(node)]
        parts.check(*links)
        stock.check(*(links or [number(node)]))
        return mapper.product_of(node, known, counts, client.shop.settings, client.shop.now())

    return read_each(LookKind.PRODUCT, nodes, number, read)


async def _salable(client: Client, products: Iterable[str]) -> Joined:
    """The total of this list is that of its page (ExportStockSalableQtyBySalesChannel), so it is asked for no more than
    fits one.
    """
    path = f"inventory/export-stock-salable-qty/website/{client.shop.settings['website']}"

    async def read(ids: list[str]) -> list[Node]:
        return (await client.rows(path, [("entity_id", "in", ",".join(ids))])).items

    return beside(*await together([joined(read, ids, "sku") for ids in batched(products, PAGE)]))


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    node = (await _goods(client, [product_id])).get(product_id)
    if node is None or mapper.hidden(node):
        return ProductGone(product_id)
    (shown,) = await _shown(client, [node])
    if isinstance(shown, Unreadable):
        raise Strange(shown.path or "product", "product that can be read", None)
    return shown


async def _goods(client: Client, ids: Iterable[str]) -> dict[str, Node]:
    wanted = set(filter(is_number, ids))
    return {id_: row for row in await client.of("products", "entity_id", wanted) if (id_ := row.text("id")) in wanted}


@dataclass(frozen=True, slots=True)
class Salable(Count):
    """With the SKU, by which a cart is filled."""

    sku: str = ""


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Salable | Unreadable]:
    known = await _goods(client, (ref.variant_id for ref in variants))
    stock = await _salable(client, known)

    def read(id_: str) -> Salable:
        stock.check(id_)
        sku = known[id_].word("sku")
        found = mapper.count_of(id_, next(iter(stock.of(sku)), None))
        return Salable(id_, found.count, backorders=found.backorders, sku=sku)

    return read_each(LookKind.COUNTS, list(known), str, read)


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    if not cursor:
        return from_now(await client.rows("orders", sort="entity_id DESC", size=1))
    spot = Spot.of(cursor)
    seen = await _changes(client, "orders", spot)
    rows = entries(LookKind.ORDER, seen, order_id)
    there = {order_id(row) for row in readable(rows)}
    rows += await client.of("orders", "entity_id", (await _sent(client, spot)) - there)
    shown = await _around(client, readable(rows))
    return Page(tuple(read_each(LookKind.ORDER, rows, order_id, shown)), str(seen.spot), seen.more)


async def _sent(client: Client, spot: Spot) -> set[str]:
    """Orders with a new shipment or number, out of the newest shipments: neither has to move a date of the order."""
    newest = await odd(client.rows("shipments", sort="entity_id DESC"))
    rows = [] if isinstance(newest, Strange) else newest.items
    dated = [(row.text("order_id"), each) for row in rows for each in (row, *row.rows("tracks"))]
    moments = [(id_, mapper.moment(each) or mapper.moment(each, "created_at")) for id_, each in dated]
    return {id_ for id_, at in moments if at is not None and seconds(at) >= spot.after and is_number(id_)}


async def order(client: Client, shop_id: str) -> ShopOrder:
    return await or_gone(read(client, shop_id), shop_id, client.shop.settings["currency"])


async def read(client: Client, shop_id: str) -> tuple[Node, ShopOrder]:
    """The order as it came, and as we say it. Raises Missing."""
    found = await client.of("orders", "entity_id", [shop_id]) if is_number(shop_id) else []
    node = next((row for row in found if row.text("entity_id") == shop_id), None)
    if node is None:
        raise Missing(NO_ORDER)
    return node, (await _around(client, [node]))(node)


async def _around(client: Client, nodes: Sequence[Node]) -> Callable[[Node], ShopOrder]:
    """Reads orders with what ours among them have besides."""
    ids = [order_id(node) for node in nodes if mapper.reference_of(node)]
    lists = [partial(client.of, name, "order_id") for name in ("shipments", "creditmemos")]
    shipments, memos = await together([joined(read, ids, "order_id") for read in lists])

    def shown(node: Node) -> ShopOrder:
        id_ = order_id(node)
        with order_with(mapper.reference_of(node)):
            return mapper.order_of(node, shipments.of(id_), memos.of(id_))

    return shown
