"""Reading a store. Products come by the date of a change, oldest first; orders have no such order, so each look at them
goes to the end of its list. What was deleted has lists of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from crossdock.connectors.ecwid import mapper
from crossdock.connectors.ecwid.client import PAGE, Client
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, NoAnswer
from crossdock.kit.json_node import Node
from crossdock.kit.rows import await_row, order_with, read_each, read_parts
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import Listed, Spot, entries, is_date, walk

# Ecwid is of 2009: what is dated before is no date of a change.
BEGAN = datetime(2009, 1, 1, tzinfo=UTC)
# Only what is read: the orders of the store's own customers hold addresses that are nobody's business here.
ORDER = (
    "internalId,id,refererId,externalOrderId,paymentStatus,fulfillmentStatus,total,updateTimestamp,trackingNumber,"
    "trackingUrl,privateAdminNotes,refunds(date,reason,amount),shippingOption,shipments(id,tracking,shippingService),"
    "items(id,productId,combinationId,sku,quantity,price),shippingPerson(name),billingPerson(name)"
)
LISTED = f"total,count,offset,limit,items({ORDER})"
COUNTS = "items(id,quantity,unlimited,combinations(id,quantity,unlimited,options))"
# A page of orders begins before the last one's end: so many may be deleted meanwhile without one being missed.
OVERLAP = 10


order_id = partial(number, key="internalId")


def currency_of(profile: Node) -> str:
    return profile.child("formatsAndUnits").word("currency")


async def currency(client: Client) -> str:
    """An order names none: it stands there in whatever the store sells in."""
    return currency_of(await client.one("GET", "profile", query={"responseFields": "formatsAndUnits(currency)"}))


def _unix(after: str) -> str:
    """A moment of a cursor as the filters take it (search-orders: "UNIX timestamp or date/time")."""
    return str(int(datetime.fromisoformat(f"{after}+00:00").timestamp()))


async def _deleted(client: Client, kind: LookKind, path: str, after: str) -> list[str | Unreadable]:
    """Ids of what was deleted since. A list that nobody can read takes nothing away from what else was read: what is
    gone is noticed as well when it is looked at.
    """
    page = await await_row(kind, "", lambda: client.every(f"{path}/deleted", {"from_date": _unix(after)}))
    if isinstance(page, Unreadable):
        return [page]
    return read_each(kind, entries(kind, page, number), number, number)


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
    """Our cursor is `spot;since`: where the list goes on, and from when on deleted ones are asked for at its end."""
    text, _, since = cursor.partition(";")
    spot = Spot.of(text)

    async def page(spot: Spot, size: int) -> Listed:
        """Whether the bound itself is within is not said, so it is asked for and may come again."""
        query = {"sortBy": "UPDATED_TIME_ASC", "limit": str(size), "offset": str(spot.offset)}
        return await client.rows("products", query | ({"updatedFrom": _unix(spot.after)} if spot.after else {}))

    seen = await walk(page, spot, PAGE, mapper.moment, BEGAN)
    rows = entries(LookKind.PRODUCT, seen, number)
    found: list[ShopProduct | ProductGone | Unreadable] = [
        *read_each(LookKind.PRODUCT, rows, number, partial(_product, client))
    ]
    since = since if is_date(since) else seen.settled.after
    if not seen.more:
        if cursor:
            deleted = await _deleted(client, LookKind.PRODUCT, "products", since)
            found += [ProductGone(each) if isinstance(each, str) else each for each in deleted]
        since = seen.settled.after
    return Page(tuple(found), f"{seen.spot};{since}", seen.more)


def _product(client: Client, node: Node) -> ShopProduct:
    return mapper.product_of(node, currency=client.shop.settings["currency"])


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    if not is_number(product_id):
        return ProductGone(product_id)
    try:
        return _product(client, await client.one("GET", f"products/{product_id}"))
    except Missing:
        return ProductGone(product_id)


@dataclass(frozen=True, slots=True)
class Stock(Count):
    """What an order needs to know of a variant: its count, and what was chosen."""

    options: Sequence[tuple[str, str]] = ()


async def _by_ids(client: Client, products: Sequence[str]) -> Listed:
    """ "productId: internal product IDs" with commas between (search-products); what is gone is left out."""
    ids = sorted({id_ for id_ in products if is_number(id_)})
    if not ids:
        return Listed([], client.shop.now())
    return await client.rows("products", {"productId": ",".join(ids), "responseFields": COUNTS})


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """A product that got variations since has no count of its own any more."""
    wanted = {ref.variant_id for ref in variants}

    def counted(node: Node) -> list[Count]:
        return [Count(id_, mapper.count_in(row)) for id_, row in mapper.variants_in(node) if id_ in wanted]

    rows = entries(LookKind.COUNTS, await _by_ids(client, [ref.product_id for ref in variants]), number)
    return read_parts(LookKind.COUNTS, rows, number, counted)


async def stock(client: Client, variants: Sequence[VariantRef]) -> dict[str, Stock]:
    """Of what the store still has. Raises Outside when a row cannot be understood."""
    wanted = {ref.variant_id for ref in variants}
    page = await _by_ids(client, [ref.product_id for ref in variants])
    if page.odd:
        raise NoAnswer("Your store's answer about its stock could not be understood.")
    rows = dict(pair for node in page.items for pair in mapper.variants_in(node))
    return {
        id_: Stock(id_, mapper.count_in(row), options=mapper.options_of(row))
        for id_, row in rows.items()
        if id_ in wanted
    }


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """Our cursor is `after|next|offset`: the date from which this look reads, the one from which the next will, and
    where it is in its list. Abandoned carts are not in it (search-orders).
    """
    after, onward, offset = (*cursor.split("|"), "", "")[:3]
    if not is_date(after):
        now = (await client.rows("orders", {"limit": "1", "responseFields": LISTED})).at
        return Page((), f"{Spot.settled(now).after}||", more=False)
    skip = int(offset) if offset.isdigit() and len(offset) < 8 else 0
    query = {"updatedFrom": _unix(after), "limit": str(PAGE), "offset": str(skip), "responseFields": LISTED}
    page = await client.rows("orders", query)
    rows = read_each(LookKind.ORDER, entries(LookKind.ORDER, page, order_id), order_id, partial(_shown, client))
    onward = onward if is_date(onward) else max(after, Spot.settled(page.at).after)
    if page.size >= PAGE:
        return Page(tuple(rows), f"{after}|{onward}|{skip + PAGE - OVERLAP}", more=True)
    deleted = await _deleted(client, LookKind.ORDER, "orders", after)
    ended = [shown(client, each, None) if isinstance(each, str) else each for each in deleted]
    return Page((*rows, *ended), f"{onward}||", more=False)


def _shown(client: Client, node: Node) -> ShopOrder:
    with order_with(mapper.reference_of(node)):
        return mapper.order_of(node, currency=client.shop.settings["currency"])


async def order(client: Client, shop_id: str) -> ShopOrder:
    return shown(client, shop_id, await order_node(client, shop_id))


def shown(client: Client, shop_id: str, node: Node | None) -> ShopOrder:
    return gone(shop_id, client.shop.settings["currency"]) if node is None else _shown(client, node)


async def order_node(client: Client, shop_id: str) -> Node | None:
    """By its number: the vendor's own client asks so (OrderDetailsRequest). None when it is gone."""
    if not is_number(shop_id):
        return None
    try:
        return await client.one("GET", f"orders/{shop_id}", query={"responseFields": ORDER})
    except Missing:
        return None
