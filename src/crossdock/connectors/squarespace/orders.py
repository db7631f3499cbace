"""Our order in the site, and a count changed by a difference. Squarespace takes the units when it creates an order, and
lets no program cancel one, so the counts are looked at before anything is sent.
"""

from datetime import datetime
from functools import partial

from crossdock.connectors.squarespace import mapper, reading
from crossdock.connectors.squarespace.client import Client, TooLittle
from crossdock.domain.commands import AdjustStock, CancelOrder, CreateOrder, Done, Found, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder
from crossdock.domain.orders import as_found
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Declined, Missing, Outside
from crossdock.kit.shop import counted
from crossdock.kit.shop.addresses import is_plain
from crossdock.kit.shop.cancel import standing
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import NO_LISTING, refs

SHIPPED = "Order {number} is fulfilled in your site. To cancel it, mark it as pending there first."
BY_HAND = (
    "Squarespace lets no program cancel an order. Open order {number} in your site and choose Cancel order; leave"
    " “Restock inventory” checked unless the units are gone."
)


async def create(client: Client, command: CreateOrder) -> Outcome:
    """With a key made of our reference: the same request again, within 48 hours, creates nothing."""
    if not all(is_plain(line.variant_id) for line in command.lines):
        return NO_LISTING
    stock = partial(reading.stock, client, refs(command))
    async with alone(client.shop.address):
        try:
            earlier = await patiently(stock)
        except Outside as error:
            return not_begun(error)
        if trouble := counted.lacking(command, earlier):
            return trouble
        try:
            made = await client.one(
                "POST", reading.ORDERS, json=mapper.body_of(command), key=mapper.key("order", command.reference)
            )
        except (Declined, Missing) as error:
            return await counted.why(command, error, stock)
        order = mapper.order_of(made)
        try:
            now = await patiently(stock)
        except Outside as error:
            return Unknown(f"The order was created; what came of its units could not be read. {error}")
    taken = order.stock_taken and counted.fell(command, earlier, now)
    return Done(order.shop_id, order.number, order.url, stock_taken=taken)


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """An order that stands has its units, and could not be taken back."""
    return as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """What the seller did in the site is found done; anything else is for them to do."""
    order = await reading.order(client, command.shop_order_id)
    ended = standing(command, order, SHIPPED)
    return ended or Refused(Why.UNSUPPORTED, BY_HAND.format(number=order.number))


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return Found(tuple(await reading.with_reference(client, reference, since)))


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    """One difference, once: the key is of the command, so a repeat within 48 hours changes nothing."""
    try:
        there = await reading.stock(client, [VariantRef(command.product_id, command.variant_id)])
    except Outside as error:
        return not_begun(error)
    if command.variant_id not in there:
        return Refused(Why.PRODUCT_GONE, "Your site has no such variant any more.")
    if there[command.variant_id].count is None:
        return Refused(Why.CONFLICT, "Its stock is unlimited in your site, so there is no count to correct.")
    if command.delta:
        body, key = mapper.adjustment_of(command), mapper.key("count", command.key)
        try:
            await client.send("POST", reading.ADJUST, json=body, key=key)
        except TooLittle as error:
            return Refused(Why.NO_STOCK, str(error), (command.variant_id,))
    return Done(command.variant_id)
