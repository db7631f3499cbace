"""What sellers do with their orders. The lists they work through: daily/order_list.py."""

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from crossdock.domain.commands import order_reference
from crossdock.domain.labels import PAID
from crossdock.domain.orders import CopyState, ParcelState
from crossdock.domain.roles import Right
from crossdock.domain.stock import EndedWhy, HoldState
from crossdock.domain.team.roles import Duty
from crossdock.store.models import (
    Command,
    Connection,
    Label,
    Order,
    Reservation,
    Shipment,
    ShopCopy,
    User,
)
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandResult, CommandState
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.fulfilments import wish
from crossdock.usecases.orders.landing import create_command
from crossdock.usecases.orders.parcels import renumber, ship, undo_shipment
from crossdock.usecases.orders.shippable import ALL_SHIPPED, why_locked
from crossdock.usecases.outbox.payloads import CREATE
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import NOT_YOURS, is_staff, require, side_of
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.risk.holds import held
from crossdock.usecases.stock.reservations import end_hold, holds_of, locked, record


def _theirs(pk: int, actor: User) -> Order:
    """The order, locked. Raises NotAllowed for whoever it is not of."""
    rows = Order.objects.select_for_update(no_key=True, of=("self",))
    order = rows.select_related("seller__owner", "buyer", "connection__party").get(pk=pk)
    require(actor, order.seller, duty=Duty.ORDERS)
    return order


def ship_by_hand(
    *,
    order: Order,
    lines: Mapping[int, int] | None,
    tracking: str,
    carrier: str,
    actor: User,
    now: datetime,
    key: str = "",
    anyway: bool = False,
    told: Telling | None = None,
) -> Shipment:
    """`lines` maps line ids to units, None ships all that is left. `anyway`: though the buyer asked to cancel it.

    The same `key` (a form's one-time value) ships once.
    """
    with telling(now, told) as told:
        order = _theirs(order.pk, actor)
        parcel_id = f"hand:{key}" if key else f"hand:{uuid.uuid4().hex}"
        again = Shipment.objects.filter(order=order, parcel_id=parcel_id).first()
        if again:
            return again
        if why := why_locked(order, anyway=anyway):
            raise NotAllowed(why)
        rows = {line.pk: line for line in order.lines.all()}
        if lines is None and not any(line.left for line in rows.values()):
            raise NotAllowed(ALL_SHIPPED)
        wanted = {pk: line.left for pk, line in rows.items()} if lines is None else dict(lines)
        units = {rows[pk]: n for pk, n in wanted.items() if pk in rows and n > 0}
        if not units:
            raise Invalid("Choose at least one unit to ship.")
        if any(n > line.left for line, n in units.items()):
            raise Invalid("More units were chosen than are left to ship.")
        parcel = ship(
            order=order,
            parcel_id=parcel_id,
            source="seller",
            units=units,
            tracking=tracking.strip(),
            carrier=carrier.strip(),
            url="",
            shipped_at=now,
            told=told,
        )
        wish(order=order, shipment=parcel, now=now)
        if order.connection_id is None and order.parcels == ParcelState.SHIPPED:
            take_from_own_stock(order, now=now)
        return parcel


def take_from_own_stock(order: Order, *, now: datetime) -> None:
    """A listing made by hand: its count is ours, so the units leave it when they leave the house."""
    holds = list(holds_of(order))
    rows = locked(hold.variant_id for hold in holds)
    for hold in holds:
        row = rows[hold.variant_id]
        before, row.count = row.count, (row.count or 0) - hold.quantity
        row.save(update_fields=["count"])
        end_hold(hold, why=EndedWhy.SHIPPED_HERE, now=now)
        record(
            variant_id=row.pk,
            now=now,
            kind="shipped",
            cause=f"order #{order.number}",
            order=order,
            before=before,
            after=row.count,
        )


def back_to_own_stock(order: Order, units: Mapping[int, int], *, now: datetime) -> None:
    """The other way round, for a parcel that did not leave after all.

    `units`: variant's id -> units; they are held for the order as before.
    """
    rows = locked(units)
    for variant_id, n in units.items():
        row = rows[variant_id]
        before, row.count = row.count, (row.count or 0) + n
        row.save(update_fields=["count"])
        cause = f"{order.reference}:{variant_id}:back:{order.reservations.count()}"
        Reservation.objects.create(
            cause=cause, variant_id=variant_id, order=order, quantity=n, state=HoldState.OWED, created_at=now
        )
        record(
            variant_id=variant_id,
            now=now,
            kind="unshipped",
            cause=f"order #{order.number}",
            order=order,
            before=before,
            after=row.count,
        )


def change_tracking(*, shipment: Shipment, tracking: str, carrier: str, actor: User, now: datetime) -> None:
    with telling(now) as told:
        order = _theirs(shipment.order_id, actor)
        shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment.pk)
        if not tracking.strip():
            raise Invalid("Type the tracking number.")
        renumber(
            order=order,
            shipment=shipment,
            tracking=tracking.strip(),
            carrier=carrier.strip(),
            url="",
            source="seller",
            told=told,
        )
        wish(order=order, shipment=shipment, now=now)


def why_not_undo(shipment: Shipment) -> str:
    """Empty when the seller may say here that this parcel did not leave."""
    order = shipment.order
    if shipment.source != "seller":
        return "This parcel came from your shop. Cancel it there, and it is undone here as well."
    if Label.objects.filter(shipment=shipment, state__in=PAID).exists():
        return "This parcel has a label bought here. Void the label, and the parcel is undone."
    if shipment.there and not (order.connection and order.connection.push_fulfilments):
        return "This parcel is in your shop too, and this connection writes no shipments there. Cancel it there."
    if order.cancelled_at is not None:
        return "The order is cancelled."
    return why_locked(order)


def undo_by_hand(*, shipment: Shipment, actor: User, now: datetime) -> None:
    """The seller entered a parcel that did not leave: its units are to be shipped again, here and in the shop. Done
    once, however often it is asked.
    """
    with telling(now) as told:
        order = _theirs(shipment.order_id, actor)
        shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment.pk)
        if shipment.undone_at is not None:
            return
        shipment.order = order
        if why := why_not_undo(shipment):
            raise NotAllowed(why)
        name = f"{shipment.carrier} {shipment.tracking_number}".strip()
        words = f"The shipment {name}" if name else "A shipment"
        take_back(order=order, shipment=shipment, sentence=f"{words} was undone: it did not leave.", told=told)
        note(actor=actor, action="undone a shipment", subject=f"#{order.number}", now=now, detail={"number": name})


def take_back(*, order: Order, shipment: Shipment, sentence: str, told: Telling) -> None:
    """A parcel did not leave: its units are open again, and what is counted here gets them back."""
    now = told.now
    taken = order.connection_id is None and order.parcels == ParcelState.SHIPPED
    units = Counter[int]()
    for part in shipment.lines.select_related("line"):
        units[part.line.variant_id] += part.quantity
    undo_shipment(order=order, parcel_id=shipment.parcel_id, source="seller", sentence=sentence, told=told)
    shipment.refresh_from_db()
    wish(order=order, shipment=shipment, now=now)
    if taken:
        back_to_own_stock(order, units, now=now)


def why_not_create(order: Order) -> str:
    """Empty when "Create the order on your store" makes sense now."""
    copy = ShopCopy.objects.filter(order=order).select_related("connection").first()
    if copy is None:
        return "This order's listing was made by hand; there is no shop to create it in."
    if order.cancelled_at is not None:
        return "The order is cancelled."
    if copy.connection.state == ConnectionState.DISCONNECTED:
        return "The shop is disconnected. Connect it again first."
    if copy.state in (CopyState.ACKNOWLEDGED, CopyState.EQUAL, CopyState.DIFFERS) and not copy.cancelled_there:
        return f"It stands in your shop as {copy.shop_number or copy.shop_order_id}."
    if copy.cancelled_there:
        return "It was cancelled in your shop; reject it here to credit the buyer."
    if held(order):
        return (
            "Its risk is high, so it waits until our staff have looked at it. You are told when it goes to your shop."
        )
    return ""


def create_in_shop(*, order: Order, actor: User, now: datetime) -> str:
    """S6: looks in the shop by our reference first, adopts what it finds, creates otherwise; so it can't appear twice.
    Returns why it was missing.
    """
    with telling(now) as told:
        order = _theirs(order.pk, actor)
        why_not = why_not_create(order)
        if why_not:
            raise NotAllowed(why_not)
        copy = (
            ShopCopy.objects.select_for_update(no_key=True, of=("self",))
            .select_related("connection__party")
            .get(order=order)
        )
        row = Command.objects.select_for_update(no_key=True).get(cause=f"create:{order.reference}")
        why = _why_missing(copy, row)
        if row.state != CommandState.IN_FLIGHT:
            # The refusal is lifted by the seller's word; the look-up comes first whatever happened before.
            row.state, row.result, row.due_at, row.finished_at = CommandState.WAITING, CommandResult.NONE, now, None
            row.unresolved, row.created_at = row.attempts > 0, now
            row.payload = CREATE.dump_python(create_command(order), mode="json")
            row.save()
            copy.state = CopyState.SENT if row.attempts else CopyState.INTENDED
            copy.save(update_fields=["state"])
        told.tell(
            order=order,
            source="seller",
            kind="create_in_shop",
            sentence=f"{actor} asked to create the order in the shop. Why it was missing: {why}",
        )
        wake([copy.connection.party_id])
        return why


def _why_missing(copy: ShopCopy, row: Command) -> str:
    if copy.connection.state == ConnectionState.NEEDS_REAUTH:
        return f"{copy.connection.state_sentence} Reconnect the shop; the order is sent right after."
    if copy.connection.state == ConnectionState.PAUSED:
        return "The shop is paused here; the order is sent when you resume it."
    if copy.state == CopyState.REFUSED:
        return copy.sentence or "The shop refused it."
    if copy.connection.party.failures:
        return f"The shop did not answer: {copy.connection.party.last_error}"
    return row.sentence or "It is still on its way; nothing went wrong so far."


def resend_command(*, command: Command, actor: User, now: datetime) -> None:
    """A dead command tries again, looking first where that can be done.

    By the seller whose order or shop it is of, and by staff, from their own pages or as the seller.
    """
    with telling(now) as told:
        row = Command.objects.select_for_update(no_key=True).get(pk=command.pk)
        order = Order.objects.filter(reference=order_reference(row.subject)).select_related("seller").first()
        shop = Connection.objects.filter(party=row.party_id).select_related("seller").first()
        owned = order or shop
        require(actor, owned.seller if owned else None, NOT_YOURS, Right.WORK, Right.ACT, duty=Duty.ORDERS)
        if row.state != CommandState.DEAD:
            raise NotAllowed("Only what gave up can be sent again; this is still being tried.")
        row.state, row.due_at, row.finished_at, row.created_at, row.unresolved = (
            CommandState.WAITING,
            now,
            None,
            now,
            row.attempts > 0,
        )
        row.save()
        if is_staff(actor):
            note(actor=actor, action="resent", subject=str(row), now=now, detail={"command": row.pk})
        if order:
            told.tell(
                order=order,
                source=side_of(actor, order.seller),
                kind="resent",
                sentence=f"{actor} sent “{row.kind.replace('_', ' ')}” again.",
            )
        wake([row.party_id])
