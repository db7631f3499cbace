"""A parcel of ours as a fulfilment: made as packed ("Pending"), then marked as shipped. Each step is looked for before
it is taken, so a lost answer is gone on with and not repeated: the core refuses nothing twice (on PostgreSQL two calls
at once make two parcels of the same units).

The handler is always the manual one: another would order a shipment for a parcel that has left. The core cannot change
a tracking code, so a changed number is a cancelled fulfilment and the same made again (mapper.py reads both as one).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crossdock.connectors.vendure import mapper, reading
from crossdock.connectors.vendure.client import Client, refusal
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import AuthDead, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.fulfilment import NOT_YET, Cancel, Make, Renumber, There, not_begun, step, this_parcel

NO_RIGHT = (
    "Your Vendure does not let us fulfil orders: give the role of our key or administrator the permission UpdateOrder."
)
DELIVERED = "Order {number}: the fulfilment is marked as delivered in your shop, so it was left as it is."


class _Said(Exception):
    """The shop's own words against it."""


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    """Alone: a fulfilment turns what is allocated into a sale, which must not move while a payment is judged."""
    async with alone(client.shop.address):
        try:
            node = await _read(client, command)
        except Outside as error:
            return not_begun(error)
        order = _order(client, command, node)
        wanted = _packed_by_us(order, command) or step(order, command, There(waiting=order.packed))
        try:
            match wanted:
                case Make(units):
                    await _make(client, command, units)
                case Renumber(parcels) | Cancel(parcels) if any(_delivered(node, parcel) for parcel in parcels):
                    return Refused(Why.TOO_LATE, DELIVERED.format(number=order.number))
                case Renumber(parcels):
                    for parcel in parcels:
                        await _move(client, _live(node, parcel), "Cancelled")
                        await _make(client, command, dict(parcel.lines))
                case Cancel(parcels):
                    for parcel in parcels:
                        await _move(client, _live(node, parcel), "Cancelled")
                case tuple():
                    for parcel in wanted:
                        await _move(client, parcel.parcel_id, "Cancelled" if command.undone else "Shipped")
                case _:
                    return wanted
        except AuthDead:
            # The order was read a moment ago with the same key.
            return Refused(Why.NOT_ALLOWED, NO_RIGHT)
        except _Said as said:
            return Refused(Why.CONFLICT, f"Your shop did not do it: {said}")
        return _done(order, wanted, _order(client, command, await _read(client, command)), command)


async def _read(client: Client, command: WriteFulfilment) -> Node | None:
    node = (await client.ask("OneOrder", id=command.shop_order_id)).opt_child("order")
    return node if node is not None and mapper.placed(node) else None


def _order(client: Client, command: WriteFulfilment, node: Node | None) -> ShopOrder:
    return reading.gone(client, command.shop_order_id) if node is None else mapper.order(node, client.shop)


def _packed_by_us(order: ShopOrder, command: WriteFulfilment) -> tuple[Parcel, ...] | Unknown | None:
    """An earlier try stopped between its two steps; or its seller packed just this parcel and did not mark it."""
    if order.reference != command.reference:
        return None
    found = this_parcel(replace(order, parcels=order.packed), replace(command, parcel_id=""))
    if found and command.only_look:
        return Unknown(NOT_YET)
    return found or None


async def _make(client: Client, command: WriteFulfilment, units: Mapping[str, int]) -> None:
    parts = [{"orderLineId": line, "quantity": n} for line, n in units.items() if n]
    method, tracking = command.carrier or "Shipped", command.tracking_number
    made = (await client.ask("Fulfil", parts=parts, method=method, tracking=tracking)).child("made")
    if words := refusal(made, "Fulfillment"):
        raise _Said(words)
    await _move(client, made.id("id"), "Shipped")


async def _move(client: Client, parcel_id: str, state: str) -> None:
    moved = (await client.ask("MoveParcel", id=parcel_id, state=state)).child("moved")
    if words := refusal(moved, "Fulfillment"):
        raise _Said(words)


def _fulfilments(node: Node | None) -> Sequence[Node]:
    return (node.opt_list("fulfillments") or ()) if node is not None else ()


def _live(node: Node | None, parcel: Parcel) -> str:
    """The fulfilment that stands behind a parcel: the mapper keeps the id of the first one when it was made again."""
    for each in _fulfilments(node):
        lines = {(line.id("orderLineId"), line.int("quantity")) for line in each.list("lines")}
        same = (each.opt_str("trackingCode") or "").strip() == parcel.tracking_number
        if each.word("state") in mapper.SHIPPED and same and lines == set(parcel.lines):
            return each.id("id")
    return parcel.parcel_id


def _delivered(node: Node | None, parcel: Parcel) -> bool:
    live = _live(node, parcel)
    return any(each.id("id") == live and each.word("state") == "Delivered" for each in _fulfilments(node))


def _done(before: ShopOrder, wanted: object, after: ShopOrder, command: WriteFulfilment) -> Outcome:
    """Under the id that the order shows it with."""
    if command.undone:
        parcels = wanted.parcels if isinstance(wanted, Cancel) else ()
        return Done(",".join(parcel.parcel_id for parcel in parcels), before.number, before.url)
    found = this_parcel(after, command)
    if not found:
        return Unknown("The fulfilment was made in your shop and is not to be seen there yet.")
    return Done(",".join(parcel.parcel_id for parcel in found), after.number, after.url)
