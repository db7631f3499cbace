"""A parcel of ours as a fulfilment that is marked as shipped. Medusa changes no number of a shipment and takes none
back: a number that changes later stands in the order's metadata, where the mapper reads it.

A fulfilment takes its units at one location, the one where they are reserved (another is a 404, or a count below zero),
so a parcel can be several. Each carries our key; one that an earlier try left packed is shipped and not made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossdock.connectors.medusa import mapper, reading
from crossdock.connectors.medusa.client import Client
from crossdock.connectors.medusa.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Declined, NotAllowed
from crossdock.kit.json_node import Node
from crossdock.kit.shop.fulfilment import by_key

NO_RIGHT = "The API key may not fulfil orders; give its role that right, or make another key."
EDITED = "Order {number} is being edited in your store: confirm or discard the edit there, then try again."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        return await by_key(command, client.shop.address, Hands(client, command))
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)


@dataclass(frozen=True, slots=True)
class Hands:
    """Writes one parcel (kit/shop/fulfilment.py: Hands)."""

    client: Client
    command: WriteFulfilment

    async def read(self) -> tuple[Node | None, ShopOrder]:
        node = await reading.whole(self.client, self.command.shop_order_id)
        return node, reading.shown(self.client, self.command.shop_order_id, node)

    def keys(self, node: Node) -> dict[str, str]:
        return {row.text("id"): row.view("metadata").text(mapper.KEY) for row in node.rows("fulfillments")}

    def begun(self, parcel: Parcel, key: str) -> bool:
        return key == self.command.key and not self.command.undone

    async def make(self, node: Node, units: Mapping[str, int]) -> None:
        """The new one is ours by its key: the seller can have cancelled one before, and pack another one meanwhile."""
        known = {reading.id_of(row) for row in node.rows("fulfillments")}
        places = await _places(self.client, list(units))
        for place in dict.fromkeys(places.get(line, "") for line in units):
            here = {line: n for line, n in units.items() if places.get(line, "") == place}
            body = {
                "items": _items(here),
                "no_notification": True,
                "metadata": {mapper.KEY: self.command.key, mapper.CARRIER: self.command.carrier},
                **({"location_id": place} if place else {}),
            }
            query = (("fields", "id,fulfillments.id,fulfillments.metadata"),)
            path = f"orders/{self.command.shop_order_id}/fulfillments"
            made = await self.client.one("POST", path, "order", query=query, json=body)
            key, rows = self.command.key, made.list("fulfillments")
            ours = [row for row in rows if row.view("metadata").text(mapper.KEY) == key]
            for new in [id_ for row in ours if (id_ := reading.id_of(row)) not in known]:
                known.add(new)
                await self._send(new, here)

    async def ship(self, parcel: Parcel) -> None:
        await self._send(parcel.parcel_id, dict(parcel.lines))

    async def _send(self, id_: str, units: Mapping[str, int]) -> None:
        body = {"items": _items(units), "labels": mapper.label_of(self.command), "no_notification": True}
        path = f"orders/{self.command.shop_order_id}/fulfillments/{id_}/shipments"
        await self.client.send("POST", path, query=(("fields", "id"),), json=body)

    async def renumber(self, parcel: Parcel) -> None:
        """Metadata is merged by its names, so nothing else in it is lost."""
        body = {"metadata": mapper.renumbered(parcel.parcel_id, self.command)}
        await self.client.send("POST", f"orders/{self.command.shop_order_id}", query=(("fields", "id"),), json=body)

    async def cancel(self, node: Node, parcel: Parcel) -> None:
        raise Declined(MANIFEST.sentence(Capability.FULFILMENT_UNDO), Why.UNSUPPORTED)

    async def complete(self, parcel: Parcel) -> None:
        """All of it is written at once."""

    def refused(self, refusal: Declined, order: ShopOrder) -> Refused:
        if "active order change" in str(refusal):
            return Refused(Why.CONFLICT, EDITED.format(number=order.number))
        return Refused(refusal.why if refusal.why is Why.UNSUPPORTED else Why.CONFLICT, str(refusal))


async def _places(client: Client, lines: Sequence[str]) -> dict[str, str]:
    """Where each line's units are reserved; a line that is not counted is reserved nowhere."""
    query = [("fields", "id,line_item_id,location_id"), *(("line_item_id[]", line) for line in lines)]
    rows = await client.every("reservations", "reservations", query)
    return {row.id("line_item_id"): row.id("location_id") for row in rows}


def _items(units: Mapping[str, int]) -> list[dict[str, object]]:
    return [{"id": line, "quantity": n} for line, n in units.items()]
