"""What we do in the shop. The shop refuses whole what it cannot do whole and keeps our references and keys, so that a
repeat is harmless.
"""

from collections import Counter
from datetime import datetime

from crossdock.connectors.open_door import mapper, reading
from crossdock.connectors.open_door.client import Client
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CancelReason,
    CreateOrder,
    Done,
    Found,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteRisk,
)
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit.errors import Outside
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel_units import pick
from crossdock.kit.shop.placing import units


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """The reference is compared here as well: a shop may search by a part of it. An order that does not say its own
    may be the one that is looked for, and is Strange.
    """
    nodes = await reading.nodes(client, "orders/read", reference=reference)
    return Found(tuple(node.id("id") for node in nodes if node.str("reference") == reference))


async def create(client: Client, command: CreateOrder) -> Outcome:
    node = await client.ask("orders/create", order=mapper.new_order(command))
    made, already = mapper.order(node.child("order")), node.bool("already")
    if made.reference != command.reference:
        return Unknown("Your shop answered with another order than the one that was placed.")
    if already:
        return as_found(made)
    if _units(made) != units(command):
        return await _taken_back(client, command, made)
    return Done(made.shop_id, made.number, made.url, stock_taken=made.stock_taken)


def _units(order: ShopOrder) -> Counter[str]:
    there = Counter[str]()
    for line in order.lines:
        there[line.variant_id] += line.quantity
    return +there


async def _taken_back(client: Client, command: CreateOrder, made: ShopOrder) -> Outcome:
    """The shop made another order of it (one that trims does): what was not bought does not stay there."""
    short = tuple(variant for variant, wanted in units(command).items() if _units(made)[variant] < wanted)
    asked = CancelOrder(command.reference, made.shop_id, CancelReason.NOT_AVAILABLE)
    try:
        gone = isinstance(await cancel(client, asked), Done)
    # Whatever stopped the cancelling, the order stands there: its no is none to the order itself.
    except Outside:
        gone = False
    if not gone:
        return Unknown(f"Your shop changed order {made.number} while taking it: look at it there.")
    sentence = "Your shop did not take the order with all its units; what it had made was cancelled there."
    return Refused(Why.NO_STOCK if short else Why.INVALID, sentence, short)


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    return as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    client.need("orders/cancel", "cancel the order there yourself")
    node = await client.ask(
        "orders/cancel",
        order_id=command.shop_order_id,
        reference=command.reference,
        reason=str(command.reason),
        note=command.note,
    )
    order = mapper.order(node.child("order"))
    if (order.shop_id, order.reference) != (command.shop_order_id, command.reference):
        return Unknown("Your shop answered with another order than the one that was to be cancelled.")
    if order.state is not ShopOrderState.CANCELLED:
        return Unknown(f"Your shop says that order {order.number} is cancelled, and shows it open.")
    return Done(order.shop_id, order.number, order.url, already=node.bool("already"))


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    node = await reading.order_node(client, command.shop_order_id)
    order = reading.gone(client, command.shop_order_id) if node is None else mapper.order(node)
    wanted = pick(order, command, {} if node is None else mapper.cancelled_keys(node))
    if not isinstance(wanted, dict):
        return wanted
    client.need("orders/cancel_units", "take the units out of the order there yourself")
    answer = await client.ask(
        "orders/cancel_units",
        order_id=command.shop_order_id,
        reference=command.reference,
        key=command.key,
        lines=mapper.units_of(wanted.items()),
        reason=str(command.reason),
        note=command.note,
    )
    return Done("", order.number, order.url, already=answer.bool("already"))


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    client.need("counts/adjust", "correct the count there yourself")
    node = await client.ask(
        "counts/adjust",
        product_id=command.product_id,
        variant_id=command.variant_id,
        delta=command.delta,
        key=command.key,
        reason=command.reason,
    )
    return Done(command.variant_id, already=node.bool("already"))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    client.need("notes/write", "the risk is shown here alone")
    node = await client.ask(
        "notes/write",
        order_id=command.shop_order_id,
        reference=command.reference,
        key=command.key,
        text=risk_notes.note(command),
    )
    return Done(command.shop_order_id, already=node.bool("already"))
