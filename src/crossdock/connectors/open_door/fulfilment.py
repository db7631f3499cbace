"""A parcel of ours in the shop, which keeps our key with it."""

from crossdock.connectors.open_door import mapper, reading
from crossdock.connectors.open_door.client import Client
from crossdock.domain.commands import Done, Outcome, WriteFulfilment
from crossdock.kit.errors import Outside
from crossdock.kit.shop.fulfilment import Cancel, Make, There, not_begun, step


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        node = await reading.order_node(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    order = reading.gone(client, command.shop_order_id) if node is None else mapper.order(node)
    wanted = step(order, command, There(keys={} if node is None else mapper.parcel_keys(node)))
    about = {"order_id": command.shop_order_id, "reference": command.reference}
    tracking = {
        "tracking_number": command.tracking_number,
        "carrier": command.carrier,
        "tracking_url": command.tracking_url,
        "shipped_at": mapper.moment(command.shipped_at),
    }
    match wanted:
        case Make(units):
            client.need("parcels/write", "mark the order as shipped there yourself")
            lines = mapper.units_of(units.items())
            answer = await client.ask("parcels/write", **about, key=command.key, lines=lines, **tracking)
            return Done(answer.child("parcel").id("id"), order.number, order.url, already=answer.bool("already"))
        case Cancel(parcels):
            client.need("parcels/cancel", "undo the shipment there yourself")
            for parcel in parcels:
                await client.ask("parcels/cancel", **about, parcel_id=parcel.parcel_id)
        case _ if isinstance(wanted, Outcome):
            return wanted
        case _:
            parcels = wanted.parcels
            client.need("parcels/write", "correct the tracking number there yourself")
            for parcel in parcels:
                await client.ask("parcels/write", **about, key=command.key, parcel_id=parcel.parcel_id, **tracking)
    return Done(",".join(parcel.parcel_id for parcel in parcels), order.number, order.url)
