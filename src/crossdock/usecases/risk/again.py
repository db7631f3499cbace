"""Judging an open order again: its payment has news, or another buyer's order came in that shares its card, device or
address.
"""

from datetime import datetime, timedelta

from django.db.models import Max

from crossdock.domain.orders import ParcelState
from crossdock.store.models import Order, RiskAssessment, RiskTrace
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.risk.judge import judge, linked_orders

# A round looks back so far, and at no more than so many; a worker that was away longer misses nothing that a later
# link would not show.
LOOK_BACK = timedelta(hours=6)
_AT_ONCE = 1000
_SHARED = ("buyers_of_card", "buyers_of_device", "buyers_of_address")


def judge_open(*, order: Order, why: str, told: Telling) -> None:
    """What is shipped or cancelled stays as it was judged: nobody can act on it any more."""
    if order.cancelled_at is None and order.parcels != ParcelState.SHIPPED:
        judge(order=order, why=why, now=told.now, told=told)


def judge_newly_linked(*, now: datetime, seen: set[int] | None = None) -> int:
    """Other buyers' open orders that an order since then is linked to, each once per such order.

    Returns how many. Run by a timer, not by the checkout. `seen` has the judgements that this process looked at
    before and gets those of this round: each is looked at once, where it would be once a minute for six hours.
    """
    done, seen = 0, set() if seen is None else seen
    newest = RiskAssessment.objects.order_by("-pk").values_list("pk", "why", "at")[:_AT_ONCE]
    fresh = {pk for pk, why, at in newest if why == "placed" and at >= now - LOOK_BACK}
    # Not by the highest number: a transaction with a lower one may end later.
    seen &= fresh
    for row in RiskAssessment.objects.filter(pk__in=fresh - seen).order_by("-pk") if fresh - seen else ():
        done += _judge_linked(row, now=now)
        seen.add(row.pk)
    return done


def _judge_linked(row: RiskAssessment, *, now: datetime) -> int:
    done = 0
    if any(row.inputs.get(name) for name in _SHARED):
        trace = RiskTrace.objects.filter(order_id=row.order_id).first()
        if trace is None:
            return 0
        for order in linked_orders(trace):
            last = RiskAssessment.objects.filter(order=order).aggregate(last=Max("pk"))["last"]
            if order.trace.buyer != trace.buyer and last is not None and last < row.pk:
                judge(order=order, why="a linked order was placed", now=now)
                done += 1
    return done
