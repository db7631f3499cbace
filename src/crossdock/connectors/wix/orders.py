"""Our order in the site. Wix refuses none for want of stock and moves the units in its own time, so the stock is read
before and after, one order at a time, and an order that it was not enough for is taken back.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from crossdock.connectors.wix import goods, mapper, reading
from crossdock.connectors.wix.client import Client, TooLittle, known_id
from crossdock.connectors.wix.manifest import MANIFEST
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
from crossdock.domain.events import Count, ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit import text
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Declined, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import before
from crossdock.kit.shop.concurrency import PAUSE_SECONDS, alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import take_back, titles, units

SHIPPED = "Order {number} is marked as fulfilled in your site. Cancelling would put units back that have left."
NO_UNITS = "The marketplace took this order back: your site had not the units. [crossdock {}]"
# How often the stock is looked at until an order's units have left it.
LOOKS = 4
Stock = Mapping[str, Count]


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(all(map(known_id, goods.parted(line.variant_id))) for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this site; list it again.")
    async with alone(client.shop.address):
        try:
            stock = await _stock(client, command)
        except Outside as error:
            return not_begun(error)
        if short := _missing(command, stock) or _short(command, stock, units(command)):
            return short
        made = await client.one("POST", reading.ORDERS, "order", json=mapper.body_of(command, newer=client.newer))
        return await _looked_at(client, command, made, stock)


async def _stock(client: Client, command: CreateOrder) -> Stock:
    refs = [VariantRef(line.product_id, line.variant_id) for line in command.lines]
    return await patiently(lambda: reading.stock(client, refs))


async def _looked_at(client: Client, command: CreateOrder, made: Node, earlier: Stock) -> Outcome:
    """What stands there is compared with what was asked. The evidence of its units is stock that fell by them."""
    shop_id = reading.order_id(made)
    try:
        made = await _approved(client, made)
        trouble, fell = _differs(command, made), False
        for look in range(LOOKS if trouble is None else 0):
            await asyncio.sleep(PAUSE_SECONDS if look else 0)
            now = await _stock(client, command)
            trouble, fell = _short(command, now, {}), _fell(command, earlier, now)
            if trouble or fell or not any(_tracked(earlier, variant) for variant in units(command)):
                break
    except Outside as error:
        return Unknown(f"The order was created; what came of it could not be read. {error}")
    if trouble is not None:
        return await _take_back(client, shop_id, trouble)
    order = mapper.order_of(made, None, None, admin=client.shop.address)
    return Done(shop_id, order.number, order.url, stock_taken=order.stock_taken and fell)


async def _approved(client: Client, node: Node) -> Node:
    """One that waits for its payment is found by no search and may have taken nothing: the payment is recorded."""
    if mapper.approved(node):
        return node
    id_ = reading.order_id(node)
    try:
        return await client.one("POST", f"ecom/v1/payments-collector/orders/{id_}/mark-as-paid", "order", json={})
    except Declined:
        # ORDER_ALREADY_PAID: by an earlier try, or it waits for something else.
        return await client.one("GET", f"{reading.ORDERS}/{id_}", "order")


def _tracked(stock: Stock, variant: str) -> bool:
    return variant in stock and stock[variant].count is not None


def _fell(command: CreateOrder, earlier: Stock, now: Stock) -> bool:
    def left(variant: str, wanted: int) -> bool:
        was, now_is = earlier[variant].count, now[variant].count if variant in now else None
        return was is not None and now_is is not None and now_is <= was - wanted

    return all(left(variant, wanted) for variant, wanted in units(command).items())


def _missing(command: CreateOrder, stock: Stock) -> Refused | None:
    if gone := tuple(variant for variant in units(command) if variant not in stock):
        return Refused(Why.PRODUCT_GONE, f"Your site has no {titles(command, gone)} any more.", gone)
    return None


def _short(command: CreateOrder, stock: Stock, wanted: Mapping[str, int]) -> Refused | None:
    """What there is less than `wanted` of; with nothing wanted any more, what fell below zero. What can be ordered
    before it is there, may.
    """
    short = tuple(
        variant
        for variant in units(command)
        if (row := stock.get(variant)) is not None
        and row.count is not None
        and not row.backorders
        and row.count < wanted.get(variant, 0)
    )
    return Refused(Why.NO_STOCK, f"Your site has not enough of {titles(command, short)}.", short) if short else None


def _differs(command: CreateOrder, made: Node) -> Refused | None:
    order, there = mapper.order_of(made, None, None, admin=""), Counter[str]()
    for line in order.lines:
        there[line.variant_id] += line.quantity
    if +there != Counter(units(command)):
        return Refused(Why.INVALID, "Your site took other products or quantities than the order has.")
    if order.total.currency != command.total.currency:
        return Refused(Why.INVALID, f"Your site took the order in {order.total.currency}; check its currency.")
    if order.total != command.total:
        return Refused(Why.INVALID, "Your site made another total of the order than the buyer paid; look for an app.")
    return None


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """Only whether the site had the units: its lines may have been changed since."""
    try:
        node = await reading.whole(client, found.shop_id)
        if node is not None and found.state is ShopOrderState.OPEN:
            found = await reading.shown(client, await _approved(client, node))
        trouble = None if found.parcels else _short(command, await _stock(client, command), {})
    except Outside as error:
        return Unknown(f"The order stands there; the stock after it could not be read. {error}")
    return as_found(found) if trouble is None else await _take_back(client, found.shop_id, trouble)


async def _take_back(client: Client, shop_id: str, why: Refused) -> Outcome:
    """And marked, so that a look-up does not take it for the order. Looked at before each step, since a second cancel
    could put its units back a second time.
    """

    async def cancelled() -> str:
        node = await client.one("GET", f"{reading.ORDERS}/{shop_id}", "order")
        if node.word("status") != "CANCELED":
            node = await _cancelled(client, shop_id)
        if node.word("status") != "CANCELED":
            return f"“{node.text('status')[:40]}”"
        if mapper.reference_of(node):
            await _write(client, shop_id, NO_UNITS.format(mapper.TAKEN_BACK))
        return ""

    return await take_back(cancelled, why)


async def _cancelled(client: Client, shop_id: str) -> Node:
    """Nobody is mailed, and all units go back."""
    body = {"sendOrderCanceledEmail": False, "restockAllItems": True}
    return await client.one("POST", f"{reading.ORDERS}/{shop_id}/cancel", "order", json=body)


async def _write(client: Client, shop_id: str, message: str) -> None:
    comment = {"activityType": "MERCHANT_COMMENT", "merchantComment": {"message": message}}
    await client.send("POST", f"{reading.ORDERS}/{shop_id}/activities/add", json={"orderActivities": [comment]})


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Looked at first: what was sent has no units to put back, and what is cancelled already has put them back."""
    order = await reading.order(client, command.shop_order_id)
    done = Done(order.shop_id, order.number, order.url, note=order.cancel_note)
    if ended := before(
        command,
        None if order.state is ShopOrderState.GONE else done,
        reference=order.reference,
        closed=order.state is not ShopOrderState.OPEN,
        shipped=bool(order.parcels),
        words=SHIPPED.format(number=order.number),
    ):
        return ended
    try:
        made = await _cancelled(client, order.shop_id)
    except Declined:
        # Somebody, or an earlier try of ours, may have been faster; then that is what it says no to.
        there = await reading.order(client, order.shop_id)
        if there.state is not ShopOrderState.CANCELLED:
            raise
        return as_found(there)
    if made.word("status") != "CANCELED":
        return Unknown(f"The order is still “{made.text('status')[:40]}” in your site.")
    return done


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.LINES_CANCEL))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """As a comment of the merchant's in the order's activities."""
    node = await reading.whole(client, command.shop_order_id)
    if node is None:
        return Refused(Why.NOT_FOUND, "That is no order of this site.")
    done = Done(command.shop_order_id, command.shop_order_id)
    texts = mapper.notes_of(node)
    if ended := risk_notes.before(command, reference=mapper.reference_of(node), texts=texts, done=done):
        return ended
    await _write(client, command.shop_order_id, risk_notes.note(command))
    return done


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return Found(tuple(await reading.with_reference(client, reference)))


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    """One difference, sent once: no key makes a repeat harmless, so nothing here or in the transport repeats it."""
    product, variant = goods.parted(command.variant_id)
    if not (known_id(product) and known_id(variant)):
        return Refused(Why.PRODUCT_GONE, "Your site has no such variant any more.")
    try:
        rows = await client.every(*reading.stock_asked(client, [product], [variant]))
        there = {count.variant_id: count for row in rows.items for count in reading.counts_of(client)(row)}
        row = there.get(command.variant_id)
        item = reading.id_of(rows.items[0]) if row and client.newer else product
    except Outside as error:
        return not_begun(error)
    if row is None:
        return Refused(Why.PRODUCT_GONE, "Your site has no such variant any more.")
    if row.count is None:
        return Refused(Why.CONFLICT, "Your site does not track its quantity, so there is no count to correct.")
    # What gives back is not stopped by a count below zero.
    if command.delta < 0 and row.count + command.delta < 0:
        return Refused(Why.NO_STOCK, f"Your site counts only {row.count}.", (command.variant_id,))
    if not command.delta:
        return Done(command.variant_id)
    path, body = goods.change_of(client.newer, item, variant, command.delta)
    try:
        changed = await client.one("POST", path, json=body)
    except TooLittle as error:
        return Refused(Why.NO_STOCK, str(error), (command.variant_id,))
    return _changed(command, changed) if client.newer else Done(command.variant_id)


def _changed(command: AdjustStock, answer: Node) -> Outcome:
    """A bulk call is answered with 200 whatever came of its items: each says for itself."""
    for row in answer.list("results")[:1]:
        about = row.child("itemMetadata")
        error = about.view("error")
        if about.raw("success") is True:
            return Done(command.variant_id)
        if about.raw("success") is False and error.text("code"):
            short = error.text("code").startswith("INSUFFICIENT_INVENTORY")
            said = f"Your site refused this. Wix says: {text.label(error.text('description'), 200)}"
            return Refused(Why.NO_STOCK if short else Why.INVALID, said, (command.variant_id,) if short else ())
    raise NoAnswer("Your site did not say what came of the correction.")
