"""The audit log as staff read it: filtered, the newest first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from crossdock.store.models import AuditEntry, AuditTopic, Order, Seller, User

# Enough to name every action that still happens.
_LATELY = 5_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty is any. `since` counts, `before` does not any more."""

    who: int | None = None
    topic: str = ""
    action: str = ""
    about: str = ""
    since: datetime | None = None
    before: datetime | None = None


def rows(wanted: Wanted) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.select_related("actor", "person")
    if wanted.who is not None:
        found = found.filter(actor=wanted.who)
    if wanted.topic in AuditTopic.values:
        found = found.filter(topic=wanted.topic)
    if wanted.action:
        found = found.filter(action=wanted.action)
    if wanted.about:
        found = found.filter(_about(wanted.about))
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.before:
        found = found.filter(at__lt=wanted.before)
    return found


def _about(text: str) -> Q:
    """The subject's own words, or the order, seller or account that the row's numbers name."""
    about = Q(subject__icontains=text) | Q(detail__path__icontains=text)
    number = text.lstrip("#")
    if number.isdecimal() and len(number) < 19:
        about |= Q(detail__order__in=list(Order.objects.filter(number=int(number)).values_list("public_id", flat=True)))
    if "@" in text:
        people = list(User.objects.filter(email__iexact=text).values_list("pk", flat=True))
        about |= Q(person__in=people) | Q(actor__in=people)
    sellers = Seller.objects.filter(name__iexact=text).values_list("public_id", flat=True)
    return about | Q(detail__seller__in=list(sellers[:20]))


def staff_deeds(*, limit: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(topic=AuditTopic.STAFF).select_related("actor").order_by("-pk")[:limit])


def doers() -> QuerySet[User]:
    """Who is worth choosing from: staff of today; others are found by their address."""
    return User.objects.filter(is_staff=True).order_by("email")


def actions() -> list[str]:
    """Of the newest rows. All of them would be read for those of all."""
    return sorted(set(AuditEntry.objects.order_by("-pk").values_list("action", flat=True)[:_LATELY]))
