"""Sellers' quality scores, from what is known of the orders of the last days. Nothing here writes; five statements,
however many sellers are asked about.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum

from crossdock.domain.commands import CancelReason
from crossdock.domain.orders import ParcelState
from crossdock.domain.quality.score import ANSWER_HOURS, DAYS, Counts, Score
from crossdock.domain.requests.messages import Side
from crossdock.store.models import CancelRequest, Message, Order, Recount, Return, RiskHold, Seller, Shipment

# The seller's own doing; the others are the buyer's wish, or keep everybody from harm.
_OWN = [reason.value for reason in CancelReason if reason not in (CancelReason.BUYER_ASKED, CancelReason.FRAUD)]


def scores(sellers: Sequence[Seller], *, now: datetime) -> dict[int, Score]:
    """By seller's key."""
    since, found = now - timedelta(days=DAYS), defaultdict[int, dict[str, int]](lambda: defaultdict(int))
    for rows in (
        _orders(sellers, since, now),
        _recounts(sellers, since),
        _answers(CancelRequest.objects.filter(order__seller__in=sellers, order__placed_at__gte=since), "order__seller"),
        _answers(Return.objects.filter(seller__in=sellers, order__placed_at__gte=since), "seller"),
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
    awake = Q(seller__away_since=None) | Q(ship_by__lt=F("seller__away_since"))
    due = Q(ship_by__lt=now) & awake & Q(held=False) & (Q(cancelled_at=None) | Q(cancelled_at__gt=F("ship_by")))
    here = Q(parcels__in=[ParcelState.UNSHIPPED, ParcelState.PARTLY_SHIPPED]) | Q(cancelled_at__isnull=False, left=None)
    rows = Order.objects.filter(seller__in=sellers, placed_at__gte=since)
    rows = rows.annotate(left=Subquery(parcels.annotate(last=Max("shipped_at")).values("last")), held=held)
    return _by_seller(
        rows,
        "seller",
        orders=Count("pk"),
        cancelled=Count("pk", filter=Q(cancelled_at__isnull=False, cancel_reason__in=_OWN)),
        due=Count("pk", filter=due),
        late=Count("pk", filter=due & (here | Q(left__gt=F("ship_by")))),
    )


def _recounts(sellers: Sequence[Seller], since: datetime) -> _Rows:
    rows = Recount.objects.filter(connection__seller__in=sellers, started_at__gte=since)
    return _by_seller(rows, "connection__seller", read=Sum("variants"), differed=Sum("differences"))


def _answers(rows: QuerySet[Any], of: str) -> _Rows:
    late = Count("pk", filter=Q(late_at__isnull=False))
    return _by_seller(rows, of, asked=Count("pk"), unanswered=late)


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
