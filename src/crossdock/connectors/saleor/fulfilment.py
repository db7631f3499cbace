"""A parcel of ours as a fulfilment, at the warehouses where its units are allocated: one for each of them. Saleor keeps
no carrier and no key; both stand in the fulfilment's private metadata, written right after it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crossdock.connectors.saleor import mapper, orders, reading
from crossdock.connectors.saleor.client import Client, Refusal
from crossdock.domain.commands import Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Declined
from crossdock.kit.json_node import Node
from crossdock.kit.shop.fulfilment import by_key, same_number

EXCEEDED = (
    "Your shop counts fewer units of order {number} at a warehouse than this parcel holds. Correct the stock there, or"
    " fulfil the order in your shop and let it exceed the stock."
)


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    return await by_key(command, client.shop.address, Hands(client, command))


@dataclass(frozen=True, slots=True)
class Hands:
    """Writes one parcel (kit/shop/fulfilment.py: Hands)."""

    client: Client
    command: WriteFulfilment

    async def read(self) -> tuple[Node | None, ShopOrder]:
        return await reading.read(self.client, self.command.shop_order_id)

    def keys(self, node: Node) -> dict[str, str]:
        rows = node.rows("fulfillments")
        return {row.text("id"): mapper.words_in(row, "privateMetadata").get(mapper.KEY, "") for row in rows}

    def begun(self, parcel: Parcel, key: str) -> bool:
        """By its number where a try stopped before the key was written."""
        number = self.command.tracking_number
        return key == self.command.key if key else bool(number) and same_number(parcel.tracking_number, number)

    async def make(self, node: Node, units: Mapping[str, int]) -> None:
        """What is not tracked has no stock to be taken from, and is let through; what is must be there."""
        if why := await orders.pay(self.client, node, self.command.reference):
            raise Declined(why)
        rows, number = list(_lines(self.client, node, units)), self.command.tracking_number
        for beyond in (False, True):
            if lines := [line for tracked, line in rows if tracked is not beyond]:
                made = await self.client.do("Fulfil", order=node.id("id"), lines=lines, tracking=number, beyond=beyond)
                for row in made.list("fulfillments"):
                    await self._mark(row.id("id"))
                    if row.word("status") == mapper.WAITING:
                        await self.client.do("Approve", id=row.id("id"))

    async def renumber(self, parcel: Parcel) -> None:
        await self.client.do("Renumber", id=parcel.parcel_id, tracking=self.command.tracking_number)
        await self._mark(parcel.parcel_id)

    async def cancel(self, node: Node, parcel: Parcel) -> None:
        """Units go back to where they came from; Saleor wants a warehouse for those too that came from none."""
        places = {row.text("id"): row.view("warehouse").text("id") for row in node.rows("fulfillments")}
        place = places.get(parcel.parcel_id) or _home(self.client)
        await self.client.do("Undo", id=parcel.parcel_id, place=place)

    async def ship(self, parcel: Parcel) -> None:
        await self._mark(parcel.parcel_id)
        await self.client.do("Approve", id=parcel.parcel_id)

    async def complete(self, parcel: Parcel) -> None:
        """An earlier try may have stopped before it could say who carries the parcel."""
        if self.command.carrier and not parcel.carrier:
            await self._mark(parcel.parcel_id)

    async def _mark(self, id_: str) -> None:
        await self.client.do("Mark", id=id_, words=mapper.marks_of(self.command))

    def refused(self, refusal: Declined, order: ShopOrder) -> Refused:
        exceeded = isinstance(refusal, Refusal) and refusal.code == "INSUFFICIENT_STOCK"
        return Refused(Why.CONFLICT, EXCEEDED.format(number=order.number) if exceeded else str(refusal))


def _lines(client: Client, node: Node, units: Mapping[str, int]) -> Iterator[tuple[bool, dict[str, object]]]:
    """Whether its stock is tracked, and the line with its units by warehouse: where they are allocated; what is
    allocated nowhere leaves from the first warehouse.
    """
    for line in node.list("lines"):
        left, places = units.get(line.id("id"), 0), Counter[str]()
        for row in line.opt_list("allocations") or ():
            here = min(left, row.int("quantity"))
            places[row.child("warehouse").id("id")] += here
            left -= here
        places[_home(client)] += left
        if stocks := [{"warehouse": place, "quantity": number} for place, number in places.items() if number]:
            tracked = line.view("variant").raw("trackInventory") is True
            yield tracked, {"orderLineId": line.id("id"), "stocks": stocks}


def _home(client: Client) -> str:
    return client.shop.settings.get("warehouses", "").split(",")[0]
