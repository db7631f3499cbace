"""Reading a site: lists by the date of a change, newest first, in pages of fifty. A page beside the first is asked for
with the vendor's cursor alone.
"""

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta

from crossdock.connectors.squarespace import mapper
from crossdock.connectors.squarespace.client import PAGE, Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Declined, Missing, NoAnswer, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import certain, id_of, order_with, read_each
from crossdock.kit.shop.addresses import is_plain
from crossdock.kit.shop.concurrency import together
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import AHEAD, SETTLED, Listed, Paged, entries, instant

Call = Awaitable[object]
PRODUCTS, INVENTORY, ORDERS = "v2/commerce/products", "1.0/commerce/inventory", "1.0/commerce/orders"
ADJUST = f"{INVENTORY}/adjustments"
# "type: cannot be used with cursor, required otherwise" (retrieve-all-products).
KIND = "PHYSICAL"
MOST_PAGES = 400


async def _changes(client: Client, path: str, name: str, cursor: str, **query: str) -> tuple[Paged, str, bool]:
    """One page of what changed, with where to go on and whether at once.

    Our cursor is `after|high|onward`: the date from which this walk reads, the one from which the next will, and the
    vendor's cursor within it. A list that is newest first can only be walked to its end; what changes meanwhile moves
    before its beginning, is newer than `high`, and comes with the next walk. That one follows at once where there were
    pages to turn, and is the last (`!`).
    """
    after, high, onward = (*cursor.split("|", 2), "", "")[:3]
    last, high = high.endswith("!"), high.rstrip("!")
    if onward:
        # Any other parameter beside it is refused: "Cursor cannot be set while other parameters are present" (seen).
        query = {"cursor": onward}
    elif _is_date(after):
        query |= _since(client, datetime.fromisoformat(after))
    try:
        page = await client.page(path, name, query)
    except Declined:
        if not onward:
            raise
        # The cursor is no longer taken: the walk begins again with the next reading.
        return Paged(Listed([], client.shop.now()), ""), f"{after}||", False
    high = high if onward and _is_date(high) else (page.rows.at - SETTLED).isoformat()
    if page.onward and page.onward != onward:
        return page, f"{after}|{high}{'!' * last}|{page.onward}", True
    again = bool(onward) and not last
    return page, f"{high}|{'!' * again}|", again


def _is_date(said: str) -> bool:
    try:
        return datetime.fromisoformat(said).tzinfo is not None
    except ValueError:
        return False


def _since(client: Client, after: datetime) -> dict[str, str]:
    """ "'modifiedBefore' and 'modifiedAfter' must both be specified." (seen)"""
    return {"modifiedAfter": instant(after), "modifiedBefore": instant(client.shop.now() + AHEAD)}


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """What was deleted is not in the list: it is seen when looked at."""
    page, onward, more = await _changes(client, PRODUCTS, "products", cursor, type=KIND)
    rows = entries(LookKind.PRODUCT, page.rows, id_of)
    return Page(tuple(read_each(LookKind.PRODUCT, rows, id_of, mapper.product_of)), onward, more)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    """Asked for by id, the answer is a list all the same (seen)."""
    if not is_plain(product_id):
        return ProductGone(product_id)
    try:
        page = await client.page(f"{PRODUCTS}/{product_id}", "products", {})
    except Missing:
        return ProductGone(product_id)
    if not page.rows.size:
        return ProductGone(product_id)
    if not page.rows.items:
        raise Strange("products[0]", "object", page.rows.odd[0])
    return mapper.product_of(page.rows.items[0])


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    ids = list(dict.fromkeys(ref.variant_id for ref in variants if is_plain(ref.variant_id)))
    batches = [ids[first : first + PAGE] for first in range(0, len(ids), PAGE)]
    found: list[Count | Unreadable] = []
    for rows in await together([_stock_rows(client, batch) for batch in batches]):
        found += read_each(LookKind.COUNTS, rows, _variant_id, mapper.count_of)
    return found


def _variant_id(node: Node) -> str:
    return node.id("variantId")


async def _stock_rows(client: Client, ids: Sequence[str]) -> list[Node | Unreadable]:
    """What becomes of an id that the site does not have is not said: left out, or the whole is not found. Then each
    half is asked for by itself.
    """
    try:
        page = await client.page(f"{INVENTORY}/{','.join(ids)}", "inventory", {})
    except Missing:
        if len(ids) == 1:
            return []
        half = len(ids) // 2
        return [*await _stock_rows(client, ids[:half]), *await _stock_rows(client, ids[half:])]
    return entries(LookKind.COUNTS, page.rows, _variant_id)


async def stock(client: Client, variants: Sequence[VariantRef]) -> dict[str, Count]:
    """By variant; what the site does not have is left out. Raises Outside when a row cannot be understood."""
    return {row.variant_id: row for row in certain(await counts(client, variants))}


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    if not cursor:
        now = (await client.page(ORDERS, "result", {})).rows.at
        return Page((), f"{(now - SETTLED).isoformat()}||", more=False)
    page, onward, more = await _changes(client, ORDERS, "result", cursor)
    rows = entries(LookKind.ORDER, page.rows, id_of)
    return Page(tuple(read_each(LookKind.ORDER, rows, id_of, _shown)), onward, more)


def _shown(node: Node) -> ShopOrder:
    with order_with(mapper.reference_of(node)):
        return mapper.order_of(node)


async def order(client: Client, shop_id: str) -> ShopOrder:
    currency = client.shop.settings["currency"]
    if not is_plain(shop_id):
        return gone(shop_id, currency)
    try:
        return _shown(await client.one("GET", f"{ORDERS}/{shop_id}"))
    except Missing:
        return gone(shop_id, currency)


async def with_reference(client: Client, reference: str, since: datetime) -> list[str]:
    """Ids of the orders that carry it, oldest first: all that changed since are read, as no filter knows it."""
    query = _since(client, since.astimezone(UTC) - timedelta(hours=1))
    found: list[str] = []
    for _ in range(MOST_PAGES):
        page = await client.page(ORDERS, "result", query)
        found += [id_of(row) for row in page.rows.items if mapper.reference_of(row) == reference]
        if not page.onward:
            return found[::-1]
        query = {"cursor": page.onward}
    raise NoAnswer("Your site has too many orders of that time to be looked through.")
