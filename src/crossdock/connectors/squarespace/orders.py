"""Our order in the site, and a count changed by a difference. Squarespace takes the units when it creates an order, and
lets no program cancel one, so the counts are looked at before anything is sent.
"""

from collections.abc import Mapping
from datetime import datetime

from crossdock.connectors.squarespace import mapper, reading
from crossdock.connectors.squarespace.client import Client, TooLittle, known_id
from crossdock.connectors.squarespace.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CreateOrder,
    Done,
    Found,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteRisk,
)
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Declined, Missing, Outside
from crossdock.kit.shop.cancel import before
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import titles, units

SHIPPED = "Order {number} is fulfilled in your site. To cancel it, mark it as pending there first."
BY_HAND = (
    "Squarespace lets no program cancel an order. Open order {number} in your site and choose Cancel order; leave"
    " “Restock inventory” checked unless the units are gone."
)
Stock = Mapping[str, int | None]


async def create(client: Client, command: CreateOrder) -> Outcome:
    """With a key made of our reference: the same request again, within 48 hours, creates nothing."""
    if not all(known_id(line.variant_id) for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this site; list it again.")
    async with alone(client.shop.address):
        try:
            earlier = await _stock(client, command)
        except Outside as error:
            return not_begun(error)
        if trouble := _lacking(command, earlier):
            return trouble
        try:
            made = await client.one(
                "POST", reading.ORDERS, json=mapper.body_of(command), key=mapper.key("order", command.reference)
            )
        except (Declined, Missing) as error:
            return await _why(client, command, error)
        order = mapper.order_of(made)
        try:
            now = await _stock(client, command)
        except Outside as error:
            return Unknown(f"The order was created; what came of its units could not be read. {error}")
    fell = all(_fell(earlier[variant], now.get(variant), wanted) for variant, wanted in units(command).items())
    return Done(order.shop_id, order.number, order.url, stock_taken=order.stock_taken and fell)


async def _stock(client: Client, command: CreateOrder) -> Stock:
    refs = [VariantRef(line.product_id, line.variant_id) for line in command.lines]
    return await patiently(lambda: reading.stock(client, refs))


def _fell(earlier: int | None, now: int | None, wanted: int) -> bool:
    return earlier is not None and now is not None and now <= earlier - wanted


def _lacking(command: CreateOrder, stock: Stock) -> Refused | None:
    wanted = units(command)
    if gone := tuple(variant for variant in wanted if variant not in stock):
        return Refused(Why.PRODUCT_GONE, f"Your site has no {titles(command, gone)} any more.", gone)
    short = tuple(variant for variant in wanted if (there := stock[variant]) is not None and there < wanted[variant])
    return Refused(Why.NO_STOCK, f"Your site has not enough of {titles(command, short)}.", short) if short else None


async def _why(client: Client, command: CreateOrder, error: Outside) -> Outcome:
    """Nothing was created. Squarespace's words are for developers (responses-error-handling), so the counts say whether
    it was for want of stock.
    """
    try:
        lacking = _lacking(command, await _stock(client, command))
    except Outside as trouble:
        return not_begun(trouble)
    if lacking is None and isinstance(error, TooLittle):
        return Refused(Why.NO_STOCK, str(error), tuple(units(command)))
    return lacking or Refused(Why.INVALID, str(error))


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """An order that stands has its units, and could not be taken back."""
    return as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """What the seller did in the site is found done; anything else is for them to do."""
    order = await reading.order(client, command.shop_order_id)
    ended = before(
        command,
        None if order.state is ShopOrderState.GONE else Done(order.shop_id, order.number, order.url),
        reference=order.reference,
        closed=order.state is not ShopOrderState.OPEN,
        shipped=any(not parcel.cancelled for parcel in order.parcels),
        words=SHIPPED.format(number=order.number),
    )
    return ended or Refused(Why.UNSUPPORTED, BY_HAND.format(number=order.number))


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.LINES_CANCEL))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.RISK_WRITE))


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
    if there[command.variant_id] is None:
        return Refused(Why.CONFLICT, "Its stock is unlimited in your site, so there is no count to correct.")
    if command.delta:
        body, key = mapper.adjustment_of(command), mapper.key("count", command.key)
        try:
            await client.send("POST", reading.ADJUST, json=body, key=key)
        except TooLittle as error:
            return Refused(Why.NO_STOCK, str(error), (command.variant_id,))
    return Done(command.variant_id)
