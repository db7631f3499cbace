"""A parcel of ours in the corner shop."""

from crossdock.connectors.toy import reading
from crossdock.connectors.toy.client import Client

from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteFulfilment
from crossdock.kit.errors import Outside
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, not_begun, step


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    path = f"/api/orders/{command.shop_order_id}"
    try:
        order = await reading.order(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    wanted = step(order, command)
    tracking = {"tracking": command.tracking_number, "carrier": command.carrier}
    match wanted:
        case Make(units):
            lines = [{"line": line, "units": n} for line, n in units.items()]
            node = await client.post(f"{path}/parcels", {"lines": lines, **tracking})
            if "error" in node:
                return Refused(Why.CONFLICT, node.str("sentence"))
            ids = [node.id("id")]
        case Renumber(parcels):
            ids = [parcel.parcel_id for parcel in parcels]
            for id_ in ids:
                await client.post(f"{path}/parcels/{id_}", tracking)
        case Cancel(parcels):
            ids = [parcel.parcel_id for parcel in parcels]
            for id_ in ids:
                await client.post(f"{path}/parcels/{id_}", {"undone": True})
        case _:
            return wanted
    return Done(",".join(ids), order.number)
