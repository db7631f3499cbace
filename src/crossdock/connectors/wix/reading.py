"""Reading a site. Both catalogues and the orders are lists by the date of a change, oldest first. A page begins where
the last one's newest row was; only where one moment fills a page does the vendor's own cursor go on.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crossdock.connectors.wix import goods, mapper
from crossdock.connectors.wix.client import BIG_PAGE, PAGE, Client, Paged, by_cursor, by_offset, known_guid, known_id
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Declined, Missing, NoAnswer, NotJson, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import named, order_with, read_each, readable
from crossdock.kit.shop.concurrency import each_patiently, together
from crossdock.kit.shop.paging import SETTLED, Listed, usable

Call = Awaitable[object]
Asked = tuple[str, str, dict[str, Any]]
# An order's fulfilments and its payments.
Parts = tuple[Node | None, Node | None]
ORDERS, PARCELS, PAYMENTS = "ecom/v1/orders", "ecom/v1/fulfillments", "ecom/v1/payments"
# What is left out of a product unless it is asked for (types, RequestedFields).
FIELDS = ("PLAIN_DESCRIPTION", "MEDIA_ITEMS_INFO", "VARIANT_OPTION_CHOICE_NAMES")
# Wix is of 2006: what is dated before is no date of a change.
BEGAN = datetime(2006, 1, 1, tzinfo=UTC)


async def _changes(client: Client, ask: Callable[[Client, str, str], Asked], cursor: str) -> tuple[Paged, str, bool]:
    """One page of what changed at or after `after`, with where to go on and whether at once. Our cursor is
    `after|onward`.
    """
    after, _, onward = cursor.partition("|")
    if not _is_date(after):
        after = onward = ""
    try:
        page = await client.page(*ask(client, after, onward))
    except Declined:
        if not onward:
            raise
        # The vendor's cursor is no longer taken: the moment is read again from its beginning.
        return Paged(Listed([], client.shop.now()), ""), f"{after}|", False
    if not page.onward or page.onward == onward:
        return page, f"{mapper.instant(page.rows.at - SETTLED)}|", False
    dates = [usable(goods.changed(row), BEGAN, page.rows.at) for row in page.rows.items]
    newest = mapper.instant(min(max((date for date in dates if date), default=BEGAN), page.rows.at))
    return page, f"{newest}|" if newest > after else f"{after}|{page.onward}", True


def _is_date(said: str) -> bool:
    try:
        return mapper.instant(datetime.fromisoformat(said)) == said
    except ValueError:
        return False


def _rows(kind: LookKind, page: Listed, id_of: Callable[[Node], str]) -> list[Node | Unreadable]:
    """The entries of a page; what is no object, or has no id, stands by itself."""
    tried = read_each(kind, page.items, lambda node: "", lambda node: (id_of(node), node)[1])
    return [*tried, *(named(kind, each, id_of) for each in page.odd)]


def id_of(node: Node) -> str:
    """Part of the addresses that are asked next."""
    id_ = node.id("id")
    if not known_id(id_):
        raise Strange(f"{node.path}.id", "id", id_)
    return id_


def order_id(node: Node) -> str:
    id_ = node.id("id")
    if not known_guid(id_):
        raise Strange(f"{node.path}.id", "id", id_)
    return id_


# Products


def products_asked(client: Client, after: str, onward: str) -> Asked:
    """Hidden products are there in V3; V1 has to be asked, and says nothing of what it leaves out otherwise."""
    if client.newer:
        wanted = {"updatedDate": {"$gte": after}} if after else {}
        body = by_cursor("query", wanted, "updatedDate", onward=onward)
        return "stores/v3/products/query", "products", body | {"fields": [*FIELDS[:2]]}
    wanted = {"lastUpdated": {"$gte": after}} if after else {}
    body = by_offset(wanted, "lastUpdated", onward=onward if onward.isdigit() else "")
    return (
        "stores-reader/v1/products/query",
        "products",
        body | {"includeVariants": True, "includeHiddenProducts": True},
    )


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """What was deleted is not in the list: it is seen when looked at."""
    page, onward, more = await _changes(client, products_asked, cursor)
    rows = _rows(LookKind.PRODUCT, page.rows, id_of)
    return Page(tuple(await _shown(client, rows)), onward, more)


async def _shown(client: Client, rows: Sequence[Node | Unreadable]) -> list[ShopProduct | ProductGone | Unreadable]:
    """With the stock and, in V3, the variants of the page. What the two lists do not agree on is asked for one by one,
    as the list of variants "operates on an eventually consistent model" (read-only-variants-v3).
    """
    ids = [id_of(row) for row in readable(rows)]
    if not ids:
        return [row for row in rows if isinstance(row, Unreadable)]
    stock, listed = await together([_beside(_stock_rows(client, ids)), _beside(_variant_rows(client, ids))])
    counts = _counted(client, stock)
    variants, items = _grouped(listed.items, _of_variant), _grouped(stock.items, _of_item)
    alone: list[str] = []

    def shown(row: Node) -> ShopProduct | ProductGone | None:
        id_, known = id_of(row), variants[id_of(row)]
        if not client.newer:
            return _product(client, row, goods.variants_v1(row), counts)
        wanted = row.view("variantSummary").raw("variantCount")
        if not known and wanted == 1 and len({item.text("variantId") for item in items[id_]}) == 1:
            return _product(client, row, [goods.only_variant(row, items[id_][0])], counts)
        if not known or (isinstance(wanted, int) and len(known) != wanted):
            alone.append(id_)
            return None
        return _product(client, row, known, counts)

    tried = read_each(LookKind.PRODUCT, rows, id_of, shown)
    reads = {id_: partial(product, client, id_) for id_ in alone}
    single, waiting = await each_patiently(LookKind.PRODUCT, reads, refusals=(Declined,))
    if waiting:
        raise NoAnswer("Your site did not answer for some of its products; they are read again.")
    return [*(each for each in tried if each is not None), *single]


async def _beside(call: Awaitable[Listed]) -> Listed:
    """A list beside the products: where it is odd as a whole, it has nothing."""
    try:
        return await call
    except NotJson:
        raise
    except Strange:
        return Listed([], BEGAN)


def _product(
    client: Client, node: Node, variants: Sequence[Node], counts: Mapping[str, Count]
) -> ShopProduct | ProductGone:
    shop = client.shop
    return goods.product_of(node, variants, counts, currency=shop.settings["currency"], admin=shop.address)


def _grouped(rows: Sequence[Node], of: Callable[[Node], str]) -> "defaultdict[str, list[Node]]":
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for row in rows:
        found[of(row)].append(row)
    return found


def _of_variant(row: Node) -> str:
    return row.view("productData").text("productId")


def _of_item(row: Node) -> str:
    return row.text("productId")


async def _variant_rows(client: Client, ids: Sequence[str]) -> Listed:
    if not client.newer:
        return Listed([], client.shop.now())
    body = by_cursor("query", {"productData.productId": {"$in": list(ids)}}, limit=BIG_PAGE)
    return await client.every("stores/v3/products/query-variants", "variants", body)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    """Of V1 by the list, since its answer to one alone has no variants (types, Product.variants)."""
    if not known_id(product_id):
        return ProductGone(product_id)
    node = await (_one_v3 if client.newer else _one_v1)(client, product_id)
    if node is None:
        return ProductGone(product_id)
    counts = _counted(client, await _stock_rows(client, [product_id]))
    variants = node.child("variantsInfo").list("variants") if client.newer else goods.variants_v1(node)
    return _product(client, node, variants, counts)


async def _one_v3(client: Client, product_id: str) -> Node | None:
    asked = "&".join(f"fields={name}" for name in FIELDS)
    try:
        return await client.one("GET", f"stores/v3/products/{product_id}?{asked}", "product")
    except Missing:
        return None


async def _one_v1(client: Client, product_id: str) -> Node | None:
    path, name, body = products_asked(client, "", "")
    page = await client.page(path, name, body | by_offset({"id": product_id}))
    if page.rows.odd:
        raise Strange(f"{name}[0]", "object", page.rows.odd[0])
    return next((row for row in page.rows.items if row.text("id") == product_id), None)


# Stock


def stock_asked(client: Client, products: Sequence[str], variants: Sequence[str] = ()) -> Asked:
    """Of V3 at the default location alone: "inventory automatically deducts from the default location"
    (stores-locations-v3). Of V1, which has one row for each product, `$hasSome` "is the same as IN" (filter-and-sort).
    """
    if not client.newer:
        body = by_offset({"productId": {"$hasSome": list(products)}})
        return "stores-reader/v2/inventoryItems/query", "inventoryItems", body
    home = client.shop.settings.get("home", "")
    wanted = {"variantId": {"$in": list(variants)}} if variants else {"productId": {"$in": list(products)}}
    body = by_cursor("query", wanted | ({"locationId": home} if home else {}), limit=BIG_PAGE)
    return "stores/v3/inventory-items/query", "inventoryItems", body


async def _stock_rows(client: Client, products: Sequence[str], variants: Sequence[str] = ()) -> Listed:
    return await client.every(*stock_asked(client, products, variants))


def counts_of(client: Client) -> Callable[[Node], list[Count]]:
    return goods.counts_v3 if client.newer else goods.counts_v1


def _counted(client: Client, rows: Listed) -> dict[str, Count]:
    """A row that cannot be understood tells no count, and is read again with the counts."""
    read = read_each(LookKind.COUNTS, rows.items, lambda row: "", counts_of(client))
    return {count.variant_id: count for counts in readable(read) for count in counts}


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    pairs = {ref.variant_id: goods.parted(ref.variant_id) for ref in variants}
    known = {id_: pair for id_, pair in pairs.items() if all(map(known_id, pair))}
    if not known:
        return ()
    products, each = (list(dict.fromkeys(names)) for names in zip(*known.values(), strict=True))
    rows = await _stock_rows(client, products, each)

    def first(node: Node) -> str:
        return goods.joined(node.id("productId"), node.id("variantId")) if client.newer else node.id("productId")

    found: list[Count | Unreadable] = []
    for row in read_each(LookKind.COUNTS, _rows(LookKind.COUNTS, rows, first), first, counts_of(client)):
        found += [row] if isinstance(row, Unreadable) else [count for count in row if count.variant_id in known]
    return found


async def stock(client: Client, variants: Sequence[VariantRef]) -> dict[str, Count]:
    """By variant; what the site does not have is left out. Raises Outside when a row cannot be understood."""
    read = await counts(client, variants)
    for row in read:
        if isinstance(row, Unreadable):
            raise NoAnswer(row.cause)
    return {row.variant_id: row for row in readable(read)}


# Orders


def orders_asked(client: Client, after: str, onward: str) -> Asked:
    wanted = {"updatedDate": {"$gte": after}} if after else {}
    return f"{ORDERS}/search", "orders", by_cursor("search", wanted, "updatedDate", onward=onward)


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    if not cursor:
        now = (await client.page(f"{ORDERS}/search", "orders", by_cursor("search", {}, limit=1))).rows.at
        return Page((), f"{mapper.instant(now - SETTLED)}|", more=False)
    page, onward, more = await _changes(client, orders_asked, cursor)
    rows = _rows(LookKind.ORDER, page.rows, order_id)
    read = await _with_parts(client, [row for row in readable(rows) if mapper.reference_of(row)])
    return Page(tuple(read_each(LookKind.ORDER, rows, order_id, read)), onward, more)


async def order(client: Client, shop_id: str) -> ShopOrder:
    """Raises Strange where it, or one of its lists, cannot be understood."""
    node = await whole(client, shop_id)
    return mapper.gone(shop_id, client.shop.settings["currency"]) if node is None else await shown(client, node)


async def whole(client: Client, shop_id: str) -> Node | None:
    """None when the site has no such order."""
    if not known_guid(shop_id):
        return None
    try:
        return await client.one("GET", f"{ORDERS}/{shop_id}", "order")
    except Missing:
        return None


async def shown(client: Client, node: Node) -> ShopOrder:
    return (await _with_parts(client, [node] if mapper.reference_of(node) else []))(node)


async def _with_parts(client: Client, ours: Sequence[Node]) -> Callable[[Node], ShopOrder]:
    """How to read an order of the page: the fulfilments and the refunds of all that are ours come with two calls. An
    order is asked for by itself where one of the two answers is odd, or has less than the order says.
    """
    by_id = {order_id(node): node for node in ours}
    parts, odd = dict[str, Parts](), dict[str, Strange]()
    if len(by_id) > 1:
        try:
            parts = await _parts(client, list(by_id))
        except NotJson:
            raise
        except Strange:
            parts = {}
    for id_, node in by_id.items():
        if id_ in parts and not mapper.says_more(node, *parts[id_]):
            continue
        try:
            parts[id_] = await _own_parts(client, id_)
        except NotJson:
            raise
        except Strange as error:
            odd[id_] = error

    def read(node: Node) -> ShopOrder:
        with order_with(mapper.reference_of(node)):
            if error := odd.get(order_id(node)):
                raise error
            parcels, payments = parts.get(order_id(node), (None, None))
            return mapper.order_of(node, parcels, payments, admin=client.shop.address)

    return read


async def _parts(client: Client, ids: Sequence[str]) -> dict[str, Parts]:
    """Raises Strange when anything in it is of no order that was asked for."""
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


async def with_reference(client: Client, reference: str) -> list[str]:
    """Ids of the orders that carry it, oldest first. Should the filter ever be ignored, the page is full of others, and
    that is not "none".
    """
    wanted = {"channelInfo.externalOrderId": {"$eq": reference}}
    page = await client.page(f"{ORDERS}/search", "orders", by_cursor("search", wanted, "createdDate", limit=PAGE))
    found = [order_id(row) for row in page.rows.items if mapper.reference_of(row) == reference]
    if not found and page.rows.size >= PAGE:
        raise NoAnswer("Your site did not look for our reference but gave all its orders.")
    return found
