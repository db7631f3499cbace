"""Staff's desk: what needs a person now, over all sellers. Figures only; the pages behind them list the rows."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Value

from crossdock.domain.cases import CaseState
from crossdock.domain.credit import CreditState
from crossdock.domain.earnings.protection import DisputeEnd
from crossdock.domain.health import PATIENCE, Stream
from crossdock.store.models import Alert, Case, Command, Credit, Delivery, Endpoint, LostDispute, Rating, RiskHold
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.usecases.accounts.approving import to_approve
from crossdock.usecases.catalogue.moderation.queries import waiting
from crossdock.usecases.record.agent_news import spoken
from crossdock.usecases.shops.health import not_working
from crossdock.usecases.support.quarantine_board import causes_standing

# A delivery is looked at within seconds; one that waits so long has a reason.
UNREAD_AFTER = PATIENCE[Stream.DELIVERIES]


def unread(*, now: datetime) -> QuerySet[Delivery]:
    """Deliveries that should have been looked at by now.

    A shop that is paused or disconnected keeps its own waiting.
    """
    late = Delivery.objects.filter(handled_at=None, received_at__lt=now - UNREAD_AFTER)
    return late.filter(Q(party__connection=None) | Q(party__connection__state=ConnectionState.ACTIVE))


def agents_not_told() -> int:
    """Receivers of agents' order updates that were paused: nobody but staff can let them go on."""
    protocols = spoken()
    if not protocols:
        return 0
    in_use = Endpoint.objects.filter(seller=None, token__revoked_at=None, deleted_at=None, protocol__in=protocols)
    return in_use.exclude(paused_at=None).count()


def _how_many(**rows: QuerySet[Any]) -> dict[str, int]:
    """How many rows each has, by its name, in one statement."""
    first, *others = (
        each.order_by().annotate(name=Value(name), many=Count("pk")).values_list("name", "many")
        for name, each in ((name, each.values(nothing=Value(1))) for name, each in rows.items())
    )
    return dict(first.union(*others, all=True))


def counts(*, now: datetime) -> dict[str, int]:
    """How many wait, by name."""
    alerts = dict(Alert.objects.filter(settled_at=None).values_list("for_staff").annotate(n=Count("pk")))
    asked, failed = Q(state__in=[CreditState.ASKED, CreditState.SECOND]), Q(state=CreditState.FAILED)
    credits = Credit.objects.filter(asked | failed).aggregate(
        asked=Count("pk", filter=asked), failed=Count("pk", filter=failed)
    )
    waits = _how_many(
        cases=Case.objects.filter(state__in=[CaseState.OPEN, CaseState.WAITING_FOR_STAFF]),
        disputes=LostDispute.objects.filter(state__in=[DisputeEnd.OPEN, DisputeEnd.SECOND]),
        ratings=Rating.objects.filter(reported_at__isnull=False),
        dead=Command.objects.filter(state=CommandState.DEAD),
        unread=unread(now=now),
        held=RiskHold.objects.filter(cleared_at=None, order__cancelled_at=None),
    )
    return {
        **waits,
        "credits": credits["asked"],
        "listings": waiting(),
        "approvals": to_approve(),
        "failed_credits": credits["failed"],
        "quarantined": causes_standing(),
        "agents": agents_not_told(),
        "ill": len(not_working(now=now)),
        "alerts": alerts.get(False, 0),
        "staff_alerts": alerts.get(True, 0),
    }
