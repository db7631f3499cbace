"""A parcel of ours as a fulfilment that is marked as shipped. Medusa changes no number of a shipment and takes none
back: a number that changes later stands in the order's metadata, where the mapper reads it.

A fulfilment takes its units at one location, the one where they are reserved (another is a 404, or a count below zero),
so a parcel can be several. Each carries our key; one that an earlier try left packed is shipped and not made again.
"""

from collections.abc import Mapping, Sequence

from crossdock.connectors.medusa import mapper, reading
from crossdock.connectors.medusa.client import Client
from crossdock.connectors.medusa.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Declined, NotAllowed, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.fulfilment import NOT_YET, Cancel, Make, Renumber, There, not_begun, step, written

NO_RIGHT = "The API key may not fulfil orders; give its role that right, or make another key."
EDITED = "Order {number} is being edited in your store: confirm or discard the edit there, then try again."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    async with alone(client.shop.address):
        try:
            node = await reading.whole(client, command.shop_order_id)
            order = reading.shown(client, command.shop_order_id, node)
        except Outside as error:
            return not_begun(error)
        keys = _keys(node)
        begun = [each for each in order.packed if keys.get(each.parcel_id) == command.key]
        goes_on = bool(begun) and order.reference == command.reference and not command.undone
        if goes_on and command.only_look:
            return Unknown(NOT_YET)
        try:
            match step(order, command, There(order.packed, keys), split=True):
                case _ if goes_on:
                    for parcel in begun:
                        await _ship(client, order.shop_id, command, parcel.parcel_id, dict(parcel.lines))
                case Make(units):
                    await _make(client, node, command, units)
                case Renumber(parcels):
                    await _renumber(client, order, command, parcels)
                case Cancel():
                    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.FULFILMENT_UNDO))
                case ended:
                    return ended
        except NotAllowed:
            return Refused(Why.NOT_ALLOWED, NO_RIGHT)
        except Declined as refusal:
            edited = "active order change" in str(refusal)
            return Refused(Why.CONFLICT, EDITED.format(number=order.number) if edited else str(refusal))
        after = await reading.whole(client, order.shop_id)
        return written(reading.shown(client, order.shop_id, after), command, There(keys=_keys(after)))


def _fulfilments(node: Node | None) -> list[Node]:
    return node.rows("fulfillments") if node else []


def _keys(node: Node | None) -> dict[str, str]:
    return {row.text("id"): key for row in _fulfilments(node) if (key := row.view("metadata").text(mapper.KEY))}


async def _make(client: Client, node: Node | None, command: WriteFulfilment, units: Mapping[str, int]) -> None:
    """The new one is ours by its key: the seller can have cancelled one before, and pack another one meanwhile."""
    order_id, known = command.shop_order_id, {reading.id_of(row) for row in _fulfilments(node)}
    places = await _places(client, list(units))
    for place in dict.fromkeys(places.get(line, "") for line in units):
        here = {line: n for line, n in units.items() if places.get(line, "") == place}
        body = {
            "items": _items(here),
            "no_notification": True,
            "metadata": {mapper.KEY: command.key, mapper.CARRIER: command.carrier},
            **({"location_id": place} if place else {}),
        }
        query = (("fields", "id,fulfillments.id,fulfillments.metadata"),)
        made = await client.one("POST", f"orders/{order_id}/fulfillments", "order", query=query, json=body)
        ours = [row for row in made.list("fulfillments") if row.view("metadata").text(mapper.KEY) == command.key]
        for new in [id_ for row in ours if (id_ := reading.id_of(row)) not in known]:
            known.add(new)
            await _ship(client, order_id, command, new, here)


async def _places(client: Client, lines: Sequence[str]) -> dict[str, str]:
    """Where each line's units are reserved; a line that is not counted is reserved nowhere."""
    query = [("fields", "id,line_item_id,location_id"), *(("line_item_id[]", line) for line in lines)]
    rows = await client.every("reservations", "reservations", query)
    return {row.id("line_item_id"): row.id("location_id") for row in rows}


def _items(units: Mapping[str, int]) -> list[dict[str, object]]:
    return [{"id": line, "quantity": n} for line, n in units.items()]


async def _ship(client: Client, order_id: str, command: WriteFulfilment, id_: str, units: Mapping[str, int]) -> None:
    body = {"items": _items(units), "labels": mapper.label_of(command), "no_notification": True}
    await client.send("POST", f"orders/{order_id}/fulfillments/{id_}/shipments", query=(("fields", "id"),), json=body)


async def _renumber(client: Client, order: ShopOrder, command: WriteFulfilment, parcels: Sequence[Parcel]) -> None:
    """Metadata is merged by its names, so nothing else in it is lost."""
    names = [entry for parcel in parcels for entry in mapper.renumbered(parcel.parcel_id, command).items()]
    await client.send("POST", f"orders/{order.shop_id}", query=(("fields", "id"),), json={"metadata": dict(names)})
