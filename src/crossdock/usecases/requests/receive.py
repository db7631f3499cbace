"""What came back is received: in which condition decides what becomes of the units, and what the buyer is credited,
shown before it happens and done once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crossdock.domain.capability import Manifest
from crossdock.domain.credit import CreditKind
from crossdock.domain.mails.orders import CAME_BACK, SELLER_KEEPS
from crossdock.domain.mails.requests import BACK_ALREADY, RETURN_RECEIVED
from crossdock.domain.mails.words import Joined
from crossdock.domain.requests.returns import (
    Condition,
    Fate,
    ReturnDeed,
    ReturnReason,
    ReturnState,
    due,
    why_no_deduction,
    why_not,
    with_delivery,
)
from crossdock.domain.team.roles import Duty
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Order, Return, ReturnLine, ShopRefund, User, Variant
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import grant, tell_granted
from crossdock.usecases.money.left import why_disputed
from crossdock.usecases.money.returned import (
    back_since,
    came_back,
    left_of_payment,
    settle_alerts,
    shares_of,
    wish_that_waits,
)
from crossdock.usecases.orders.coming_back import fill
from crossdock.usecases.record.rights import require, side_of
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.requests.returns import locked_return
from crossdock.usecases.stock.back_on_the_shelf import restock, returned_in_shop, why_not_restock


@dataclass(frozen=True, slots=True)
class Got:
    """Of one line."""

    units: int
    condition: Condition
    fate: Fate


@dataclass(frozen=True, slots=True)
class Deduction:
    """What the seller keeps for wear, in minor units, and why."""

    minor: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class GotLine:
    part: ReturnLine
    got: Got
    credit: Money
    stock_sentence: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What it would do. `whole` is what belongs to the units; `delivery` in it their share of the delivery's cost, None
    where that stays paid. `before` went back since the return was asked for; `total` is credited.
    """

    lines: tuple[GotLine, ...]
    whole: Money
    before: Money
    kept: Money
    total: Money
    delivery: Money | None

    @property
    def capped(self) -> bool:
        """Whether less is left of the payment than this is due."""
        return self.total.minor < self.whole.minor - self.before.minor - self.kept.minor


def preview_receipt(*, row: Return, got: Mapping[int, Got], deduction: Deduction, manifest: Manifest | None) -> Receipt:
    """`got` by the id of the return's line. Raises Invalid, NotAllowed."""
    order = row.order
    if why := why_not(row.value, ReturnDeed.RECEIVE):
        raise NotAllowed(why)
    parts = list(row.lines.select_related("line__variant__listing", "line__variant__connection"))
    for part in parts:
        many = got[part.pk].units if part.pk in got else 0
        if not 0 <= many <= min(part.units, part.line.shipped):
            raise Invalid(f"{part.line.title}: between 0 and {part.units} can have come back.")
    there = [(part, got[part.pk]) for part in parts if part.pk in got and got[part.pk].units]
    if not there:
        raise Invalid("Say how many units of each line came back.")
    for part, its in there:
        if its.fate is Fate.IN_SHOP and part.line.variant.connection is None:
            raise Invalid(f"{part.line.title}: it is in no shop of the seller's where a return could be entered.")
        if its.fate is Fate.RESTOCK:
            if its.condition is not Condition.AS_SENT:
                raise Invalid(f"{part.line.title}: what came back used or damaged is not sold as the listing says.")
            if why := why_not_restock(part.line.variant, manifest):
                raise Invalid(f"{part.line.title}: {why}")
    units = {part.line_id: its.units for part, its in there}
    bought = list(order.lines.all())
    reason = ReturnReason(row.reason)
    each = shares_of(order, bought, units, reason, came_back(order))
    whole = sum(each.values())
    items = sum(line.unit_price_minor * units.get(line.pk, 0) for line in bought)
    if why := why_no_deduction(deduction.minor, whole, deduction.why, [its.condition for _, its in there]):
        raise Invalid(why)
    before = min(back_since(row), whole)
    total = due(whole, before=before, deduction=deduction.minor, room=left_of_payment(order))
    return Receipt(
        tuple(
            GotLine(part, its, Money(each[part.line_id], order.currency), _fate(part.line.variant, its))
            for part, its in there
        ),
        Money(whole, order.currency),
        Money(before, order.currency),
        Money(deduction.minor, order.currency),
        Money(total, order.currency),
        Money(whole - items, order.currency) if with_delivery(reason) else None,
    )


def _fate(variant: Variant, got: Got) -> str:
    units = "unit" if got.units == 1 else "units"
    match got.fate:
        case Fate.ASIDE:
            return f"Not for sale: no count is changed for {got.units} {units}."
        case Fate.IN_SHOP:
            return "You enter the return in your shop. Its count is read again; nothing is counted from here."
        case _ if variant.connection is None:
            return f"{got.units} more {units} for sale at once."
        case _:
            return f"The count of {variant.connection.name} is raised by {got.units}, once, and then read again."


def receive(
    *,
    row: Return,
    got: Mapping[int, Got],
    deduction: Deduction,
    expected_total: Money,
    manifest: Manifest | None,
    actor: User,
    now: datetime,
) -> Credit | None:
    """Once, however often it is pressed. None where nothing had to be credited.

    Raises Stale when the amount is not the one that was shown, Invalid, NotAllowed.
    """
    with telling(now) as told:
        order, row = locked_return(row)
        require(actor, order.seller, duty=Duty.ORDERS)
        if row.state == ReturnState.RECEIVED:
            return row.credit
        if row.binding:
            fill(row, order)
        shown = preview_receipt(row=row, got=got, deduction=deduction, manifest=manifest)
        _no_wish_waits(order)
        if why := why_disputed(order):
            raise NotAllowed(why)
        if expected_total != shown.total:
            raise Stale(f"The amount to credit is {shown.total.words}. Look again and confirm that.")
        _keep(row, shown, deduction, actor, told=told)
        _stock(order, row, shown, manifest, told=told)
        words = ", ".join(f"{each.got.units} × {each.part.line.title}" for each in shown.lines)
        kept = SELLER_KEEPS.of(amount=shown.kept, why=deduction.why) if deduction.minor else ""
        came_back = Joined((CAME_BACK.of(what=words), kept))
        source = side_of(actor, order.seller)
        told.tell(order=order, source=source, kind="return_closed", public=True, sentence=f"Came back: {words}.")
        settle_alerts(order, how="The return was received.", told=told)
        if not shown.total.minor:
            _mail_without(order, row, words, told=told)
            return None
        credit = grant(
            order=order,
            amount=shown.total,
            kind=CreditKind.RETURN,
            cause=f"{order.reference}:return:{row.public_id}",
            reason=str(came_back),
            told=told,
            actor=actor,
            lines=[{"line": e.part.line_id, "units": e.got.units, "minor": e.credit.minor} for e in shown.lines],
            shop_refund=_refund_of(row),
        )
        row.credit = credit
        row.save(update_fields=["credit"])
        tell_granted(
            credit,
            order,
            source=source,
            told=told,
            why=came_back,
            sentence=f"The buyer is refunded {credit.amount.words} for what came back. {kept}".rstrip(),
        )
        return credit


def _no_wish_waits(order: Order) -> None:
    waiting = wish_that_waits(order)
    if waiting is not None:
        raise NotAllowed(
            f"Our staff decide about a credit of {waiting.amount.words} for this order already. Wait for their word:"
            " what they grant counts for this return."
        )


def _keep(row: Return, shown: Receipt, deduction: Deduction, actor: User, *, told: Telling) -> None:
    by_part = {each.part.pk: each.got for each in shown.lines}
    parts = list(row.lines.all())
    for part in parts:
        its = by_part.get(part.pk)
        part.received = its.units if its else 0
        part.condition, part.fate = (its.condition, its.fate) if its else ("", "")
    ReturnLine.objects.bulk_update(parts, ["received", "condition", "fate"])
    row.state, row.closed_at, row.closed_by = ReturnState.RECEIVED, told.now, actor
    row.kept_minor, row.kept_why = deduction.minor, deduction.why
    row.save()


def _stock(order: Order, row: Return, shown: Receipt, manifest: Manifest | None, *, told: Telling) -> None:
    by_fate: dict[Fate, dict[Variant, int]] = {fate: {} for fate in Fate}
    for each in shown.lines:
        its = by_fate[each.got.fate]
        its[each.part.line.variant] = its.get(each.part.line.variant, 0) + each.got.units
    restock(order=order, units=by_fate[Fate.RESTOCK], key=f"return:{row.public_id}", manifest=manifest, told=told)
    returned_in_shop(by_fate[Fate.IN_SHOP])


def _refund_of(row: Return) -> ShopRefund | None:
    """A refund seen in the shop that moved no money here is this return's, so that nobody asks for it once more."""
    return (
        ShopRefund.objects.filter(order_id=row.order_id, seen_at__gte=row.asked_at, credit=None).order_by("pk").first()
    )


def _mail_without(order: Order, row: Return, words: str, *, told: Telling) -> None:
    why = row.kept_why or BACK_ALREADY
    told.write_letter(
        cause=f"return_received:{row.public_id}",
        order=order,
        letter=RETURN_RECEIVED.letter(number=order.number, seller=order.seller.name, what=words, why=why),
    )
