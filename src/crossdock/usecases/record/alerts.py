"""Raising and settling alerts.

One root cause is one open row, however often it is seen; what was raised is mailed as the seller chose, and told to
their programs.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from crossdock.domain.alerts import AlertCode, Button
from crossdock.domain.roles import Right
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Alert, Connection, Listing, Order, Seller, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import is_staff, require
from crossdock.usecases.record.telling import telling


def raise_alert(
    *,
    code: AlertCode,
    seller: Seller,
    sentence: str,
    now: datetime,
    order: Order | None = None,
    connection: Connection | None = None,
    listing: Listing | None = None,
    key: str = "",
    evidence: dict[str, Any] | None = None,
    for_staff: bool = False,
) -> Alert:
    """One alert, by who tells nothing else; see `Telling.raise_alert`."""
    with telling(now, savepoint=False) as told:
        raised = told.raise_alert(
            code=code,
            seller=seller,
            sentence=sentence,
            order=order,
            connection=connection,
            listing=listing,
            key=key,
            evidence=evidence,
            for_staff=for_staff,
        )
    return raised.alert


def reword_alert(*, alert: Alert, sentence: str, evidence: dict[str, Any]) -> None:
    """The same trouble, told as it stands now: not seen again, so nobody is told again."""
    Alert.objects.filter(pk=alert.pk, settled_at=None).update(sentence=sentence, evidence=evidence)


def settle_alert(*, alert: Alert, actor: User | None, how: str, now: datetime) -> None:
    """Idempotent: the first to settle is kept. Without an actor it is the marketplace itself. Raises NotAllowed,
    Invalid.
    """
    if not how.strip():
        raise Invalid("Say how it was settled.")
    if alert.for_staff and actor is not None:
        require(actor, None, "Our staff settle this.", Right.ALERTS)
    elif actor is not None:
        # Staff who answer the case that it was about settle it, too.
        rights = (Right.ACT, Right.ALERTS, Right.CASES)
        # Where a payout went wrong the owner alone can mend it, so nobody takes it out of their sight.
        duty = Duty.OWN if alert.kind.button is Button.SEE_PAYOUTS else Duty.ASK
        require(actor, alert.seller, "This alert is not yours.", *rights, duty=duty)
    with transaction.atomic():
        with telling(now, savepoint=False) as told:
            settled = told.settle(Q(pk=alert.pk), lambda one: one.pk == alert.pk, actor=actor, how=how)
        if settled.alerts and actor is not None and is_staff(actor):
            note(
                actor=actor,
                action="alert settled",
                subject=alert.kind.title,
                now=now,
                detail={"alert": alert.public_id, "how": how[:200]},
            )


def settle_alerts(*, alerts: Iterable[Alert], actor: User, how: str, now: datetime) -> None:
    """Several with the same words: all of them or none."""
    with transaction.atomic():
        for alert in alerts:
            settle_alert(alert=alert, actor=actor, how=how, now=now)


def settle_by_fact(
    *,
    now: datetime,
    how: str,
    codes: tuple[AlertCode, ...],
    order: Order | None = None,
    connection: Connection | None = None,
    listing: Listing | None = None,
    key: str = "",
) -> None:
    """By who tells nothing else; see `Telling.settle_by_fact`."""
    with telling(now, savepoint=False) as told:
        told.settle_by_fact(how=how, codes=codes, order=order, connection=connection, listing=listing, key=key)


def open_alerts(*, seller: Seller) -> QuerySet[Alert]:
    """What the seller sees."""
    return (
        Alert.objects.filter(seller=seller, settled_at=None, for_staff=False)
        .select_related("order", "connection", "listing")
        .order_by("-last_at", "-pk")
    )


def staff_alerts() -> QuerySet[Alert]:
    """What waits for our staff, of all sellers: privacy requests that a person has to answer."""
    return (
        Alert.objects.filter(settled_at=None, for_staff=True)
        .select_related("seller", "order", "connection")
        .order_by("raised_at")
    )
