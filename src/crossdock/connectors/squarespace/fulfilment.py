"""A parcel of ours as a fulfilment. Squarespace fulfils whole orders, and what stands there can be added to, not
changed.
"""

from crossdock.connectors.squarespace import mapper, reading
from crossdock.connectors.squarespace.client import Client
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import ShopOrder
from crossdock.kit.errors import NotAllowed, Outside
from crossdock.kit.shop.concurrency import patiently
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, not_begun, step, this_parcel
from crossdock.kit.shop.mapping import BARE

NO_RIGHT = "The API key may not change orders. Make one with the permission “Orders: read and write”."
WHOLE = (
    "Squarespace fulfils whole orders, and this parcel holds a part of order {number}. When the last one has left, mark"
    " the order as fulfilled in your site."
)
LONG = (
    "Squarespace takes tracking numbers of at most 100 characters, and this one is longer. Correct it here, or mark"
    " order {number} as fulfilled in your site."
)
CHANGED = "Squarespace lets no program change or delete a shipment. Change it in order {number} in your site."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        order = await reading.order(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    match step(order, command):
        case Make(units) if sum(units.values()) < sum(line.quantity for line in order.lines):
            return Refused(Why.UNSUPPORTED, WHOLE.format(number=order.number))
        case Make():
            return await _make(client, order, command)
        # What was only marked as fulfilled gets its number by a shipment that is added: "Additional shipments can be
        # added to an Order at any time, even if its status is FULFILLED" (fulfill-order).
        case Renumber(parcels) if all(parcel.parcel_id == BARE for parcel in parcels):
            return await _make(client, order, command)
        case Renumber() | Cancel():
            return Refused(Why.UNSUPPORTED, CHANGED.format(number=order.number))
        case ended:
            return ended


async def _make(client: Client, order: ShopOrder, command: WriteFulfilment) -> Outcome:
    """Answered without a body, so the order is read to know it."""
    if len(command.tracking_number) > mapper.MOST:
        return Refused(Why.INVALID, LONG.format(number=order.number))
    try:
        await client.send("POST", f"{reading.ORDERS}/{order.shop_id}/fulfillments", json=mapper.fulfilment_of(command))
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)
    try:
        made = await patiently(lambda: reading.order(client, order.shop_id))
    except Outside as error:
        return Unknown(f"The shipment was sent to your site; the order could not be read after it. {error}")
    found = this_parcel(made, command)
    if not found:
        return Unknown("The shipment was sent to your site, and is not to be seen there yet.")
    return Done(",".join(parcel.parcel_id for parcel in found), order.number, order.url)
