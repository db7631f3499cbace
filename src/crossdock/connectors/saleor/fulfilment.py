"""A parcel of ours as a fulfilment, at the warehouses where its units are allocated: one for each of them. Saleor keeps
no carrier and no key; both stand in the fulfilment's private metadata, written right after it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from crossdock.connectors.saleor import mapper, orders, reading
from crossdock.connectors.saleor.client import Client, Refusal
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.fulfilment import (
    Cancel,
    Make,
    Renumber,
    Ship,
    There,
    begun_or,
    not_begun,
    same_number,
    written,
)

EXCEEDED = (
    "Your shop counts fewer units of order {number} at a warehouse than this parcel holds. Correct the stock there, or"
    " fulfil the order in your shop and let it exceed the stock."
)


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    async with alone(client.shop.address):
        try:
            node, order = await reading.read(client, command.shop_order_id)
        except Outside as error:
            return not_begun(error)
        keys = _keys(node)
        begun = tuple(each for each in order.packed if _ours(each, keys, command))
        try:
            match begun_or(order, command, There(order.packed, keys), begun, split=True):
                case Make(units) if node is not None:
                    if why := await orders.pay(client, node, command.reference):
                        return Refused(Why.CONFLICT, why)
                    await _make(client, node, command, units)
                case Renumber(parcels):
                    for parcel in parcels:
                        await client.do("Renumber", id=parcel.parcel_id, tracking=command.tracking_number)
                        await _mark(client, command, parcel.parcel_id)
                case Cancel(parcels):
                    for parcel in parcels:
                        place = {"warehouseId": _place(client, node, parcel)}
                        await client.do("Undo", id=parcel.parcel_id, input=place)
                    return Done(_ids(parcels), order.number, order.url)
                case Ship(parcels):
                    for parcel in parcels:
                        if parcel.parcel_id not in keys:
                            await _mark(client, command, parcel.parcel_id)
                        await client.do("Approve", id=parcel.parcel_id)
                case ended:
                    return await _ended(client, command, order, ended)
        except Refusal as refusal:
            exceeded = refusal.code == "INSUFFICIENT_STOCK"
            return Refused(Why.CONFLICT, EXCEEDED.format(number=order.number) if exceeded else str(refusal))
        return written(await reading.order(client, command.shop_order_id), command)


def _keys(node: Node | None) -> dict[str, str]:
    rows = node.rows("fulfillments") if node is not None else []
    words = {row.text("id"): mapper.words_in(row, "privateMetadata").get(mapper.KEY, "") for row in rows}
    return {id_: key for id_, key in words.items() if key}


def _ours(parcel: Parcel, keys: Mapping[str, str], command: WriteFulfilment) -> bool:
    """By our key; or by its number where a try stopped before the key was written."""
    if parcel.parcel_id in keys:
        return keys[parcel.parcel_id] == command.key
    return bool(command.tracking_number) and same_number(parcel.tracking_number, command.tracking_number)


def _ids(parcels: Sequence[Parcel]) -> str:
    return ",".join(parcel.parcel_id for parcel in parcels)


async def _ended(client: Client, command: WriteFulfilment, order: ShopOrder, outcome: object) -> Outcome:
    """An earlier try may have stopped before it could say who carries the parcel."""
    assert isinstance(outcome, Done | Refused | Unknown)
    if isinstance(outcome, Done) and not (command.undone or command.only_look):
        for parcel in order.parcels:
            if parcel.parcel_id in outcome.shop_id.split(",") and command.carrier and not parcel.carrier:
                await _mark(client, command, parcel.parcel_id)
    return outcome


async def _make(client: Client, node: Node, command: WriteFulfilment, units: Mapping[str, int]) -> None:
    """What is not tracked has no stock to be taken from, and is let through; what is must be there."""
    rows = list(_lines(client, node, units))
    for beyond in (False, True):
        lines = [line for tracked, line in rows if tracked is not beyond]
        if not lines:
            continue
        made = await client.do(
            "Fulfil", order=node.id("id"), lines=lines, tracking=command.tracking_number, beyond=beyond
        )
        for row in made.list("fulfillments"):
            await _mark(client, command, row.id("id"))
            if row.word("status") == mapper.WAITING:
                await client.do("Approve", id=row.id("id"))


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


async def _mark(client: Client, command: WriteFulfilment, id_: str) -> None:
    await client.do("Mark", id=id_, words=mapper.marks_of(command))


def _place(client: Client, node: Node | None, parcel: Parcel) -> str:
    """Units go back to where they came from; Saleor wants a warehouse for those too that came from none."""
    rows = node.rows("fulfillments") if node is not None else []
    places = {row.text("id"): row.view("warehouse").text("id") for row in rows}
    return places.get(parcel.parcel_id) or _home(client)
