"""What we do in the shop. The shop refuses whole what it cannot do whole and keeps our references and keys, so that a
repeat is harmless.
"""

from collections import Counter

from crossdock.connectors.open_door import mapper, reading
from crossdock.connectors.open_door.client import Client
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CancelReason,
    CreateOrder,
    Done,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit import risk
from crossdock.kit.errors import Outside, ending
from crossdock.kit.fulfilment import Cancel, Make, There, not_begun, step
from crossdock.kit.part import pick


@ending
async def create(client: Client, command: CreateOrder) -> Outcome:
    node = await client.ask("orders/create", order=mapper.new_order(command))
    made, already = mapper.order(node.child("order")), node.bool("already")
    if made.reference != command.reference:
        return Unknown("Your shop answered with another order than the one that was placed.")
    if already:
        return as_found(made)
    if _units(made) != _asked(command):
        return await _taken_back(client, command, made)
    return Done(made.shop_id, made.number, made.url, stock_taken=made.stock_taken)


def _units(order: ShopOrder) -> Counter[str]:
    units = Counter[str]()
    for line in order.lines:
        units[line.variant_id] += line.quantity
    return +units


def _asked(command: CreateOrder) -> Counter[str]:
    units = Counter[str]()
    for line in command.lines:
        units[line.variant_id] += line.quantity
    return units


async def _taken_back(client: Client, command: CreateOrder, made: ShopOrder) -> Outcome:
    """The shop made another order of it (one that trims does): what was not bought does not stay there."""
    short = tuple(variant for variant, units in _asked(command).items() if _units(made)[variant] < units)
    asked = CancelOrder(command.reference, made.shop_id, CancelReason.NOT_AVAILABLE)
    if not isinstance(await cancel(client, asked), Done):
        return Unknown(f"Your shop changed order {made.number} while taking it: look at it there.")
    sentence = "Your shop did not take the order with all its units; what it had made was cancelled there."
    return Refused(Why.NO_STOCK if short else Why.INVALID, sentence, short)


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    return as_found(found)


@ending
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
    if order.state is not ShopOrderState.CANCELLED:
        return Unknown(f"Your shop says that order {order.number} is cancelled, and shows it open.")
    return Done(order.shop_id, order.number, order.url, already=node.bool("already"))


@ending
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


@ending
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


@ending
async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    client.need("notes/write", "the risk is shown here alone")
    node = await client.ask(
        "notes/write",
        order_id=command.shop_order_id,
        reference=command.reference,
        key=command.key,
        text=risk.note(command),
    )
    return Done(command.shop_order_id, already=node.bool("already"))


@ending
async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        node = await reading.order_node(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    order = reading.gone(client, command.shop_order_id) if node is None else mapper.order(node)
    wanted = step(order, command, There(keys={} if node is None else mapper.parcel_keys(node)))
    about = {"order_id": command.shop_order_id, "reference": command.reference}
    tracking = {
        "tracking_number": command.tracking_number,
        "carrier": command.carrier,
        "tracking_url": command.tracking_url,
        "shipped_at": mapper.moment(command.shipped_at),
    }
    match wanted:
        case Make(units):
            client.need("parcels/write", "mark the order as shipped there yourself")
            lines = mapper.units_of(units.items())
            answer = await client.ask("parcels/write", **about, key=command.key, lines=lines, **tracking)
            return Done(answer.child("parcel").id("id"), order.number, order.url, already=answer.bool("already"))
        case Cancel(parcels):
            client.need("parcels/cancel", "undo the shipment there yourself")
            for parcel in parcels:
                await client.ask("parcels/cancel", **about, parcel_id=parcel.parcel_id)
        case _ if isinstance(wanted, Outcome):
            return wanted
        case _:
            parcels = wanted.parcels
            client.need("parcels/write", "correct the tracking number there yourself")
            for parcel in parcels:
                await client.ask("parcels/write", **about, key=command.key, parcel_id=parcel.parcel_id, **tracking)
    return Done(",".join(parcel.parcel_id for parcel in parcels), order.number, order.url)
