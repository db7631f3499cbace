"""Judging an open order again: its payment has news, or another buyer's order came in that shares its card, device or
address.
"""

from datetime import datetime, timedelta

from django.db.models import Max

from crossdock.domain.orders import ParcelState
from crossdock.store.models import Order, RiskAssessment, RiskTrace
from crossdock.usecases.risk.judge import judge, linked_orders

# A round looks back so far, and at no more than so many; a worker that was away longer misses nothing that a later
# link would not show.
LOOK_BACK = timedelta(hours=6)
_AT_ONCE = 1000
_SHARED = ("buyers_of_card", "buyers_of_device", "buyers_of_address")


def judge_open(*, order: Order, why: str, now: datetime) -> None:
    """What is shipped or cancelled stays as it was judged: nobody can act on it any more."""
    if order.cancelled_at is None and order.parcels != ParcelState.SHIPPED:
        judge(order=order, why=why, now=now)


def judge_newly_linked(*, now: datetime) -> int:
    """Other buyers' open orders that an order since then is linked to, each once per such order.

    Returns how many. Run by a timer, not by the checkout.
    """
    done = 0
    newest = RiskAssessment.objects.order_by("-pk")[:_AT_ONCE]
    fresh = [row for row in newest if row.why == "placed" and row.at >= now - LOOK_BACK]
    for row in fresh:
        if not any(row.inputs.get(name) for name in _SHARED):
            continue
        trace = RiskTrace.objects.filter(order_id=row.order_id).first()
        if trace is None:
            continue
        for order in linked_orders(trace):
            last = RiskAssessment.objects.filter(order=order).aggregate(last=Max("pk"))["last"]
            if order.trace.buyer != trace.buyer and last is not None and last < row.pk:
                judge(order=order, why="a linked order was placed", now=now)
                done += 1
    return done
