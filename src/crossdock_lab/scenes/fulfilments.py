"""S7 the other way round: what is shipped here is fulfilled in the shop, once, with faults on. Parcels are counted in
the shop's own ledger.
"""

from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Order, Shipment

# A chance is per call, and a parcel takes several: with more, hardly one is written at the first try, and each other
# one waits for the horizon.
FAULTS = {"throttle": 0.05, "lost_reply": 0.15, "duplicate": 0.2, "out_of_order": 0.2}
OFTEN = {**FAULTS, "lost_reply": 0.4}


def _ship(stage: Stage, order: "Order", number: str, units: int) -> "Shipment":
    from crossdock.usecases.orders.actions import ship_by_hand

    line = order.lines.get()
    return ship_by_hand(
        order=order, lines={line.pk: units}, tracking=number, carrier="UPS", actor=stage.seller.owner, now=now()
    )


def _proved(stage: Stage, parcel: "Shipment", state: str = "equal") -> None:
    from crossdock.store.models import Fulfilment

    found = Fulfilment.objects.filter(shipment=parcel, state=state)
    stage.trial.until(found.exists, PATIENCE, f"the fulfilment of {parcel.tracking_number} to be {state}")


def _there(stage: Stage, order: "Order") -> int:
    (standing,) = stage.standing(order)
    return standing.parcels


def _mailed(stage: Stage, order: "Order") -> list[str]:
    return [mail["to"] for mail in stage.shop.shelf.ledger("mail") if order.relay_email in str(mail["to"])]


def pushed(stage: Stage) -> None:
    """With answers lost: found again, never made twice, read back and equal; then renumbered and undone."""
    _pushed(stage, FAULTS)


def pushed_often_lost(stage: Stage) -> None:
    """Enough answers are lost that whoever repeats blindly makes a second parcel."""
    _pushed(stage, OFTEN)


def _pushed(stage: Stage, faults: dict[str, float]) -> None:
    ref, variant = stage.item(30)
    orders = [stage.buy(variant, 3) for _ in range(3)]
    for order in orders:
        stage.lands(order)
    count = stage.count(ref)
    stage.shop.dial.set(faults)
    units = 1 if stage.manifest.can(Capability.TRACKING_PARTIAL) else 3
    parcels = [_ship(stage, order, f"PUSH-{order.number}", units) for order in orders]
    stage.trial.until(lambda: all(_there(stage, order) for order in orders), 2 * PATIENCE, "the parcels in the shop")
    stage.calm()
    for parcel in parcels:
        _proved(stage, parcel)
    there = [_there(stage, order) for order in orders]
    stage.see(there == [1, 1, 1], "S7", f"3 parcels shipped here stand in the shop as {there}, with answers lost")
    here = [order.shipments.count() for order in orders]
    mails = [order.timeline.filter(kind="shipped").count() for order in orders]
    stage.see(
        here == [1, 1, 1] == mails and not any(_mailed(stage, order) for order in orders),
        "S7",
        "read back they are the same parcels; the buyer heard of each once, and not from the shop",
    )
    stage.see(stage.count(ref) == count, "S7", f"fulfilling moved no stock: the shop counts {stage.count(ref)}")
    if stage.manifest.can(Capability.FULFILMENT_UNDO):
        _changed(stage, orders[0], parcels[0])


def _changed(stage: Stage, order: "Order", parcel: "Shipment") -> None:

    from crossdock.store.models import Order, Shipment
    from crossdock.usecases.orders.actions import change_tracking
    from crossdock.usecases.orders.fulfilments import wish
    from crossdock.usecases.orders.parcels import undo_shipment
    from crossdock.usecases.record.telling import telling

    change_tracking(
        shipment=parcel, tracking=f"MOVED-{order.number}", carrier="UPS", actor=stage.seller.owner, now=now()
    )
    _proved(stage, parcel)
    stage.see(
        _there(stage, order) == 1 and order.shipments.get().tracking_number == f"MOVED-{order.number}",
        "S7",
        "another number here is another number there, and one parcel on both sides",
    )
    with telling(now()) as told:
        order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
        undo_shipment(order=order, parcel_id=parcel.parcel_id, source="seller", sentence="It did not leave.", told=told)
        wish(order=order, shipment=Shipment.objects.get(pk=parcel.pk), now=now())
    _proved(stage, parcel, "cancelled")
    order.refresh_from_db()
    stage.see(
        _there(stage, order) == 0 and order.parcels == "unshipped",
        "S7",
        "undone here, it is cancelled there and comes back by no poll",
    )


SCENES: tuple[Scene, ...] = (pushed,)
BUGS: dict[str, tuple[Scene, ...]] = {"fulfil_blind": (pushed_often_lost,)}
