"""A parcel that was entered here stands in the shop too: wished for, sent, acknowledged, read back.

What the shop shows of it is no news of another parcel (echo), and a snapshot that is older than what we wrote changes
nothing: a difference is believed when a second look shows it again.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind, Done, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.domain.orders import (
    CopyState,
    OrderEvent,
    OrderShipped,
    ParcelRepacked,
    ParcelUndone,
    TrackingChanged,
)
from crossdock.domain.parcels import rows_of as rows_there
from crossdock.domain.shipping import plain
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Command, Fulfilment, Order, Shipment, ShopCopy, User
from crossdock.store.models.work import CommandState
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.orders.shop_lines import bonds_of
from crossdock.usecases.outbox.payloads import FULFILMENT
from crossdock.usecases.outbox.queue import enqueue
from crossdock.usecases.record.rights import require, side_of
from crossdock.usecases.record.telling import Telling, telling

_THERE = (CopyState.ACKNOWLEDGED, CopyState.EQUAL, CopyState.DIFFERS)
_OPEN = (CommandState.WAITING, CommandState.IN_FLIGHT)


def key_of(order: Order, shipment_id: int) -> str:
    return f"parcel:{order.reference}:{shipment_id}"


def wish(*, order: Order, shipment: Shipment, now: datetime) -> None:
    """The shop is to show this parcel as it is here now. The caller holds the order's lock.

    Nothing is asked of a shop whose seller switched it off, and nothing before the order stands there (`wish_all`).
    """
    shop = order.connection
    if shop is None or not shop.push_fulfilments:
        return
    row = Fulfilment.objects.filter(shipment=shipment).first()
    if row is None:
        if shipment.undone_at is not None:
            return
        row = Fulfilment.objects.create(shipment=shipment, intended_at=now)
    key = key_of(order, shipment.pk)
    line = Command.objects.filter(
        subject=order.reference, kind=CommandKind.WRITE_FULFILMENT, cause__startswith=f"{key}:"
    )
    line.filter(state=CommandState.WAITING, attempts=0).update(
        state=CommandState.WITHDRAWN, finished_at=now, sentence="The parcel changed before this was sent."
    )
    asked = line.exclude(state=CommandState.WITHDRAWN).exists()
    if shipment.undone_at is not None and not asked and not shipment.there:
        row.state = CopyState.CANCELLED
        row.save(update_fields=["state"])
        return
    row.state, row.sentence, row.intended_at = CopyState.INTENDED, "", now
    row.sent_at = row.acknowledged_at = row.equal_at = None
    copy = (
        ShopCopy.objects.filter(order=order, state__in=_THERE, cancelled_there=False).exclude(shop_order_id="").first()
    )
    if copy is not None:
        if shipment.tracking_number not in row.numbers:
            row.numbers = [*row.numbers, shipment.tracking_number]
        enqueue(
            party=shop.party,
            cause=f"{key}:{line.count()}",
            subject=order.reference,
            kind=CommandKind.WRITE_FULFILMENT,
            payload=FULFILMENT.dump_python(_command(order, shipment, row, copy), mode="json"),
            now=now,
        )
    row.save()


def wish_all(*, order: Order, now: datetime) -> None:
    """The order stands in the shop now: parcels that were entered before go there as well."""
    for row in Fulfilment.objects.filter(shipment__order=order, state=CopyState.INTENDED).select_related("shipment"):
        if not pending(order, row.shipment_id):
            wish(order=order, shipment=row.shipment, now=now)


def pending(order: Order, shipment_id: int) -> bool:
    """Something about this parcel is still to be written: what is read now is neither the old nor the new."""
    asked = Command.objects.filter(subject=order.reference, kind=CommandKind.WRITE_FULFILMENT, state__in=_OPEN)
    return asked.filter(cause__startswith=f"{key_of(order, shipment_id)}:").exists()


def _command(order: Order, shipment: Shipment, row: Fulfilment, copy: ShopCopy) -> WriteFulfilment:
    units, ours = Counter[str](), Counter[int]()
    for part in shipment.lines.select_related("line"):
        units[part.line.shop_variant_id] += part.quantity
        ours[part.line_id] += part.quantity
    ids = {id_ for other in order.shipments.filter(undone_at=None).exclude(pk=shipment.pk) for id_ in other.there}
    return WriteFulfilment(
        reference=order.reference,
        shop_order_id=copy.shop_order_id,
        key=key_of(order, shipment.pk),
        lines=tuple(units.items()),
        tracking_number=shipment.tracking_number,
        carrier=shipment.carrier,
        tracking_url=shipment.tracking_url,
        shipped_at=shipment.shipped_at,
        undone=shipment.undone_at is not None,
        parcel_id=",".join(shipment.there),
        others=tuple(sorted(ids)),
        numbers=tuple(number for number in row.numbers if number),
        rows=tuple(rows_there(ours, bonds_of(order), {}).items()),
    )


def _shipment_of(command: Command) -> int:
    """`key_of` names it last."""
    return int(FULFILMENT.validate_python(command.payload).key.rpartition(":")[2])


def _row_of(command: Command) -> Fulfilment | None:
    return Fulfilment.objects.select_related("shipment").filter(shipment_id=_shipment_of(command)).first()


def sent(*, commands: Iterable[Command], now: datetime) -> None:
    """Written down with the claim, before anything leaves."""
    ids = [_shipment_of(command) for command in commands]
    Fulfilment.objects.filter(pk__in=ids, state=CopyState.INTENDED).update(state=CopyState.SENT, sent_at=now)


def alert_key(shipment_id: int) -> str:
    return f"fulfilment:{shipment_id}"


def written(*, order: Order, copy: ShopCopy, row: Command, outcome: Done, told: Telling) -> None:
    """Done there. Unless something newer is on its way, it is read back at once."""
    kept = _row_of(row)
    copy.read_wanted = True
    copy.save(update_fields=["read_wanted"])
    if kept is None:
        return
    undone = FULFILMENT.validate_python(row.payload).undone
    kept.adopted = outcome.already and not undone
    if not pending(order, kept.shipment_id):
        kept.state, kept.sentence = CopyState.CANCELLED if undone else CopyState.ACKNOWLEDGED, outcome.note
        kept.acknowledged_at = told.now
    kept.save()
    _settled(order, kept.shipment_id, told=told, how="It stands in the shop now.")
    if undone:
        words = "The shipment was cancelled in the shop too."
    elif outcome.already:
        words = "The shop has this shipment already; nothing was written there."
    else:
        words = "The shipment was written into the shop, which does not mail the buyer."
    told.tell(order=order, source="marketplace", kind="fulfilment_written", sentence=words)


def _settled(order: Order, shipment_id: int, *, told: Telling, how: str) -> None:
    told.settle_by_fact(how=how, codes=(AlertCode.FULFILMENT_NOT_WRITTEN,), order=order, key=alert_key(shipment_id))


def not_written(*, order: Order, row: Command, outcome: Refused, told: Telling) -> None:
    """One alert a parcel, with what to do; where the platform cannot at all, only a word in the story.

    Shipping here holds whatever the shop says.
    """
    kept = _row_of(row)
    if kept is None:
        return
    if not pending(order, kept.shipment_id):
        kept.state, kept.sentence = CopyState.REFUSED, outcome.sentence
        kept.save(update_fields=["state", "sentence"])
    told.tell(
        order=order,
        source="shop",
        kind="fulfilment_not_written",
        sentence=f"The shipment was not written into the shop: {outcome.sentence}",
    )
    if outcome.why is Why.UNSUPPORTED:
        return
    asked = FULFILMENT.validate_python(row.payload)
    parcel = f"the shipment {asked.tracking_number}" if asked.tracking_number else "the shipment"
    words = (
        f"{parcel} was undone here, but not in your shop. {outcome.sentence} Cancel it there by hand."
        if asked.undone
        else f"{parcel} is not in your shop. {outcome.sentence} The buyer was told by us. Enter it in your shop by"
        " hand, or mend the cause and send it again from the order's page."
    )
    # A right that is missing stands in the way of every parcel: that is one alert of the shop's.
    lacking = outcome.why is Why.NOT_ALLOWED
    told.raise_alert(
        code=AlertCode.FULFILMENT_NOT_WRITTEN,
        seller=order.seller,
        order=order,
        connection=order.connection,
        key=f"fulfilment_right:{order.connection_id}" if lacking else alert_key(kept.shipment_id),
        evidence={"parcel": kept.shipment_id, "why": outcome.why},
        sentence=f"Order {order}: {words}",
    )


def send_again(*, shipment: Shipment, actor: User, now: datetime) -> None:
    """The seller mended what stood in the way. It is looked for there before anything is written."""
    with telling(now) as told:
        order = (
            Order.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner", "connection__party")
            .get(pk=shipment.order_id)
        )
        require(actor, order.seller, duty=Duty.ORDERS)
        row = Fulfilment.objects.filter(shipment=shipment).first()
        if order.connection is None or not order.connection.push_fulfilments:
            raise NotAllowed("Shipments are not written into this shop: it is switched off on the shop's page.")
        if row is not None and (row.state == CopyState.EQUAL or pending(order, shipment.pk)):
            raise NotAllowed("It stands in your shop already, or is on its way there.")
        told.tell(
            order=order,
            source=side_of(actor, order.seller),
            kind="resent",
            sentence=f"{actor} asked to write the shipment into the shop.",
        )
        wish(order=order, shipment=Shipment.objects.get(pk=shipment.pk), now=now)


# What the shop shows


class Heed:
    """Which news of a snapshot about parcels of ours is to be believed. `again`: only a second look will say."""

    def __init__(self, order: Order, *, confirmed: bool) -> None:
        self._order, self._confirmed = order, confirmed
        self.again = False
        rows = list(Fulfilment.objects.filter(shipment__order=order).select_related("shipment"))
        self._undone = {id_: row for row in rows if row.shipment.undone_at for id_ in row.shipment.there}
        self._live = {id_: row for row in rows if not row.shipment.undone_at for id_ in row.shipment.there}

    def believes(self, event: OrderEvent) -> bool:
        match event:
            case OrderShipped(parcel):
                # Undone here, and the shop has not followed (yet, or at all).
                row = self._undone.get(parcel.parcel_id)
                return row is None or plain(parcel.tracking_number) not in _numbers(row)
            case TrackingChanged(parcel):
                row = self._live.get(parcel.parcel_id)
                same = row is not None and plain(parcel.tracking_number) == plain(row.shipment.tracking_number)
                return row is None or same or self._sure(row)
            case ParcelRepacked(parcel):
                row = self._live.get(parcel.parcel_id)
                return row is None or self._sure(row)
            case ParcelUndone(parcel_id):
                row = self._live.get(parcel_id)
                return row is None or self._sure(row)
            case _:
                return True

    def _sure(self, row: Fulfilment) -> bool:
        """What was written and not read back yet may only be missing in an older snapshot (`compare` ends that)."""
        if pending(self._order, row.shipment_id):
            return False
        sure = self._confirmed and row.state != CopyState.ACKNOWLEDGED
        self.again = self.again or not sure
        return sure


def _numbers(row: Fulfilment) -> set[str]:
    return {plain(number) for number in (row.shipment.tracking_number, *row.numbers)}


def compare(order: Order, seen: ShopOrder, *, told: Telling) -> bool:
    """The last step of the proof: read back, number and units equal or not. Whether one is not what it was."""
    changed = False
    for row in Fulfilment.objects.filter(shipment__order=order).select_related("shipment"):
        if pending(order, row.shipment_id):
            continue
        parcels = [p for p in seen.parcels if p.parcel_id in row.shipment.there and not p.cancelled]
        if row.shipment.undone_at is not None:
            changed |= _compare_undone(order, row, parcels, told=told)
        elif parcels or row.state not in (CopyState.INTENDED, CopyState.SENT):
            changed |= _compare_live(order, row, parcels, told=told)
    return changed


def _compare_undone(order: Order, row: Fulfilment, parcels: list[Parcel], *, told: Telling) -> bool:
    still = [parcel for parcel in parcels if plain(parcel.tracking_number) in _numbers(row)]
    if row.state == CopyState.CANCELLED or still:
        return False
    row.state = CopyState.CANCELLED
    row.save(update_fields=["state"])
    _settled(order, row.shipment_id, told=told, how="It is cancelled in the shop now.")
    return True


def _compare_live(order: Order, row: Fulfilment, parcels: list[Parcel], *, told: Telling) -> bool:
    now, before = told.now, (row.state, row.sentence)
    wrong = _wrong(row, parcels) if parcels else "The shop does not show the shipment."
    if wrong:
        if row.acknowledged_at is not None:
            row.state, row.sentence = CopyState.DIFFERS, wrong
            row.save(update_fields=["state", "sentence"])
    elif row.state != CopyState.EQUAL:
        row.state, row.sentence, row.equal_at = CopyState.EQUAL, "", now
        row.acknowledged_at = row.acknowledged_at or now
        row.save()
        _settled(order, row.shipment_id, told=told, how="It stands in the shop.")
    return (row.state, row.sentence) != before


def _wrong(row: Fulfilment, parcels: list[Parcel]) -> str:
    numbers = {parcel.tracking_number for parcel in parcels}
    if plain(row.shipment.tracking_number) not in {plain(number) for number in numbers}:
        there = ", ".join(sorted(filter(None, numbers))) or "no number"
        return f"Tracking number: {row.shipment.tracking_number or 'none'} here, {there} in the shop."
    here = sum(part.quantity for part in row.shipment.lines.all())
    shown = sum(units for parcel in parcels for _, units in parcel.lines)
    if all(parcel.lines for parcel in parcels) and here != shown:
        return f"Units: {here} here, {shown} in the shop."
    return ""
