"""Our order in the store, and a count changed by a difference. Ecwid is not known to refuse an order for want of stock,
so the count is read before and after, one order at a time, and an order that it was not enough for is taken back.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from crossdock.connectors.ecwid import mapper, reading
from crossdock.connectors.ecwid.client import PAGE, Client
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
from crossdock.domain.events import ShopOrder
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Missing, NoAnswer, NotAllowed, Outside
from crossdock.kit.shop import counted, risk_notes
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.cancel import cancelled, standing
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import refs, take_back

SHIPPED = "Order {number} is marked as shipped in your store. Cancelling would put units back that have left."
CANCELLED = {**mapper.SILENT, "paymentStatus": mapper.CANCELLED, "fulfillmentStatus": mapper.WILL_NOT_DELIVER}


async def create(client: Client, command: CreateOrder) -> Outcome:
    """Of what is refused Ecwid says no more than "any other linked object is not found" (github Ecwid/ecwid-api-docs,
    Create order).
    """
    if not all(_known(line.product_id, line.variant_id) for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this store; list it again.")
    try:
        currency = await patiently(partial(reading.currency, client))
    except Outside as error:
        return not_begun(error)
    if currency != (here := command.shipping.currency):
        return Refused(Why.INVALID, f"Your store sells in {currency[:10]} now, and the order is in {here}.")

    async def send(there: Mapping[str, reading.Stock]) -> str:
        chosen = {variant: stock.options for variant, stock in there.items()}
        return number(await client.one("POST", "orders", json=mapper.body_of(command, chosen)))

    return await counted.place(
        command,
        address=client.shop.address,
        stock=partial(reading.stock, client, refs(command)),
        send=send,
        read=partial(reading.order, client),
        take_back=partial(_take_back, client, command),
    )


def _known(product_id: str, variant_id: str) -> bool:
    own = variant_id == mapper.base_id(product_id) or is_number(variant_id)
    return own and is_number(product_id)


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    stock, taken_back = partial(reading.stock, client, refs(command)), partial(_take_back, client, command)
    return await counted.confirm(command, found, stock=stock, take_back=taken_back)


async def _take_back(client: Client, command: CreateOrder, shop_id: str, why: Refused) -> Outcome:
    """Under another external id, so that a look-up does not take it for the order. Looked at before each step: what
    two cancels restock is not said.
    """
    body = {**CANCELLED, "externalOrderId": command.reference + mapper.TAKEN_BACK}

    async def cancelled() -> str:
        node = await reading.order_node(client, shop_id)
        if node is None or (node.word("paymentStatus") == mapper.CANCELLED and not mapper.reference_of(node)):
            return ""
        await client.one("PUT", f"orders/{shop_id}", json=body)
        return await _left(client, shop_id)

    return await take_back(cancelled, why)


async def _left(client: Client, shop_id: str) -> str:
    """The status of an order that was just cancelled; "" when it is."""
    node = await reading.order_node(client, shop_id)
    status = "" if node is None else node.word("paymentStatus")
    return "" if status in ("", mapper.CANCELLED) else f"“{status[:40]}”"


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Ecwid restocks what is cancelled. Looked at first: what was shipped has no units to put back, and what is
    cancelled already must not be restocked again. One at a time, since nobody says what two at once restock.
    """
    async with alone(client.shop.address):
        order = await reading.order(client, command.shop_order_id)
        if ended := standing(command, order, SHIPPED):
            return ended
        await client.one("PUT", f"orders/{order.shop_id}", json=CANCELLED)
        left = await patiently(lambda: _left(client, order.shop_id))
    return Unknown(f"The order is still {left} in your store.") if left else cancelled(order)


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    async with alone(client.shop.address):
        node = await reading.order_node(client, command.shop_order_id)
        if node is None:
            return Refused(Why.NOT_FOUND, "That is no order of this store.")
        return await risk_notes.behind(
            command,
            node.text("privateAdminNotes"),
            reference=mapper.reference_of(node),
            write=lambda notes: client.one(
                "PUT", f"orders/{command.shop_order_id}", json={**mapper.SILENT, "privateAdminNotes": notes}
            ),
        )


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """`keywords` look in staff notes, transaction ids, names and more (search-orders), so all pages are compared with
    the external order id. Should it ever be ignored, the first page is full of others, and that is not "none".
    """
    begin = str(int((since - timedelta(days=1)).timestamp()))
    query = {"keywords": reference, "createdFrom": begin, "responseFields": reading.LISTED}
    page = await client.every("orders", query)
    found = {reading.order_id(row) for row in page.items if mapper.reference_of(row) == reference}
    if not found and page.size >= PAGE:
        raise NoAnswer("Your store did not look for our reference but gave all its orders.")
    return Found(tuple(sorted(found, key=lambda id_: (len(id_), id_))))


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    """One difference, sent once: Ecwid keeps no key with it, and the transport repeats no request."""
    if not _known(command.product_id, command.variant_id):
        return Refused(Why.PRODUCT_GONE, "Your store has no such item.")
    try:
        ref = VariantRef(command.product_id, command.variant_id)
        goods = await reading.stock(client, [ref])
    except Outside as error:
        return not_begun(error)
    if command.variant_id not in goods:
        return Refused(Why.PRODUCT_GONE, "Your store does not have this item any more.")
    count = goods[command.variant_id].count
    if count is None:
        return Refused(Why.CONFLICT, "Its stock is unlimited in your store, so there is no count to correct.")
    if command.delta < 0 and count + command.delta < 0:
        return Refused(Why.NO_STOCK, f"Your store counts {count} now.", (command.variant_id,))
    if not command.delta:
        return Done(command.variant_id)
    path = f"products/{command.product_id}"
    if command.variant_id != mapper.base_id(command.product_id):
        path += f"/combinations/{command.variant_id}"
    try:
        made = await client.one("PUT", f"{path}/inventory", json={"quantityDelta": command.delta})
    except Missing:
        return Refused(Why.PRODUCT_GONE, "Your store does not have this item any more.")
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, "Your custom app may not change counts: it needs the scope update_catalog.")
    # "1 if the item was updated, 0 if the item was not updated" (adjust-product-stock).
    if made.int("updateCount") != 1:
        return Refused(Why.CONFLICT, "Your store did not change the count; correct it there.")
    return Done(command.variant_id)
