"""Our order in the site. Wix refuses none for want of stock and moves the units in its own time, so the stock is read
before and after, one order at a time, and an order that it was not enough for is taken back.
"""

from datetime import datetime
from functools import partial

from crossdock.connectors.wix import goods, mapper, reading
from crossdock.connectors.wix.client import PAGE, Client, refused
from crossdock.domain.commands import AdjustStock, CancelOrder, CreateOrder, Found, Outcome, Refused, Unknown, WriteRisk
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.kit.errors import Declined, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop import counted, risk_notes
from crossdock.kit.shop.addresses import is_plain, plain
from crossdock.kit.shop.cancel import GONE, looked_at
from crossdock.kit.shop.placing import NO_LISTING, ours, take_back

SHIPPED = "Order {number} is marked as fulfilled in your site. Cancelling would put units back that have left."
NO_UNITS = "The marketplace took this order back: your site had not the units. [crossdock {}]"
# How often the stock is looked at until an order's units have left it.
LOOKS = 4


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(all(map(is_plain, goods.parted(line.variant_id))) for line in command.lines):
        return NO_LISTING

    async def send(earlier: object) -> Node:
        return await client.one("POST", reading.ORDERS, "order", json=mapper.body_of(command, newer=client.newer))

    async def read(made: Node) -> ShopOrder:
        return mapper.order_of(await _approved(client, made), None, None, admin=client.shop.address)

    return await counted.place(
        command,
        address=client.shop.address,
        stock=partial(counted.of_order, command, partial(reading.counts, client)),
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
            found = await reading.shown(client, await _approved(client, node))
    except Outside as error:
        return Unknown(f"The order stands there; whether it was paid could not be read. {error}")
    stock = partial(counted.of_order, command, partial(reading.counts, client))
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
        return GONE
    write = partial(_write, client, command.shop_order_id)
    return await risk_notes.beside(command, mapper.notes_of(node), reference=mapper.reference_of(node), write=write)


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """Oldest first."""
    page = await client.page(reading.orders_asked({"channelInfo.externalOrderId": {"$eq": reference}}, "createdDate"))
    found = ours(page.rows, PAGE, reference, mapper.reference_of, place="site")
    return Found(tuple(map(reading.order_id, found)))


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    """No key makes a repeat harmless, so nothing here or in the transport repeats it."""
    product, variant = goods.parted(command.variant_id)
    if not (is_plain(product) and is_plain(variant)):
        return counted.NO_VARIANT

    async def look(refs: object) -> dict[str, goods.Item]:
        rows = (await client.every(reading.stock_asked(client, [product], [variant]))).items
        read = [(plain(row) if client.newer else product, goods.counts_of(row)) for row in rows]
        return {each.variant_id: goods.Item(each.variant_id, each.count, item=id_) for id_, row in read for each in row}

    async def send(item: goods.Item) -> None:
        path, body = goods.change_of(client.newer, item.item, variant, command.delta)
        changed = await client.one("POST", path, json=body)
        if client.newer:
            _changed(changed)

    return await counted.correct(command, look, send)


def _changed(answer: Node) -> None:
    """A bulk call is answered with 200 whatever came of its items: each says for itself. Raises Declined."""
    for row in answer.list("results")[:1]:
        about = row.child("itemMetadata")
        if about.raw("success") is True:
            return
        if about.raw("success") is False and (code := about.view("error").text("code")):
            raise refused(code, about.view("error").text("description"))
    raise NoAnswer("Your site did not say what came of the correction.")
