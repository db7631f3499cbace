"""Sellers' quality scores, from what is known of the orders of the last days. Nothing here writes; five statements,
however many sellers are asked about.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, DateTimeField, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from crossdock.domain.commands import CancelReason
from crossdock.domain.orders import ParcelState
from crossdock.domain.quality.score import ANSWER_HOURS, DAYS, Counts, Score
from crossdock.domain.requests.cancels import CancelState
from crossdock.domain.requests.messages import Side
from crossdock.domain.risk import RiskLevel
from crossdock.store.models import (
    CancelRequest,
    Message,
    Order,
    Recount,
    Return,
    RiskHold,
    Seller,
    Shipment,
    Withdrawal,
)

# What the seller gives as the reason excuses nothing by itself: a cancel in the shop has none, and one can be chosen.
_EXCUSED = Q(wished=True) | Q(cancel_reason=CancelReason.FRAUD) & (
    Q(held=True) | Q(risk__in=[RiskLevel.MEDIUM, RiskLevel.HIGH])
)


def scores(sellers: Sequence[Seller], *, now: datetime) -> dict[int, Score]:
    """By seller's key."""
    since, found = now - timedelta(days=DAYS), defaultdict[int, dict[str, int]](lambda: defaultdict(int))
    for rows in (
        _orders(sellers, since, now),
        _recounts(sellers, since),
        _cancel_requests(sellers, since),
        _returns(sellers, since, now),
        _first_messages(sellers, since, now),
    ):
        for key, counted in rows:
            for name, number in counted.items():
                found[key][name] += number or 0
    return {seller.pk: Score(Counts(**found[seller.pk])) for seller in sellers}


_Rows = Iterable[tuple[int, dict[str, int]]]


def _by_seller(rows: QuerySet[Any], of: str, **counts: Any) -> _Rows:
    for row in rows.order_by().values(of).annotate(**counts):
        yield row.pop(of), row


def _orders(sellers: Sequence[Seller], since: datetime, now: datetime) -> _Rows:
    parcels = Shipment.objects.filter(order=OuterRef("pk"), undone_at=None).order_by().values("order")
    held = Exists(RiskHold.objects.filter(order=OuterRef("pk")))
    # A cancel answers the request that is open then, and no other.
    asked = CancelRequest.objects.filter(order=OuterRef("pk"), state=CancelState.CANCELLED)
    wished = Exists(asked) | Exists(Withdrawal.objects.filter(order=OuterRef("pk")))
    awake = Q(seller__away_since=None) | Q(ship_by__lt=F("seller__away_since"))
    due = Q(ship_by__lt=now) & awake & Q(held=False) & (Q(cancelled_at=None) | Q(cancelled_at__gt=F("ship_by")))
    here = Q(parcels__in=[ParcelState.UNSHIPPED, ParcelState.PARTLY_SHIPPED]) | Q(cancelled_at__isnull=False, left=None)
    rows = Order.objects.filter(seller__in=sellers, placed_at__gte=since)
    rows = rows.annotate(
        left=Subquery(parcels.annotate(last=Max("shipped_at")).values("last")), held=held, wished=wished
    )
    return _by_seller(
        rows,
        "seller",
        orders=Count("pk"),
        cancelled=Count("pk", filter=Q(cancelled_at__isnull=False) & ~_EXCUSED),
        due=Count("pk", filter=due),
        late=Count("pk", filter=due & (here | Q(left__gt=F("ship_by")))),
    )


def _recounts(sellers: Sequence[Seller], since: datetime) -> _Rows:
    rows = Recount.objects.filter(connection__seller__in=sellers, started_at__gte=since)
    return _by_seller(rows, "connection__seller", read=Sum("variants"), differed=Sum("differences"))


def _cancel_requests(sellers: Sequence[Seller], since: datetime) -> _Rows:
    rows = CancelRequest.objects.filter(order__seller__in=sellers, order__placed_at__gte=since)
    late = Count("pk", filter=Q(late_at__isnull=False))
    return _by_seller(rows, "order__seller", asked=Count("pk"), unanswered=late)


def _returns(sellers: Sequence[Seller], since: datetime, now: datetime) -> _Rows:
    """Those that wait for the seller's answer: a withdrawal needs none, and its parcel is the buyer's to send.
    `late_at` says nothing here, since each step clears it.
    """
    within = timedelta(hours=settings.CONFIG.return_answer_hours)
    rows = Return.objects.filter(seller__in=sellers, order__placed_at__gte=since, binding=False)
    heard_at = Coalesce("answered_at", "closed_at", Value(now, output_field=DateTimeField()))
    late = Count("pk", filter=Q(heard_at__gt=F("asked_at") + within))
    return _by_seller(rows.annotate(heard_at=heard_at), "seller", asked=Count("pk"), unanswered=late)


def _first_messages(sellers: Sequence[Seller], since: datetime, now: datetime) -> _Rows:
    """The first of a conversation, where the buyer began it and the time to answer is over, or it was answered."""
    within = timedelta(hours=ANSWER_HOURS)
    same = Message.objects.filter(thread=OuterRef("thread"))
    answered = same.filter(side=Side.SELLER, at__lte=OuterRef("at") + within)
    rows = Message.objects.filter(
        ~Exists(same.filter(pk__lt=OuterRef("pk"))),
        side=Side.BUYER,
        thread__order__seller__in=sellers,
        thread__order__placed_at__gte=since,
    ).annotate(answered=Exists(answered))
    rows = rows.filter(Q(answered=True) | Q(at__lt=now - within))
    late = Count("pk", filter=Q(answered=False))
    return _by_seller(rows, "thread__order__seller", asked=Count("pk"), unanswered=late)
