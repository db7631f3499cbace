"""A parcel of ours as a fulfilment. Its lines cannot be changed, its tracking can, and it can be deleted."""

from crossdock.connectors.wix import mapper, reading
from crossdock.connectors.wix.client import Client
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import NotAllowed, Outside
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, not_begun, step
from crossdock.kit.shop.webhooks import gone

NO_RIGHT = "The API key may not fulfil orders. Give it the permission “Wix eCommerce” in Account settings > API Keys."
ONLY_MARKED = "Order {number} is only marked as fulfilled in your site; enter the number there."
LONG = "Wix takes tracking numbers of at most 100 characters, and this one is longer. Correct it here."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    if len(command.tracking_number) > 100:
        return Refused(Why.INVALID, LONG)
    try:
        order = await reading.order(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    wanted = step(order, command)
    try:
        match wanted:
            case Make(units):
                ids = [await _make(client, order, command, units)]
            case Renumber(parcels) | Cancel(parcels) if any(parcel.parcel_id == mapper.BARE for parcel in parcels):
                return Refused(Why.TOO_LATE, ONLY_MARKED.format(number=order.number))
            case Renumber(parcels):
                ids = [await _renumber(client, order, command, parcel) for parcel in parcels]
            case Cancel(parcels):
                ids = [parcel.parcel_id for parcel in parcels]
                for id_ in ids:
                    await gone(client.send("DELETE", f"{reading.PARCELS}/{id_}/orders/{order.shop_id}"))
            case _:
                return wanted
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)
    return Done(",".join(ids), order.number, order.url)


async def _make(client: Client, order: ShopOrder, command: WriteFulfilment, units: dict[str, int]) -> str:
    tracking = mapper.tracking_of(command)
    body = {"lineItems": [{"id": line, "quantity": number} for line, number in units.items()]}
    json = {"fulfillment": body | ({"trackingInfo": tracking} if tracking else {})}
    return (await client.one("POST", f"{reading.PARCELS}/orders/{order.shop_id}/create-fulfillment", json=json)).id(
        "fulfillmentId"
    )


async def _renumber(client: Client, order: ShopOrder, command: WriteFulfilment, parcel: Parcel) -> str:
    """ "To remove a field's value, pass `null`" (updateFulfillment)."""
    path = f"{reading.PARCELS}/{parcel.parcel_id}/orders/{order.shop_id}"
    body = {"id": parcel.parcel_id, "trackingInfo": mapper.tracking_of(command)}
    await client.send("PATCH", path, json={"fulfillment": body})
    return parcel.parcel_id
