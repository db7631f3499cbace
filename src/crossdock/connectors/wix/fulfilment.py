"""A parcel of ours as a fulfilment. Its lines cannot be changed, its tracking can, and it can be deleted."""

from collections.abc import Sequence
from functools import partial

from crossdock.connectors.wix import mapper, reading
from crossdock.connectors.wix.client import Client
from crossdock.domain.commands import Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Outside
from crossdock.kit.shop.facts import full
from crossdock.kit.shop.fulfilment import carried_out, not_begun, step
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
    return await carried_out(
        order,
        step(order, command),
        make=partial(_make, client, order, command),
        renumber=partial(_renumber, client, order, command),
        cancel=partial(_cancel, client, order),
        only_marked=ONLY_MARKED,
        no_right=NO_RIGHT,
    )


async def _make(client: Client, order: ShopOrder, command: WriteFulfilment, units: dict[str, int]) -> str:
    items = [{"id": line, "quantity": number} for line, number in units.items()]
    body = {"fulfillment": full({"lineItems": items, "trackingInfo": mapper.tracking_of(command) or {}})}
    made = await client.one("POST", f"{reading.PARCELS}/orders/{order.shop_id}/create-fulfillment", json=body)
    return made.id("fulfillmentId")


async def _renumber(client: Client, order: ShopOrder, command: WriteFulfilment, parcel: Parcel) -> None:
    """ "To remove a field's value, pass `null`" (updateFulfillment)."""
    body = {"id": parcel.parcel_id, "trackingInfo": mapper.tracking_of(command)}
    await client.send("PATCH", _path(order, parcel), json={"fulfillment": body})


async def _cancel(client: Client, order: ShopOrder, parcels: Sequence[Parcel]) -> None:
    for parcel in parcels:
        await gone(client.send("DELETE", _path(order, parcel)))


def _path(order: ShopOrder, parcel: Parcel) -> str:
    return f"{reading.PARCELS}/{parcel.parcel_id}/orders/{order.shop_id}"
