"""Our order in the site. Wix refuses none for want of stock and moves the units in its own time, so the stock is read
before and after, one order at a time, and an order that it was not enough for is taken back.
"""

from datetime import datetime
from functools import partial

from crossdock.connectors.wix import goods, mapper, reading
from crossdock.connectors.wix.client import PAGE, Client, known_id
from crossdock.domain.commands import (
    AdjustStock,
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
from crossdock.kit import text
from crossdock.kit.errors import Declined, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop import counted, risk_notes
from crossdock.kit.shop.cancel import looked_at
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import refs, take_back

SHIPPED = "Order {number} is marked as fulfilled in your site. Cancelling would put units back that have left."
NO_UNITS = "The marketplace took this order back: your site had not the units. [crossdock {}]"
# How often the stock is looked at until an order's units have left it.
LOOKS = 4


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(all(map(known_id, goods.parted(line.variant_id))) for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this site; list it again.")

    async def send(earlier: object) -> Node:
        return await client.one("POST", reading.ORDERS, "order", json=mapper.body_of(command, newer=client.newer))

    async def read(made: Node) -> ShopOrder:
        return mapper.order_of(await _approved(client, made), None, None, admin=client.shop.address)

    return await counted.place(
        command,
        address=client.shop.address,
        stock=partial(reading.stock, client, refs(command)),
        send=send,
        read=read,
        take_back=partial(_take_back, client),
        looks=LOOKS,
    )


async def _approved(client: Client, node: Node) -> Node:
    """One that waits for its payment is found by no search and may have taken nothing: the payment is recorded. Should
    that fail it is known by its id all the same, and is no reason to make another one.
    """
    if mapper.approved(node):
        return node
    id_ = reading.order_id(node)
    try:
        return await client.one("POST", f"ecom/v1/payments-collector/orders/{id_}/mark-as-paid", "order", json={})
    except (Declined, NoAnswer):
        # ORDER_ALREADY_PAID: by an earlier try, or it waits for something else. Or the answer was lost.
        return await client.one("GET", f"{reading.ORDERS}/{id_}", "order")


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    try:
        node = await reading.whole(client, found.shop_id)
        if node is not None and found.state is ShopOrderState.OPEN:
            found = await reading.order_of(client, await _approved(client, node))
    except Outside as error:
        return Unknown(f"The order stands there; whether it was paid could not be read. {error}")
    stock = partial(reading.stock, client, refs(command))
    return await counted.confirm(command, found, stock=stock, take_back=partial(_take_back, client))


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

    async def sent(order: ShopOrder) -> str:
        made = await _cancelled(client, order.shop_id)
        return "" if made.word("status") == "CANCELED" else made.text("status")[:40]

    return await looked_at(command, lambda: reading.order(client, command.shop_order_id), sent, SHIPPED)


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """As a comment of the merchant's in the order's activities."""
    node = await reading.whole(client, command.shop_order_id)
    if node is None:
        return Refused(Why.NOT_FOUND, "That is no order of this site.")
    write = partial(_write, client, command.shop_order_id)
    return await risk_notes.beside(command, mapper.notes_of(node), reference=mapper.reference_of(node), write=write)


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """Oldest first. Should the filter ever be ignored, the page is full of others, and that is not "none"."""
    page = await client.page(reading.orders_asked({"channelInfo.externalOrderId": {"$eq": reference}}, "createdDate"))
    found = [reading.order_id(row) for row in page.rows.items if mapper.reference_of(row) == reference]
    if not found and page.rows.size >= PAGE:
        raise NoAnswer("Your site did not look for our reference but gave all its orders.")
    return Found(tuple(found))


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    """One difference, sent once: no key makes a repeat harmless, so nothing here or in the transport repeats it."""
    product, variant = goods.parted(command.variant_id)
    if not (known_id(product) and known_id(variant)):
        return Refused(Why.PRODUCT_GONE, "Your site has no such variant any more.")
    try:
        rows = await client.every(reading.stock_asked(client, [product], [variant]))
        there = {count.variant_id: count for row in rows.items for count in goods.counts_of(row)}
        item = reading.id_of(rows.items[0]) if client.newer and rows.items else product
    except Outside as error:
        return not_begun(error)
    if ended := counted.correction(command, there.get(command.variant_id)):
        return ended
    path, body = goods.change_of(client.newer, item, variant, command.delta)
    try:
        changed = await client.one("POST", path, json=body)
    except Declined as refusal:
        short = (command.variant_id,) if refusal.why is Why.NO_STOCK else ()
        return Refused(refusal.why, str(refusal), short)
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
