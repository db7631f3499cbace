"""A parcel of ours as a shipment. The client on PyPI (bigcommerce 0.23.4) drops a shipment's `items`; here they are
sent and read.
"""

from crossdock.connectors.bigcommerce import mapper, reading
from crossdock.connectors.bigcommerce.client import Client
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import NotAllowed, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, live, not_begun, step
from crossdock.kit.shop.webhooks import gone

NO_RIGHT = "The API account may not change orders. Give it the scope “Orders: modify” in your store's API settings."
ONLY_MARKED = "Order {number} is only marked as shipped in your store; enter the number there, as a shipment."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        parts = await reading.parts_of(client, command.shop_order_id)
        order = reading.shown(client, parts)
    except Outside as error:
        return not_begun(error)
    wanted = step(order, command)
    try:
        match wanted:
            case Make(units):
                ids = [await _make(client, order, parts.lines, command, units)]
            case Renumber(parcels) | Cancel(parcels) if any(parcel.parcel_id == mapper.BARE for parcel in parcels):
                return Refused(Why.TOO_LATE, ONLY_MARKED.format(number=order.number))
            case Renumber(parcels):
                ids = [await _renumber(client, order, command, parcel) for parcel in parcels]
            case Cancel(parcels):
                ids = await _cancel(client, order, parcels)
            case _:
                return wanted
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)
    return Done(",".join(ids), order.number, order.url)


async def _make(
    client: Client, order: ShopOrder, lines: tuple[Node, ...], command: WriteFulfilment, units: dict[str, int]
) -> str:
    address = next(line.int("order_address_id") for line in lines if line.id("id") in units)
    body = {"order_address_id": address, "items": mapper.items_of(units), **mapper.shipment_of(command)}
    return (await client.one("POST", f"v2/orders/{order.shop_id}/shipments", json=body)).id("id")


async def _renumber(client: Client, order: ShopOrder, command: WriteFulfilment, parcel: Parcel) -> str:
    path = f"v2/orders/{order.shop_id}/shipments/{parcel.parcel_id}"
    await client.one("PUT", path, json=mapper.shipment_of(command))
    return parcel.parcel_id


async def _cancel(client: Client, order: ShopOrder, parcels: tuple[Parcel, ...]) -> list[str]:
    """The status first: deleting a shipment leaves the order marked as shipped, and were our answer lost in between,
    nobody would see that something is left to do.
    """
    ids = [parcel.parcel_id for parcel in parcels]
    others = [parcel for parcel in live(order) if parcel.parcel_id not in ids]
    status = mapper.PARTLY_SHIPPED if others else mapper.AWAITING_FULFILMENT
    await client.one("PUT", f"v2/orders/{order.shop_id}", json={"status_id": status})
    for id_ in ids:
        await gone(client.send("DELETE", f"v2/orders/{order.shop_id}/shipments/{id_}"))
    return ids
