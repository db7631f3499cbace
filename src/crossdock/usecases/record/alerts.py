"""Raising and settling alerts.

One root cause is one open row, however often it is seen; what was raised is mailed as the seller chose, and told to
their programs.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from crossdock.domain.alerts import AlertCode
from crossdock.domain.roles import Right
from crossdock.store.models import Alert, Connection, Listing, Order, Seller, User
from crossdock.store.once import insert_new
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.alert_mail import mail_raised
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.events import ALERT_RAISED, ALERT_SETTLED, alert_event
from crossdock.usecases.record.rights import is_staff, require


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
    """`key` names the root cause; without one it is the code with its order, listing or connection.

    `for_staff`: the seller neither sees it nor is mailed.
    """
    subject = (
        (order and f"order:{order.pk}")
        or (listing and f"listing:{listing.pk}")
        or (connection and f"shop:{connection.pk}")
        or "seller"
    )
    full_key = f"{seller.pk}:{code}:{key or subject}"[:160]
    alert = Alert(
        key=full_key,
        code=code,
        seller=seller,
        order=order,
        connection=connection,
        listing=listing,
        for_staff=for_staff,
        sentence=sentence,
        evidence=evidence or {},
        raised_at=now,
        last_at=now,
    )
    with transaction.atomic(savepoint=False):
        # One that is open and settled before it could be counted is tried again as a new one.
        while not insert_new([alert], "key", where="settled_at IS NULL"):
            opened = Alert.objects.filter(key=full_key, settled_at=None)
            if opened.update(times=F("times") + 1, last_at=now, sentence=sentence, evidence=evidence or {}):
                return opened.get()
        if not for_staff:
            mail_raised(alert=alert, now=now)
            alert_event(alert=alert, event=ALERT_RAISED, now=now)
    return alert


def reword_alert(*, alert: Alert, sentence: str, evidence: dict[str, Any]) -> None:
    """The same trouble, told as it stands now: not seen again, so nobody is told again."""
    Alert.objects.filter(pk=alert.pk, settled_at=None).update(sentence=sentence, evidence=evidence)


def settle_alert(*, alert: Alert, actor: User | None, how: str, now: datetime) -> None:
    """Idempotent: the first to settle is kept."""
    if not how.strip():
        raise Invalid("Say how it was settled.")
    if alert.for_staff and actor is not None:
        require(actor, None, "Our staff settle this.", Right.ALERTS)
    with transaction.atomic():
        fresh = _settle(Q(pk=alert.pk), actor=actor, how=how, now=now)
        if fresh and actor is not None and is_staff(actor):
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
    """The world settled it: what the alert warned of is no longer so. `key` as it was given to `raise_alert`."""
    about = Q(order=order) if order else Q(listing=listing) if listing else Q(connection=connection, order=None)
    if key:
        about &= Q(key__endswith=f":{key}")
    _settle(about & Q(code__in=codes), actor=None, how=how, now=now)


def _settle(which: Q, *, actor: User | None, how: str, now: datetime) -> int:
    """Each row once, whoever comes at the same time. Returns how many."""
    with transaction.atomic(savepoint=False):
        rows = Alert.objects.select_for_update(no_key=True, of=("self",)).filter(which, settled_at=None).order_by("pk")
        settled = list(rows.select_related("seller", "order", "connection", "listing"))
        for alert in settled:
            alert.settled_at, alert.settled_by, alert.settled_how = now, actor, how.strip()[:200]
            alert.save(update_fields=["settled_at", "settled_by", "settled_how"])
            alert_event(alert=alert, event=ALERT_SETTLED, now=now)
    return len(settled)


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
