"""Reading a site. Both catalogues and the orders are lists by the date of a change, oldest first. A page begins where
the last one's newest row was; only where one moment fills a page does the vendor's own cursor go on.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crossdock.connectors.wix import goods, mapper
from crossdock.connectors.wix.client import BIG_PAGE, PAGE, Asked, Client, by_cursor, by_offset, known_guid
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Declined, NoAnswer, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import await_each, odd, order_with, read_each, read_parts, readable
from crossdock.kit.shop.addresses import is_plain, plain
from crossdock.kit.shop.answers import found
from crossdock.kit.shop.concurrency import each_patiently, together
from crossdock.kit.shop.joined import grouped
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import Listed, Paged, by_moments, entries, settled_at

# An order's fulfilments and its payments.
Parts = tuple[Node | None, Node | None]
NONE: Parts = (None, None)
ORDERS, PARCELS, PAYMENTS = "ecom/v1/orders", "ecom/v1/fulfillments", "ecom/v1/payments"
# What is left out of a product unless it is asked for (types, RequestedFields).
FIELDS = ("PLAIN_DESCRIPTION", "MEDIA_ITEMS_INFO", "VARIANT_OPTION_CHOICE_NAMES")
# Wix is of 2006: what is dated before is no date of a change.
BEGAN = datetime(2006, 1, 1, tzinfo=UTC)


async def _changes(client: Client, ask: Callable[[str], Asked], cursor: str) -> tuple[Paged, str, bool]:
    """One page of what changed since, with where to go on and whether at once."""
    return await by_moments(
        lambda after, onward: client.page(ask(after), onward), cursor, goods.changed, BEGAN, client.shop.now()
    )


order_id = partial(plain, fits=known_guid)


# Products


def products_asked(client: Client, after: str = "", **alone: Any) -> Asked:
    """Hidden products are there in V3; V1 has to be asked, and says nothing of what it leaves out otherwise."""
    changed = "updatedDate" if client.newer else "lastUpdated"
    wanted: dict[str, Any] = alone or ({changed: {"$gte": after}} if after else {})
    if client.newer:
        fields = {"fields": [*FIELDS[:2]]}
        return Asked("stores/v3/products/query", "products", by_cursor(wanted, changed), beside=fields)
    with_all = {"includeVariants": True, "includeHiddenProducts": True}
    return Asked("stores-reader/v1/products/query", "products", by_offset(wanted, changed), beside=with_all)


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """What was deleted is not in the list: it is seen when looked at."""
    page, onward, more = await _changes(client, partial(products_asked, client), cursor)
    rows = entries(LookKind.PRODUCT, page.rows, plain)
    return Page(tuple(await _shown(client, rows)), onward, more)


async def _shown(client: Client, rows: Sequence[Node | Unreadable]) -> list[ShopProduct | ProductGone | Unreadable]:
    """With the stock and, in V3, the variants of the page. What the two lists do not agree on is asked for one by one,
    as the list of variants "operates on an eventually consistent model" (read-only-variants-v3).
    """
    ids = [plain(row) for row in readable(rows)]
    if not ids:
        return [row for row in rows if isinstance(row, Unreadable)]
    asked = [stock_asked(client, ids), *([variants_asked(ids)] if client.newer else [])]
    # A list beside the products that is odd as a whole has nothing.
    beside = await together([odd(client.every(each)) for each in asked])
    stock, *listed = [Listed([], BEGAN) if isinstance(each, Strange) else each for each in beside]
    counts = _counted(stock)
    items = grouped(stock.items, lambda row: row.text("productId"))
    variants = grouped(listed[0].items if listed else [], lambda row: row.view("productData").text("productId"))
    alone: list[str] = []

    def shown(row: Node) -> ShopProduct | ProductGone | None:
        id_, known = plain(row), variants[plain(row)]
        if not client.newer:
            return goods.product_of(row, goods.variants_v1(row), counts, client.shop)
        wanted = row.view("variantSummary").raw("variantCount")
        if not known and wanted == 1 and len({item.text("variantId") for item in items[id_]}) == 1:
            return goods.product_of(row, [goods.only_variant(row, items[id_][0])], counts, client.shop)
        if not known or (isinstance(wanted, int) and len(known) != wanted):
            alone.append(id_)
            return None
        return goods.product_of(row, known, counts, client.shop)

    tried = read_each(LookKind.PRODUCT, rows, plain, shown)
    reads = {id_: partial(product, client, id_) for id_ in alone}
    single, waiting = await each_patiently(LookKind.PRODUCT, reads, refusals=(Declined,))
    if waiting:
        raise NoAnswer("Your site did not answer for some of its products; they are read again.")
    return [*(each for each in tried if each is not None), *single]


def variants_asked(ids: Sequence[str]) -> Asked:
    """Of V3, whose products come without them."""
    body = by_cursor({"productData.productId": {"$in": list(ids)}}, limit=BIG_PAGE)
    return Asked("stores/v3/products/query-variants", "variants", body)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    """Of V1 by the list, since its answer to one alone has no variants (types, Product.variants)."""
    one = _one_v3 if client.newer else _one_v1
    if not is_plain(product_id) or (node := await one(client, product_id)) is None:
        return ProductGone(product_id)
    counts = _counted(await client.every(stock_asked(client, [product_id])))
    variants = node.child("variantsInfo").list("variants") if client.newer else goods.variants_v1(node)
    return goods.product_of(node, variants, counts, client.shop)


async def _one_v3(client: Client, product_id: str) -> Node | None:
    asked = "&".join(f"fields={name}" for name in FIELDS)
    return await found(client.one("GET", f"stores/v3/products/{product_id}?{asked}", "product"))


async def _one_v1(client: Client, product_id: str) -> Node | None:
    rows = (await client.page(products_asked(client, id=product_id))).rows
    if rows.odd:
        raise Strange("products[0]", "object", rows.odd[0])
    return next((row for row in rows.items if row.text("id") == product_id), None)


# Stock


def stock_asked(client: Client, products: Sequence[str], variants: Sequence[str] = ()) -> Asked:
    """Of V3 at the default location alone: "inventory automatically deducts from the default location"
    (stores-locations-v3). Of V1, which has one row for each product, `$hasSome` "is the same as IN" (filter-and-sort).
    """
    if not client.newer:
        body = by_offset({"productId": {"$hasSome": list(products)}})
        return Asked("stores-reader/v2/inventoryItems/query", "inventoryItems", body)
    home = client.shop.settings.get("home", "")
    wanted = {"variantId": {"$in": list(variants)}} if variants else {"productId": {"$in": list(products)}}
    body = by_cursor(wanted | ({"locationId": home} if home else {}), limit=BIG_PAGE)
    return Asked("stores/v3/inventory-items/query", "inventoryItems", body)


def _counted(rows: Listed) -> dict[str, Count]:
    """A row that cannot be understood tells no count, and is read again with the counts."""
    read = read_parts(LookKind.COUNTS, rows.items, lambda row: "", goods.counts_of)
    return {count.variant_id: count for count in readable(read)}


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    pairs = {ref.variant_id: goods.parted(ref.variant_id) for ref in variants}
    known = {id_: pair for id_, pair in pairs.items() if all(map(is_plain, pair))}
    if not known:
        return ()
    products, each = (list(dict.fromkeys(names)) for names in zip(*known.values(), strict=True))
    page = await client.every(stock_asked(client, products, each))

    def first(node: Node) -> str:
        return goods.joined(node.id("productId"), node.id("variantId")) if client.newer else node.id("productId")

    def read(node: Node) -> list[Count]:
        return [count for count in goods.counts_of(node) if count.variant_id in known]

    return read_parts(LookKind.COUNTS, entries(LookKind.COUNTS, page, first), first, read)


# Orders


def orders_asked(wanted: Mapping[str, Any], sort: str = "", limit: int = PAGE) -> Asked:
    return Asked(f"{ORDERS}/search", "orders", by_cursor(wanted, sort, limit=limit), wrap="search")


def _orders_since(after: str) -> Asked:
    return orders_asked({"updatedDate": {"$gte": after}} if after else {}, "updatedDate")


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    if not cursor:
        now = (await client.page(orders_asked({}, limit=1))).rows.at
        return Page((), settled_at(now), more=False)
    page, onward, more = await _changes(client, _orders_since, cursor)
    rows = entries(LookKind.ORDER, page.rows, order_id)
    ours = [order_id(row) for row in readable(rows) if mapper.reference_of(row)]
    # An answer that is odd as a whole has nothing, and each order is asked for by itself.
    listed = await odd(_listed_parts(client, ours)) if len(ours) > 1 else {}
    parts = {} if isinstance(listed, Strange) else listed
    read = await await_each(LookKind.ORDER, rows, order_id, lambda row: shown(client, row, parts.get(order_id(row))))
    return Page(tuple(read), onward, more)


async def order(client: Client, shop_id: str) -> ShopOrder:
    node = await whole(client, shop_id)
    return gone(shop_id, client.shop.settings["currency"]) if node is None else await shown(client, node)


async def whole(client: Client, shop_id: str) -> Node | None:
    """None when the site has no such order."""
    return await found(client.one("GET", f"{ORDERS}/{shop_id}", "order")) if known_guid(shop_id) else None


async def shown(client: Client, node: Node, parts: Parts | None = None) -> ShopOrder:
    """Ours with its fulfilments and payments: as they were listed with others', unless that was less than the order
    says. Raises Strange where they cannot be understood.
    """
    with order_with(reference := mapper.reference_of(node)):
        if reference and (parts is None or mapper.says_more(node, *parts)):
            parts = await _own_parts(client, order_id(node))
        return mapper.order_of(node, *(parts or NONE), admin=client.shop.address)


async def _listed_parts(client: Client, ids: Sequence[str]) -> dict[str, Parts]:
    """With two calls for all of them. Raises Strange when anything in it is of no order that was asked for."""
    found = []
    for path, name in ((PARCELS, "ordersWithFulfillments"), (PAYMENTS, "orderTransactions")):
        answer = await client.one("POST", f"{path}/list-by-ids", json={"orderIds": list(ids)})
        rows = {row.id("orderId"): row for row in answer.list(name)}
        if strange := rows.keys() - set(ids):
            raise Strange(f"{name}.orderId", "order that was asked for", min(strange))
        found.append(rows)
    parcels, payments = found
    return {id_: (parcels.get(id_), payments.get(id_)) for id_ in ids}


async def _own_parts(client: Client, id_: str) -> Parts:
    parcels = await client.one("GET", f"{PARCELS}/orders/{id_}", "orderWithFulfillments")
    return parcels, await client.one("GET", f"{PAYMENTS}/orders/{id_}", "orderTransactions")
