"""A parcel of ours in the order's one status and one number. Ecwid knows no part of an order."""

from crossdock.connectors.ecwid import mapper, reading
from crossdock.connectors.ecwid.client import Client
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import ShopOrder
from crossdock.kit.errors import NotAllowed, Outside
from crossdock.kit.shop.concurrency import patiently
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, live, not_begun, same_number, step

NO_RIGHT = "Your custom app may not change orders: it needs the access scope update_orders."
WHOLE = (
    "Ecwid ships whole orders, and this parcel holds a part of order {number}. When the last one has left, mark the"
    " order as shipped in your store."
)
LABEL = "Order {number} has a label that was bought in Ecwid, and its number is changed there alone."
UNDONE = {**mapper.SILENT, "fulfillmentStatus": mapper.AWAITING, "trackingNumber": "", "trackingUrl": ""}


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        node = await reading.order_node(client, command.shop_order_id)
        order = reading.shown(client, command.shop_order_id, node)
    except Outside as error:
        return not_begun(error)
    wanted = step(order, command)
    match wanted:
        case Make(units) if sum(units.values()) < sum(line.quantity for line in order.lines):
            return Refused(Why.UNSUPPORTED, WHOLE.format(number=order.number))
        case Renumber(parcels) | Cancel(parcels) if [parcel.parcel_id for parcel in parcels] != [mapper.WHOLE]:
            return Refused(Why.UNSUPPORTED, LABEL.format(number=order.number))
        case Make() | Renumber() if node is not None:
            return await _changed(client, order, mapper.parcel_of(command, node), command.tracking_number)
        case Cancel():
            return await _changed(client, order, UNDONE, None)
        case Make() | Renumber():
            return Refused(Why.NOT_FOUND, "Your store does not have this order any more.")
        case ended:
            return ended


async def _changed(client: Client, order: ShopOrder, body: dict[str, object], number: str | None) -> Outcome:
    """The answer only counts updated orders, so the order is read to know it. No `number`: nothing is sent any more."""
    try:
        await client.one("PUT", f"orders/{order.shop_id}", json=body)
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)
    try:
        made = await patiently(lambda: reading.order(client, order.shop_id))
    except Outside as error:
        return Unknown(f"It was sent to your store; the order could not be read after it. {error}")
    there = next((parcel for parcel in live(made) if parcel.parcel_id == mapper.WHOLE), None)
    fits = there is None if number is None else there is not None and same_number(there.tracking_number, number)
    if not fits:
        return Unknown("It was sent to your store, and is not to be seen there yet.")
    return Done(mapper.WHOLE, order.number, order.url)
