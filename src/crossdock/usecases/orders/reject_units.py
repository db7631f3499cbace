"""Rejecting single lines and units (S8, lifted): each with its reason, its exact share of what was paid, and its own
fate of the stock.

Nothing is added to stock here. What the shop still holds for these units stays held until a read after the shop took
them out (rules 4, 7, 9).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import CancelLines, CancelReason
from crossdock.domain.credit import CreditKind, Paid, for_lines
from crossdock.domain.mails import orders as mails
from crossdock.domain.mails.words import Joined, Words
from crossdock.domain.orders import CopyState, ParcelState
from crossdock.domain.stock import EndedWhy, HoldState
from crossdock.domain.team.roles import Duty
from crossdock.domain.values import Money
from crossdock.store.models import Command, Credit, Order, OrderLine, Reservation, ShopCopy, User
from crossdock.store.models.work import CommandState
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import grant, locked_order, tell_granted
from crossdock.usecases.money.left import room, why_disputed
from crossdock.usecases.money.returned import came_back
from crossdock.usecases.orders.actions import take_from_own_stock
from crossdock.usecases.orders.landing import create_command
from crossdock.usecases.orders.parcels import set_parcels
from crossdock.usecases.orders.reject import REASON_FOR_BUYER, ends_there, reject_order
from crossdock.usecases.orders.shop_lines import rows_there
from crossdock.usecases.outbox.payloads import CREATE
from crossdock.usecases.outbox.queue import cancel_lines_command
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.stock.reject_stops import what_stops
from crossdock.usecases.stock.reservations import end_hold, locked, record
from crossdock.usecases.stock.restore import (
    GONE,
    fate_of_units,
    gone_is_set_aside,
    offer_to_list_again,
    sets_aside,
    stands,
)

RULE = "S8"


@dataclass(frozen=True, slots=True)
class Pick:
    """Units of one line, and why they don't go."""

    units: int
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class PartLine:
    line: OrderLine
    units: int
    reason: CancelReason
    credit: Money
    stock_sentence: str


@dataclass(frozen=True, slots=True)
class PartPreview:
    """What it would do, computed before anything happens.

    `whole` says that nothing is left then: the order is cancelled.
    """

    lines: tuple[PartLine, ...]
    total: Money
    whole: bool
    shop_sentence: str


def why_not_parts(order: Order) -> str:
    """Empty when single units of this order can be rejected."""
    if not lifted(rule=RULE):
        return "Only the whole order can be rejected here."
    if order.cancelled_at is not None:
        return "This order is cancelled."
    if not any(line.left for line in order.lines.all()):
        return "Every unit was shipped or rejected already."
    return why_disputed(order)


def preview_parts(
    *, order: Order, picks: Mapping[int, Pick], manifest: Manifest | None, now: datetime | None = None
) -> PartPreview:
    """`picks` by the line's id.

    With `now`, lines that are set aside say what that stops.

    Raises Invalid for units that the order does not have left, NotAllowed when rejecting parts is not allowed.
    """
    if why := why_not_parts(order):
        raise NotAllowed(why)
    lines = list(order.lines.select_related("order", "variant__listing", "variant__connection"))
    back = came_back(order)
    # A parcel may be undone after some of it came back.
    left = {line.pk: max(0, min(line.left, line.kept - back[line.pk])) for line in lines}
    for line in lines:
        if line.pk in picks and not 0 < picks[line.pk].units <= left[line.pk]:
            raise Invalid(f"{line.title}: between 1 and {left[line.pk]} units can be rejected.")
    wanted = [(line, picks[line.pk]) for line in lines if line.pk in picks]
    if not wanted:
        raise Invalid("Choose the units that you reject.")
    whole = all(line.shipped == 0 for line in lines) and all(
        left[line.pk] == (picks[line.pk].units if line.pk in picks else 0) for line in lines
    )
    shares = for_lines(
        [Paid(line.total.minor, line.quantity, line.rejected + back[line.pk]) for line in lines],
        order.shipping_minor,
        [picks[line.pk].units if line.pk in picks else 0 for line in lines],
    )
    credits = {line.pk: share for line, share in zip(lines, shares, strict=True)}
    if whole:
        # Whatever was credited otherwise, the last reject gives back the rest and no more.
        credits = _spread(room(order).minor, [(line.pk, credits[line.pk]) for line, _ in wanted])
    copy = ShopCopy.objects.filter(order=order).first()
    there = _in_shop(copy, manifest, whole=whole)
    # A whole order ends in the shop at once: what is gone is kept out there only if all of it is.
    keeps_out = manifest if not whole or all(pick.reason in GONE for _, pick in wanted) else None
    stops: dict[int, str] = {}
    if now is not None:
        aside = [line.variant for line, pick in wanted if sets_aside(pick.reason, copy, keeps_out, whole=whole)]
        stops = what_stops(order=order, variants=aside, now=now)
    found = tuple(
        PartLine(
            line,
            pick.units,
            pick.reason,
            Money(credits[line.pk], order.currency),
            f"{fate_of_units(pick.reason, copy, keeps_out, whole=whole)} {stops.get(line.variant_id, '')}".rstrip(),
        )
        for line, pick in wanted
    )
    total = min(sum(part.credit.minor for part in found), room(order).minor)
    return PartPreview(found, Money(total, order.currency), whole, there)


def _spread(total: int, parts: list[tuple[int, int]]) -> dict[int, int]:
    """The rest of an order over its last lines, in their proportion; the last takes what is over."""
    whole = sum(minor for _, minor in parts)
    found: dict[int, int] = {}
    for i, (pk, minor) in enumerate(parts):
        last = i == len(parts) - 1
        found[pk] = total - sum(found.values()) if last else (total * minor // whole if whole else 0)
    return found


def _in_shop(copy: ShopCopy | None, manifest: Manifest | None, *, whole: bool) -> str:
    if copy is None:
        return "This order is in no shop."
    if not stands(copy):
        return "The order does not stand in your shop; nothing has to be changed there."
    if whole:
        return f"Nothing is left of the order; it {ends_there(manifest)}"
    if manifest is None or not manifest.can(Capability.LINES_CANCEL):
        return "Your shop cannot be asked to take single units out: take them out of the order there by hand."
    return "These units are taken out of the order in your shop; the rest stays."


def reject_parts(
    *,
    order: Order,
    picks: Mapping[int, Pick],
    expected_total: Money,
    key: str,
    manifest: Manifest | None,
    actor: User,
    now: datetime,
) -> Credit | None:
    """Once per `key` (the form's own).

    Raises Stale when the amount is not the one that was shown. None where nothing had to be credited.
    """
    with telling(now) as told:
        order = locked_order(order)
        require(actor, order.seller, duty=Duty.ORDERS)
        cause = f"{order.reference}:part:{key[:40]}"
        known = Credit.objects.filter(cause=cause).first()
        if known is not None:
            return known
        shown = preview_parts(order=order, picks=picks, manifest=manifest)
        if expected_total != shown.total:
            raise Stale(f"The amount to credit is {shown.total.words}. Look again and confirm that.")
        if shown.whole:
            reasons, main = _reasons(shown.lines), min((p.reason for p in shown.lines), key=lambda why: why in GONE)
            reject_order(
                order=order, reason=main, reasons=reasons, actor=actor, expected_total=room(order), now=now, told=told
            )
            return Credit.objects.filter(cause=order.reference).first()
        for part in shown.lines:
            OrderLine.objects.filter(pk=part.line.pk).update(rejected=part.line.rejected + part.units)
        why = _why(shown)
        words = str(why)
        credit = None
        if shown.total.minor:
            credit = grant(
                order=order,
                amount=shown.total,
                kind=CreditKind.LINES,
                cause=cause,
                reason=words,
                told=told,
                actor=actor,
                lines=[
                    {"line": p.line.pk, "units": p.units, "reason": p.reason, "minor": p.credit.minor}
                    for p in shown.lines
                ],
            )
            tell_granted(
                credit,
                order,
                source="seller",
                told=told,
                why=why,
                sentence=f"The seller rejected {words}. The buyer is refunded {credit.amount.words}.",
            )
        reasons = _reasons(shown.lines)
        gone_is_set_aside(order=order, copy=ShopCopy.objects.filter(order=order).first(), reasons=reasons, told=told)
        coming_back = [p.line.variant for p in shown.lines if p.reason not in GONE]
        offer_to_list_again(order=order, variants=coming_back, told=told)
        set_parcels(order)
        if order.connection_id is None and order.parcels == ParcelState.SHIPPED:
            take_from_own_stock(order, now=now)
        _take_out(order, shown, cause, manifest, told=told)
        return credit


def _why(shown: PartPreview) -> Joined:
    """For the buyer."""
    said = [(f"{p.units} × {p.line.title}", Words(REASON_FOR_BUYER[p.reason], {})) for p in shown.lines]
    return Joined(tuple(mails.WHAT_AND_WHY.of(what=what, why=why) for what, why in said), "; ")


def _take_out(order: Order, shown: PartPreview, cause: str, manifest: Manifest | None, *, told: Telling) -> None:
    """Rules 7 and 9 for a part: rewritten before it was ever sent; otherwise taken out there, and the hold waits for a
    read after that.
    """
    now = told.now
    create = Command.objects.select_for_update(no_key=True).filter(cause=f"create:{order.reference}").first()
    copy = ShopCopy.objects.select_for_update(no_key=True).filter(order=order).first()
    groups = _groups(shown.lines, cause)
    if copy is None or order.connection is None:
        _split(order, groups, now=now, end=EndedWhy.NOT_SENT)
        return
    never_sent = copy.state == CopyState.INTENDED and (
        create is None or rules.never_sent(attempts=create.attempts, waiting=create.state == CommandState.WAITING)
    )
    if never_sent:
        if create is not None:
            create.payload = CREATE.dump_python(create_command(order), mode="json")
            create.save(update_fields=["payload"])
        _split(order, groups, now=now, end=EndedWhy.NOT_SENT)
    elif not stands(copy):
        _split(order, groups, now=now, end=EndedWhy.REFUSED if copy.state == CopyState.REFUSED else None)
    elif manifest is None or not manifest.can(Capability.LINES_CANCEL):
        _split(order, groups, now=now, end=None)
        _by_hand(order, shown, "Your shop cannot be asked to do it.", told=told)
    else:
        _split(order, groups, now=now, end=None)
        for name, parts in groups.items():
            _ask_shop(order, copy, parts, name, now=now)


def _reasons(parts: Sequence[PartLine]) -> dict[int, CancelReason]:
    """By variant; of two lines of one variant that which is gone decides."""
    return {part.line.variant_id: part.reason for part in sorted(parts, key=lambda part: part.reason in GONE)}


def _groups(parts: Sequence[PartLine], cause: str) -> dict[str, list[PartLine]]:
    """What the shop puts back, and what it must not, are two wishes to it: one reason holds for all units of a wish."""
    gone = [part for part in parts if part.reason in GONE]
    back = [part for part in parts if part.reason not in GONE]
    if gone and back:
        return {cause: back, f"{cause}:gone": gone}
    return {cause: gone or back}


def _ask_shop(order: Order, copy: ShopCopy, parts: Sequence[PartLine], key: str, *, now: datetime) -> None:
    assert order.connection is not None
    lines: dict[str, int] = {}
    for part in parts:
        lines[part.line.shop_variant_id] = lines.get(part.line.shop_variant_id, 0) + part.units
    command = CancelLines(
        order.reference,
        copy.shop_order_id,
        tuple(lines.items()),
        parts[0].reason,
        key=key,
        note=f"Rejected on the marketplace ({key}).",
        rows=rows_there(order, {part.line.pk: part.units for part in parts}),
    )
    cancel_lines_command(party=order.connection.party, command=command, now=now)


def _by_hand(order: Order, shown: PartPreview, why: str, *, told: Telling) -> None:
    words = ", ".join(f"{part.units} × {part.line.title}" for part in shown.lines)
    told.raise_alert(
        code=AlertCode.CANCEL_FAILED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        sentence=(
            f"Order {order}: {words} were rejected here and credited. {why} Take them out of the order in your shop by"
            " hand; do not ship them."
        ),
    )


def _split(order: Order, groups: Mapping[str, Sequence[PartLine]], *, now: datetime, end: EndedWhy | None) -> None:
    """The rejected units' part of each hold becomes a row of its own, with the same standing; `end` ends it at once
    (rule 7).
    """
    locked(part.line.variant_id for parts in groups.values() for part in parts)
    for cause, parts in groups.items():
        left: dict[int, int] = {}
        for part in parts:
            left[part.line.variant_id] = left.get(part.line.variant_id, 0) + part.units
        holds = order.reservations.exclude(state=HoldState.ENDED).filter(variant_id__in=left)
        for hold in holds.exclude(cause__contains=":part:").order_by("variant_id", "pk"):
            taken = min(left[hold.variant_id], hold.quantity)
            if taken > 0:
                left[hold.variant_id] -= taken
                _take_part(hold, taken, cause, now=now, end=end)


def _take_part(hold: Reservation, taken: int, cause: str, *, now: datetime, end: EndedWhy | None) -> None:
    name, part = f"{hold.cause}|{cause}"[:120], hold
    if taken < hold.quantity:
        Reservation.objects.filter(pk=hold.pk).update(quantity=hold.quantity - taken)
        part = Reservation.objects.create(
            cause=name,
            variant_id=hold.variant_id,
            order=hold.order,
            quantity=taken,
            state=hold.state,
            fence_no=hold.fence_no,
            created_at=now,
        )
    else:
        Reservation.objects.filter(pk=hold.pk).update(cause=name)
    record(variant_id=hold.variant_id, now=now, kind="part_rejected", cause=cause, order=hold.order, quantity=taken)
    if end is not None:
        end_hold(part, why=end, now=now)
