"""A parcel of ours as a shipment. The client on PyPI (bigcommerce 0.23.4) drops a shipment's `items`; here they are
sent and read.
"""

from collections.abc import Sequence
from functools import partial

from crossdock.connectors.bigcommerce import mapper, reading
from crossdock.connectors.bigcommerce.client import Client
from crossdock.domain.commands import Outcome, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.fulfilment import carried_out, live, not_begun, step
from crossdock.kit.shop.webhooks import gone

NO_RIGHT = "The API account may not change orders. Give it the scope “Orders: modify” in your store's API settings."
ONLY_MARKED = "Order {number} is only marked as shipped in your store; enter the number there, as a shipment."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        parts = await reading.parts_of(client, command.shop_order_id)
        order = reading.shown(client, parts)
    except Outside as error:
        return not_begun(error)
    return await carried_out(
        order,
        step(order, command),
        make=partial(_make, client, order, parts.lines, command),
        renumber=partial(_renumber, client, order, command),
        cancel=partial(_cancel, client, order),
        only_marked=ONLY_MARKED,
        no_right=NO_RIGHT,
    )


async def _make(
    client: Client, order: ShopOrder, lines: tuple[Node, ...], command: WriteFulfilment, units: dict[str, int]
) -> str:
    address = next(line.int("order_address_id") for line in lines if line.id("id") in units)
    body = {"order_address_id": address, "items": mapper.items_of(units), **mapper.shipment_of(command)}
    return (await client.one("POST", f"v2/orders/{order.shop_id}/shipments", json=body)).id("id")


async def _renumber(client: Client, order: ShopOrder, command: WriteFulfilment, parcel: Parcel) -> None:
    path = f"v2/orders/{order.shop_id}/shipments/{parcel.parcel_id}"
    await client.one("PUT", path, json=mapper.shipment_of(command))


async def _cancel(client: Client, order: ShopOrder, parcels: Sequence[Parcel]) -> None:
    """The status first: deleting a shipment leaves the order marked as shipped, and were our answer lost in between,
    nobody would see that something is left to do.
    """
    ids = [parcel.parcel_id for parcel in parcels]
    others = [parcel for parcel in live(order) if parcel.parcel_id not in ids]
    status = mapper.PARTLY_SHIPPED if others else mapper.AWAITING_FULFILMENT
    await client.one("PUT", f"v2/orders/{order.shop_id}", json={"status_id": status})
    for id_ in ids:
        await gone(client.send("DELETE", f"v2/orders/{order.shop_id}/shipments/{id_}"))
