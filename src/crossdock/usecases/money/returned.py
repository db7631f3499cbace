"""Units that came back, or are on their way: how many of each line, what of the payment is theirs, and a return that a
refund in the shop answered. Runs under the order's lock, which the caller holds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Sum

from crossdock.domain.alerts import AlertCode
from crossdock.domain.credit import CreditKind, CreditState, Paid
from crossdock.domain.requests.returns import OPEN, Back, Fate, ReturnReason, ReturnState, due, shares
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Order, OrderLine, Return, ReturnLine, ShopRefund
from crossdock.usecases.money.left import room
from crossdock.usecases.record.telling import Telling

_DONE = (ReturnState.RECEIVED, ReturnState.REFUNDED)
# Whoever granted one of these while a return was open granted it for that.
_FOR_IT = (CreditKind.STAFF, CreditKind.SHOP_REFUND, CreditKind.BANK)


def open_return(order: Order) -> Return | None:
    return Return.objects.filter(order=order, state__in=OPEN).first()


def claimed(order: Order, *, declined: bool = True) -> Counter[int]:
    """By line's id, units that cannot be asked for any more: received, under way, and, with `declined`, those that the
    seller did not take.
    """
    found = Counter[int]()
    states = [*_DONE, *OPEN, *([ReturnState.DECLINED] if declined else [])]
    for part in ReturnLine.objects.filter(row__order=order, row__state__in=states):
        found[part.line_id] += part.units if part.received is None else part.received
    return found


def came_back(*orders: Order) -> Counter[int]:
    """By line's id, units whose return is done: they were credited, so no cancel of the order credits them again."""
    found = Counter[int]()
    rows = ReturnLine.objects.filter(row__order__in=orders, row__state__in=_DONE)
    for line_id, units in rows.values_list("line", "received"):
        found[line_id] += units or 0
    return found


def shares_of(
    order: Order,
    lines: Sequence[OrderLine],
    units: Mapping[int, int],
    reason: ReturnReason,
    before: Mapping[int, int],
) -> dict[int, int]:
    """By line's id, what of the payment belongs to these units, in minor units of the order's currency. `before` is
    what came back of it (`came_back`). A parcel may be undone while its return is open: units that were rejected then
    got their share with that.
    """
    backs = []
    for line in lines:
        gone = min(line.quantity, line.rejected + before.get(line.pk, 0))
        paid = Paid(line.unit_price_minor * line.quantity, line.quantity, gone)
        backs.append(Back(paid, min(units.get(line.pk, 0), line.quantity - gone)))
    parts = shares(backs, order.shipping_minor, reason)
    return {line.pk: part for line, part in zip(lines, parts, strict=True)}


def other_ways(before: datetime | None = None) -> QuerySet[Credit]:
    """Credits that count for a return that waited when they were granted. That of a lost dispute is declined once the
    bank gives the money back. One that counted for another return, done (`before` that time), does not count again: a
    return that is accepted after all waited beside others.
    """
    others = Return.objects.filter(
        order=OuterRef("order"),
        state__in=_DONE,
        asked_at__lte=OuterRef("granted_at"),
        closed_at__gte=OuterRef("granted_at"),
    )
    if before is not None:
        others = others.filter(closed_at__lt=before)
    return Credit.objects.filter(~Exists(others), kind__in=_FOR_IT).exclude(state=CreditState.DECLINED)


def back_since(row: Return) -> int:
    """What went back by another way since the return was asked for."""
    rows = other_ways(row.closed_at).filter(order_id=row.order_id, granted_at__gte=row.asked_at)
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def wish_that_waits(order: Order) -> Credit | None:
    """A credit that staff decide about; what they grant counts for an open return."""
    return order.credits.filter(state__in=[CreditState.ASKED, CreditState.SECOND]).first()


def answered_by_money(order: Order, row: Return) -> bool:
    """Whether somebody gave money for it by another way since it was asked for, or may still: credited here, refunded
    in the shop (which moved nothing here: the buyer is owed it), or asked of staff.
    """
    seen = order.shop_refunds.filter(Q(credit=None) | Q(credit__state=CreditState.DECLINED), seen_at__gte=row.asked_at)
    return back_since(row) > 0 or seen.exists() or wish_that_waits(order) is not None


def short(order: Order, since: datetime) -> int:
    """Minor units that returns received since then were due and not credited, by what was kept for wear and what went
    back by another way: the buyer's bank had the money.
    """
    found = 0
    for row in Return.objects.filter(order=order, state=ReturnState.RECEIVED, closed_at__gte=since):
        units = {part.line_id: part.received or 0 for part in row.lines.all()}
        before = came_back(order)
        before.subtract(units)
        whole = sum(shares_of(order, list(order.lines.all()), units, ReturnReason(row.reason), before).values())
        found += due(whole, before=back_since(row), deduction=row.kept_minor, room=whole)
    given = Credit.objects.filter(order=order, kind=CreditKind.RETURN, granted_at__gte=since)
    return max(0, found - int(given.aggregate(sum=Sum("amount_minor"))["sum"] or 0))


def left_of_payment(order: Order) -> int:
    """Minor units that neither went back nor were taken by the buyer's bank in a dispute."""
    return room(order).minor


def still_to_be_refunded_there(order: Order, refund: ShopRefund) -> Money:
    """What was credited here for goods that came back, less the shop's refunds since they were asked for: the next
    refund in the shop is of that, and credits nothing a second time.
    """
    for_goods = Return.objects.filter(order=order, state=ReturnState.RECEIVED).exclude(credit=None)
    found = for_goods.aggregate(sum=Sum("credit__amount_minor"), first=Min("asked_at"))
    if not found["sum"]:
        return Money.zero(order.currency)
    others = order.shop_refunds.filter(seen_at__gte=found["first"]).exclude(pk=refund.pk)
    own = others.exclude(credit__kind=CreditKind.SHOP_REFUND).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return Money(max(0, int(found["sum"]) - int(own)), order.currency)


def answered_in_shop(order: Order, credit: Credit, *, told: Telling) -> None:
    """A refund that was made in the shop credited the buyer here. Where that is all that the open return is due, it is
    the return's: the shop takes the goods back into its own count. A smaller one counts for it.
    """
    row = open_return(order)
    if row is None:
        return
    parts = list(row.lines.select_related("line"))
    units = {part.line_id: part.units for part in parts}
    reason, before = ReturnReason(row.reason), came_back(order)
    whole = sum(shares_of(order, list(order.lines.all()), units, reason, before).values())
    if back_since(row) < whole:
        return
    for part in parts:
        part.received = max(0, min(part.units, part.line.kept - before[part.line_id]))
        part.fate = Fate.IN_SHOP
    ReturnLine.objects.bulk_update(parts, ["received", "fate"])
    row.state, row.closed_at, row.credit = ReturnState.REFUNDED, told.now, credit
    row.save(update_fields=["state", "closed_at", "credit"])
    told.tell(
        order=order,
        source="shop",
        kind="return_closed",
        public=True,
        sentence="The return is done: it was refunded in the seller's shop.",
    )
    settle_alerts(order, how="It was refunded in the shop.", told=told)


def settle_alerts(order: Order, *, how: str, told: Telling) -> None:
    codes = (AlertCode.WITHDRAWN, AlertCode.RETURN_LATE, AlertCode.REFUNDED_IN_SHOP)
    told.settle_by_fact(how=how, codes=codes, order=order)
