"""Our order in the store, and a count changed by a difference. Ecwid is not known to refuse an order for want of stock,
so the count is read before and after, one order at a time, and an order that it was not enough for is taken back.
"""

from datetime import datetime, timedelta

from crossdock.connectors.ecwid import mapper, reading
from crossdock.connectors.ecwid.client import PAGE, Client, NotAllowed
from crossdock.connectors.ecwid.manifest import MANIFEST
from crossdock.connectors.ecwid.reading import Stock
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
from crossdock.domain.orders import as_found, differences
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Declined, Missing, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import before
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import take_back, titles, units

SHIPPED = "Order {number} is marked as shipped in your store. Cancelling would put units back that have left."
Goods = dict[str, Stock]
CANCELLED = {**mapper.SILENT, "paymentStatus": mapper.CANCELLED, "fulfillmentStatus": mapper.WILL_NOT_DELIVER}


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(_known(line.product_id, line.variant_id) for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this store; list it again.")
    async with alone(client.shop.address):
        try:
            goods = await _goods(client, command)
            currency = await patiently(lambda: reading.currency(client))
        except Outside as error:
            return not_begun(error)
        if currency != command.shipping.currency:
            here = command.shipping.currency
            return Refused(Why.INVALID, f"Your store sells in {currency[:10]} now, and the order is in {here}.")
        if trouble := _missing(command, goods) or _short(command, goods, units(command)):
            return trouble
        options = {variant: there.options for variant, there in goods.items()}
        try:
            made = await client.one("POST", "orders", json=mapper.body_of(command, options))
        except (Declined, Missing) as error:
            return await _why(client, command, error)
        return await _looked_at(client, command, reading.id_of(made), goods)


def _known(product_id: str, variant_id: str) -> bool:
    own = variant_id == mapper.base_id(product_id) or reading.known_id(variant_id)
    return own and reading.known_id(product_id)


async def _goods(client: Client, command: CreateOrder) -> Goods:
    refs = [VariantRef(line.product_id, line.variant_id) for line in command.lines]
    return await patiently(lambda: reading.stock(client, refs))


async def _looked_at(client: Client, command: CreateOrder, shop_id: str, earlier: Goods) -> Outcome:
    """What stands there is compared with what was asked. The evidence of its units is a count that fell by them."""
    try:
        order = await patiently(lambda: reading.order(client, shop_id))
        goods = await _goods(client, command)
    except Outside as error:
        return Unknown(f"The order was created; what came of it could not be read. {error}")
    if order.state is ShopOrderState.GONE:
        return Unknown("The order was created, and is not to be seen in your store yet.")
    if trouble := _differs(command, order) or _short(command, goods, {}):
        return await _take_back(client, command, shop_id, trouble)
    fell = all(_fell(earlier[variant], goods.get(variant), wanted) for variant, wanted in units(command).items())
    return Done(shop_id, order.number, order.url, stock_taken=order.stock_taken and fell)


async def _why(client: Client, command: CreateOrder, error: Outside) -> Outcome:
    """Nothing was created: "any other linked object is not found" (github Ecwid/ecwid-api-docs, Create order), or
    whatever else. The counts say whether it was for want of them.
    """
    try:
        goods = await _goods(client, command)
    except Outside as trouble:
        return not_begun(trouble)
    lacking = _missing(command, goods) or _short(command, goods, units(command))
    return lacking or Refused(Why.INVALID, str(error))


def _fell(earlier: Stock, now: Stock | None, wanted: int) -> bool:
    if earlier.count is None or now is None or now.count is None:
        return False
    return now.count <= earlier.count - wanted


def _missing(command: CreateOrder, goods: Goods) -> Refused | None:
    if gone := tuple(variant for variant in units(command) if variant not in goods):
        return Refused(Why.PRODUCT_GONE, f"Your store has no {titles(command, gone)} any more.", gone)
    return None


def _short(command: CreateOrder, goods: Goods, wanted: dict[str, int]) -> Refused | None:
    """What there is less than `wanted` of; with nothing wanted any more, what fell below zero."""
    counts = {variant: goods[variant].count for variant in units(command) if variant in goods}
    short = tuple(variant for variant, count in counts.items() if count is not None and count < wanted.get(variant, 0))
    return Refused(Why.NO_STOCK, f"Your store has not enough of {titles(command, short)}.", short) if short else None


def _differs(command: CreateOrder, order: ShopOrder) -> Refused | None:
    found = differences(command, order, at_our_price=True)
    said = "; ".join(each.sentence for each in found)
    words = f"Your store made another order of it; look for taxes, fees or an app that changes orders. {said}"
    return Refused(Why.INVALID, words) if found else None


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """Only whether the store had the units: its lines may have been changed since."""
    try:
        trouble = None if found.parcels else _short(command, await _goods(client, command), {})
    except Outside as error:
        return Unknown(f"The order stands there; the stock after it could not be read. {error}")
    return as_found(found) if trouble is None else await _take_back(client, command, found.shop_id, trouble)


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
        await client.one("PUT", f"orders/{order.shop_id}", json=CANCELLED)
        left = await patiently(lambda: _left(client, order.shop_id))
    return Unknown(f"The order is still {left} in your store.") if left else done


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.LINES_CANCEL))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """Behind what stands in the staff notes already. They are one text, so writers wait for each other."""
    async with alone(client.shop.address):
        node = await reading.order_node(client, command.shop_order_id)
        if node is None:
            return Refused(Why.NOT_FOUND, "That is no order of this store.")
        notes, done = mapper.notes_of(node), Done(command.shop_order_id, command.shop_order_id)
        if ended := risk_notes.before(command, reference=mapper.reference_of(node), texts=notes, done=done):
            return ended
        text = mapper.BETWEEN_NOTES.join([*notes, risk_notes.note(command)])
        await client.one("PUT", f"orders/{command.shop_order_id}", json={**mapper.SILENT, "privateAdminNotes": text})
    return done


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
        made: Node = await client.one("PUT", f"{path}/inventory", json={"quantityDelta": command.delta})
    except Missing:
        return Refused(Why.PRODUCT_GONE, "Your store does not have this item any more.")
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, "Your custom app may not change counts: it needs the scope update_catalog.")
    # "1 if the item was updated, 0 if the item was not updated" (adjust-product-stock).
    if made.int("updateCount") != 1:
        return Refused(Why.CONFLICT, "Your store did not change the count; correct it there.")
    return Done(command.variant_id)
