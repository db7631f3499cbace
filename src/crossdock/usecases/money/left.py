"""What of an order's payment can still go back to the buyer. What their bank has taken in a dispute they have already:
whoever credits it as well pays them twice.
"""

from collections.abc import Iterable, Sequence

from django.db.models import Sum

from crossdock.domain.earnings.protection import DisputeEnd
from crossdock.domain.values import Money
from crossdock.store.models import Entry, LostDispute, Order

_THERE = ("disputed", "protection")


def uncredited(order: Order) -> Money:
    """What was never promised back, whoever has it."""
    return order.total - order.credited


def with_the_bank(order: Order) -> Money:
    """Taken in disputes and no credit: held until it is decided, or borne by the marketplace. What the seller bears is
    a credit.
    """
    rows = Entry.objects.filter(transfer__order=order, account__in=_THERE)
    return Money(int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0), order.currency)


def taken_in(book: Iterable[Entry], order: Order) -> Money:
    """`with_the_bank`, for who has read all of the order's entries."""
    return Money(sum(entry.amount_minor for entry in book if entry.account in _THERE), order.currency)


def room(order: Order, taken: Money | None = None) -> Money:
    """What can still be credited, by staff, by a cancel, a return or a refund in the shop. `taken` is `with_the_bank`,
    for who knows it.
    """
    taken = with_the_bank(order) if taken is None else taken
    return max(Money.zero(order.currency), uncredited(order) - taken)


def rooms(orders: Sequence[Order]) -> dict[int, Money]:
    """`room` of many orders, by their keys: one question."""
    rows = Entry.objects.filter(transfer__order__in=[order.pk for order in orders], account__in=_THERE).order_by()
    taken = dict(rows.values("transfer__order").annotate(sum=Sum("amount_minor")).values_list("transfer__order", "sum"))
    return {order.pk: room(order, Money(int(taken.get(order.pk, 0)), order.currency)) for order in orders}


def why_no_more(taken: Money) -> str:
    """Why `room` is not all that was never credited, by what the bank has; empty where it is."""
    if taken.minor <= 0:
        return ""
    return (
        f"The buyer’s bank took {taken.words} of this payment in a dispute, so the buyer has it already."
        " It is not credited a second time."
    )


def why_disputed(order: Order) -> str:
    """Empty when no dispute runs. What is owed for single units would be forgotten if it came back later."""
    waits = LostDispute.objects.filter(order=order, state__in=[DisputeEnd.OPEN, DisputeEnd.SECOND])
    rows = Entry.objects.filter(transfer__order=order, account="disputed")
    held = int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)
    if held <= sum(waits.values_list("amount_minor", flat=True)):
        return ""
    return (
        f"The buyer’s bank disputes this payment and has {Money(held, order.currency).words} of it."
        " Wait until that is decided: only then it is clear what the buyer is still owed."
    )
