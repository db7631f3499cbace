"""Raising and settling alerts. One root cause is one open row, however often it is seen."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from crossdock.domain.alerts import KINDS, AlertCode
from crossdock.store.models import Alert, Connection, Listing, Order, Seller, User
from crossdock.usecases.audit import note
from crossdock.usecases.errors import Invalid
from crossdock.usecases.mail import write_mail

# Operational alerts are mailed by default; those that a shop's page shows anyway are not.
_MAILED = {
    AlertCode.SIGN_IN_AGAIN,
    AlertCode.ORDER_NOT_LANDED,
    AlertCode.ORDER_REFUSED,
    AlertCode.CANCELLED_IN_SHOP,
    AlertCode.STOCK_BELOW_ZERO,
}


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
) -> Alert:
    """`key` names the root cause; without one it is the code with its order, listing or connection."""
    subject = (
        (order and f"order:{order.pk}")
        or (listing and f"listing:{listing.pk}")
        or (connection and f"shop:{connection.pk}")
        or "seller"
    )
    full_key = f"{seller.pk}:{code}:{key or subject}"
    with transaction.atomic():
        alert, fresh = Alert.objects.get_or_create(
            key=full_key,
            settled_at=None,
            defaults={
                "code": code, "seller": seller, "order": order, "connection": connection, "listing": listing,
                "sentence": sentence, "evidence": evidence or {}, "raised_at": now, "last_at": now,
            },
        )  # fmt: skip
        if not fresh:
            Alert.objects.filter(pk=alert.pk).update(
                times=F("times") + 1, last_at=now, sentence=sentence, evidence=evidence or {}
            )
        elif code in _MAILED:
            write_mail(
                cause=f"alert:{alert.public_id}", to=seller.owner.email, subject=f"{KINDS[code].title}", order=order, now=now,
                body=f"{sentence}\n\nOpen your seller panel to settle it: {KINDS[code].button_label}.",
            )  # fmt: skip
    return alert


def settle_alert(*, alert: Alert, actor: User | None, how: str, now: datetime) -> None:
    """Idempotent: the first to settle is kept."""
    if not how.strip():
        raise Invalid("Say how it was settled.")
    with transaction.atomic():
        open_one = Alert.objects.filter(pk=alert.pk, settled_at=None)
        fresh = open_one.update(settled_at=now, settled_by=actor, settled_how=how[:200])
        if fresh and actor is not None and actor.is_staff:
            note(
                actor=actor,
                action="alert settled",
                subject=alert.kind.title,
                now=now,
                detail={"alert": alert.public_id, "how": how[:200]},
            )


def settle_by_fact(
    *,
    now: datetime,
    how: str,
    codes: tuple[AlertCode, ...],
    order: Order | None = None,
    connection: Connection | None = None,
) -> None:
    """The world settled it: what the alert warned of is no longer so."""
    open_ones = Alert.objects.filter(settled_at=None, code__in=codes)
    open_ones = open_ones.filter(order=order) if order else open_ones.filter(connection=connection, order=None)
    open_ones.update(settled_at=now, settled_how=how[:200])


def open_alerts(*, seller: Seller) -> QuerySet[Alert]:
    return (
        Alert.objects.filter(seller=seller, settled_at=None)
        .select_related("order", "connection", "listing")
        .order_by("-last_at")
    )
