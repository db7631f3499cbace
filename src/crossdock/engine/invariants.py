"""What must always hold, checked every quarter of an hour: a broken one is written to the log and to the audit, where staff read it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import connection

from crossdock.domain.orders import CopyState
from crossdock.domain.stock import HoldState
from crossdock.store.models import AuditEntry, OrderLine, Reservation

_log = logging.getLogger(__name__)
_MOST_NAMED = 20


class Invariant(Protocol):
    @property
    def sentence(self) -> str: ...

    def broken(self, *, now: datetime) -> list[str]:
        """What breaks it, in words; empty when it holds."""


@dataclass(frozen=True, slots=True)
class CheckoutsEnd:
    sentence: str = "A checkout's units come back when its time is over."

    def broken(self, *, now: datetime) -> list[str]:
        late = Reservation.objects.filter(state=HoldState.CHECKOUT, expires_at__lt=now - timedelta(minutes=10))
        return [f"{hold.cause} ended {hold.expires_at:%H:%M}" for hold in late[:_MOST_NAMED]]


@dataclass(frozen=True, slots=True)
class UnlandedOrdersHold:
    """Until the shop is known to have taken an order, its units are promised here."""

    sentence: str = "Every line of an order that is not in its shop yet holds its units."

    def broken(self, *, now: datetime) -> list[str]:
        lines = OrderLine.objects.filter(
            order__copy__state__in=[CopyState.INTENDED, CopyState.SENT],
            order__cancelled_at=None,
            order__placed_at__lt=now - timedelta(minutes=1),
        ).select_related("order")
        bare = []
        for line in lines.order_by("pk")[:5000]:
            if (
                not Reservation.objects.filter(order=line.order, variant_id=line.variant_id)
                .exclude(state=HoldState.ENDED)
                .exists()
            ):
                bare.append(f"order {line.order.number}: {line.title}")
        return bare[:_MOST_NAMED]


@dataclass(frozen=True, slots=True)
class HoldsHaveOrders:
    sentence: str = "Units that are owed belong to an order."

    def broken(self, *, now: datetime) -> list[str]:
        loose = Reservation.objects.filter(state__in=[HoldState.OWED, HoldState.TAKEN], order=None)
        return [hold.cause for hold in loose[:_MOST_NAMED]]


@dataclass(frozen=True, slots=True)
class Sql:
    """A query whose every row, one text, names something broken."""

    sentence: str
    query: str

    def broken(self, *, now: datetime) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(self.query)
            return [str(row[0]) for row in cursor.fetchmany(_MOST_NAMED)]


@dataclass(frozen=True, slots=True)
class CreditedAtMostPaid:
    sentence: str = "No buyer is credited more than they paid."

    def broken(self, *, now: datetime) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT o.number FROM store_order o WHERE o.credited_minor > o.total_minor OR o.total_minor < "
                "(SELECT coalesce(-sum(e.amount_minor), 0) FROM store_transfer t JOIN store_entry e ON e.transfer_id = t.id "
                "WHERE t.order_id = o.id AND t.cause LIKE 'credit:%' AND e.account = 'refunds_due')"
            )
            return [f"order {row[0]}" for row in cursor.fetchmany(_MOST_NAMED)]


ALL: tuple[Invariant, ...] = (
    CheckoutsEnd(),
    UnlandedOrdersHold(),
    HoldsHaveOrders(),
    CreditedAtMostPaid(),
    Sql(
        "The books balance.",
        "SELECT currency || ' is off by ' || sum(amount_minor) FROM store_entry GROUP BY currency HAVING sum(amount_minor) <> 0",
    ),
    Sql(
        "Every placed order was paid into the books once.",
        "SELECT 'order ' || o.number FROM store_order o WHERE (SELECT count(*) FROM store_transfer t WHERE t.cause = 'paid:' || o.reference) <> 1",
    ),
    Sql(
        "No order was acknowledged twice by its shop.",
        "SELECT subject FROM store_command WHERE kind = 'create_order' AND result = 'ok' GROUP BY subject HAVING count(DISTINCT outcome->>'shop_id') > 1",
    ),
)


def check(*, now: datetime) -> dict[str, list[str]]:
    """Sentence -> what breaks it, for those that do not hold; each is logged and kept for staff."""
    broken = {invariant.sentence: found for invariant in ALL if (found := invariant.broken(now=now))}
    for sentence, found in broken.items():
        _log.error("does not hold: %s %s", sentence, "; ".join(found))
        AuditEntry.objects.create(at=now, action="invariant broken", subject=sentence[:120], detail={"found": found})
    return broken
