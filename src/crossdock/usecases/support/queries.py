"""What is read of cases and of what could not be read. Nothing here writes."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from crossdock.domain.cases import CaseKind, CaseState
from crossdock.store.models import Case, Order, Quarantined

CASES_IN = {
    "staff": [CaseState.OPEN, CaseState.WAITING_FOR_STAFF],
    "seller": [CaseState.WAITING_FOR_SELLER],
    "closed": [CaseState.CLOSED],
    "all": list(CaseState),
}


def cases_with(*, which: str, kind: str, query: str) -> QuerySet[Case]:
    """`which` is a key of CASES_IN."""
    rows = Case.objects.filter(state__in=CASES_IN[which])
    if kind in set(CaseKind):
        rows = rows.filter(kind=kind)
    if query:
        rows = rows.filter(seller__name__icontains=query) | rows.filter(subject__icontains=query)
    return rows.select_related("seller", "order", "listing", "connection")


def whole_cases() -> QuerySet[Case]:
    """With all that one case shows."""
    return Case.objects.select_related(
        "seller__owner", "order__connection__party", "listing__connection__party", "connection__party", "alert"
    )


def cases_about(order: Order) -> QuerySet[Case]:
    return Case.objects.filter(order=order).order_by("-pk")


def quarantined() -> QuerySet[Quarantined]:
    return Quarantined.objects.select_related("party__connection__seller", "connection__seller__owner", "order")


def since_last_sign() -> float | None:
    """Seconds since a worker gave its last sign of life; None when none was ever seen or the newest signed off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - max(last_heartbeat))::float8 FROM procrastinate_workers")
        (age,) = cursor.fetchone()
    return None if age is None else float(age)


def figures(query: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Rows of one count over the whole marketplace, for the operator's metrics. The query is this program's own."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
