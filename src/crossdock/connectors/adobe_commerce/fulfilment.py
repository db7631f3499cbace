"""A parcel of ours as a shipment with its number. Magento takes no shipment back; a number can be taken out and added.

A shipment takes its units out of one source, which has to be named where there are several (SourceDeductionProcessor);
which one is Magento's own choice, and a parcel out of two sources is two shipments.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from crossdock.connectors.adobe_commerce import mapper, reading
from crossdock.connectors.adobe_commerce.client import Client
from crossdock.connectors.adobe_commerce.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import number
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, Step, ids_of, looked_at, same_number, written

NO_RIGHT = "The integration may not write shipments: give it Sales > Operations > Orders > Actions > Ship."
NO_STOCK = "No source of your shop has the units of this parcel; look at the product's quantities per source there."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    async with alone(client.shop.address):
        read, act = partial(reading.read, client, command.shop_order_id), partial(_act, client, command)
        return await looked_at(command, read, act, no_right=NO_RIGHT, split=True)


async def _act(
    client: Client, command: WriteFulfilment, node: Node, order: ShopOrder, wanted: Step | Outcome
) -> Outcome:
    match wanted:
        case Make() if node.text("state") == mapper.HELD:
            return Refused(Why.CONFLICT, mapper.ON_HOLD.format(number=order.number))
        case Make(rows):
            return await _made(client, order, command, rows)
        case Renumber(parcels):
            await _renumbered(client, order, command, parcels)
            return Done(ids_of(parcels), order.number, order.url)
        case Cancel():
            return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.FULFILMENT_UNDO))
    return wanted


async def _made(client: Client, order: ShopOrder, command: WriteFulfilment, rows: Mapping[str, int]) -> Outcome:
    """`notify` is false unless it is said (ShipOrderInterface)."""
    places = await _places(client, order, rows)
    if places is None:
        return Refused(Why.CONFLICT, NO_STOCK)
    tracks = [mapper.track_of(command)] if command.tracking_number else []
    for source, here in places.items():
        items = [{"order_item_id": int(line), "qty": n} for line, n in here.items()]
        named = {"arguments": {"extension_attributes": {"source_code": source}}} if source else {}
        body = {"items": items, "notify": False, "tracks": tracks, **named}
        await client.send("POST", f"order/{order.shop_id}/ship", json=body)
    # Sent is sent: an order that is not to be seen after it is not known to be without its parcel.
    after = await reading.order(client, order.shop_id)
    if not command.tracking_number:
        # Without a number the new one is known by being new.
        known = tuple(parcel.parcel_id for parcel in order.parcels)
        command = replace(command, parcel_id="", others=(*command.others, *known))
    return written(after, command)


async def _places(client: Client, order: ShopOrder, rows: Mapping[str, int]) -> dict[str, dict[str, int]] | None:
    """Units by line for each source. None where the units are nowhere."""
    sources = client.shop.settings["sources"].split()
    if len(sources) < 2:
        # Named as well: what counts as one source alone is not the stock's but the whole shop's (IsSingleSourceMode).
        return {next(iter(sources), ""): dict(rows)}
    skus = {line.line_id: line.sku for line in order.lines}
    items = [{"sku": skus[line], "qty": n} for line, n in rows.items()]
    asked = {"stock_id": int(client.shop.settings["stock"]), "items": items}
    body = {"inventoryRequest": asked, "algorithmCode": "priority"}
    reply = await client.send("POST", "inventory/source-selection-algorithm-result", json=body)
    places, left = dict[str, Counter[str]](), dict(rows)
    for row in node_of(reply.json(), "source selection").list("source_selection_items"):
        units, place = row.int("qty_to_deduct"), places.setdefault(row.word("source_code"), Counter())
        for line in [line for line in left if skus[line] == row.text("sku")]:
            here = max(0, min(units, left[line]))
            place[line] += here
            left[line] -= here
            units -= here
    return None if any(left.values()) else {source: dict(+place) for source, place in places.items() if +place}


async def _renumbered(client: Client, order: ShopOrder, command: WriteFulfilment, parcels: tuple[Parcel, ...]) -> None:
    """The old number goes first: what is then without one gets the new one when it is tried again."""
    ids = {parcel.parcel_id.partition("-")[0] for parcel in parcels}
    for row in await client.of("shipments", "entity_id", ids):
        parcel = next(each for each in parcels if each.parcel_id.partition("-")[0] == row.text("entity_id"))
        # With the number that the parcel was read with; a further one of the seller's stays.
        for track in row.rows("tracks") if parcel.tracking_number else ():
            if same_number(track.text("track_number"), parcel.tracking_number):
                await client.send("DELETE", f"shipment/track/{number(track, 'entity_id')}")
        if command.tracking_number:
            of = {"order_id": int(order.shop_id), "parent_id": int(number(row, "entity_id"))}
            entity = of | {"weight": 0, "qty": 0, "description": ""} | mapper.track_of(command)
            await client.send("POST", "shipment/track", json={"entity": entity})
