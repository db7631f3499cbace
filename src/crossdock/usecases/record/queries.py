"""What is read of the record: deeds of staff, alerts, mails. Nothing here writes."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from crossdock.store.models import Alert, AuditEntry, Connection, Credit, Mail, Order, Seller, User

# What staff see of all sellers' alerts.
ALERTS_IN = {
    "staff": Q(settled_at=None, for_staff=True),
    "open": Q(settled_at=None, for_staff=False),
    "settled": Q(settled_at__isnull=False),
}
_LONGEST_NUMBER = 18


def deeds() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.select_related("actor")


def deeds_of_order(order: Order) -> QuerySet[AuditEntry]:
    about = Q(subject=str(order)) | Q(detail__order=order.public_id) | Q(subject__endswith=order.reference)
    return deeds().filter(about).order_by("-pk")


def deeds_of_seller(seller: Seller) -> QuerySet[AuditEntry]:
    shops = list(seller.connections.values_list("public_id", flat=True))
    return deeds().filter(Q(detail__seller=seller.public_id) | Q(detail__shop__in=shops)).order_by("-pk")


def deeds_of_shop(shop: Connection) -> QuerySet[AuditEntry]:
    return deeds().filter(detail__shop=shop.public_id).order_by("-pk")


def deeds_of_credit(credit: Credit) -> QuerySet[AuditEntry]:
    return deeds().filter(detail__credit=credit.public_id).order_by("pk")


def deeds_with(
    *, who: str, action: str, text: str, since: datetime | None, until: datetime | None
) -> QuerySet[AuditEntry]:
    """Those that fit every filter which says something; `until` is left out itself."""
    found = deeds()
    if who.isdecimal() and len(who) <= _LONGEST_NUMBER:
        found = found.filter(actor=int(who))
    if action:
        found = found.filter(action=action)
    if text:
        found = found.filter(_about(text))
    if since:
        found = found.filter(at__gte=since)
    return found.filter(at__lt=until) if until else found


def _about(text: str) -> Q:
    """The subject's own words, or the order or seller that the row's ids name."""
    about = Q(subject__icontains=text) | Q(detail__path__icontains=text)
    number = text.lstrip("#")
    if number.isdecimal() and len(number) <= _LONGEST_NUMBER:
        about |= Q(detail__order__in=list(Order.objects.filter(number=int(number)).values_list("public_id", flat=True)))
    sellers = Seller.objects.filter(name__iexact=text).values_list("public_id", flat=True)
    return about | Q(detail__seller__in=list(sellers[:20]))


def people_with_deeds() -> QuerySet[User]:
    return User.objects.filter(pk__in=AuditEntry.objects.exclude(actor=None).values("actor")).order_by("email")


def actions_done() -> QuerySet[AuditEntry, str]:
    return AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct()


def alerts_in(which: str) -> QuerySet[Alert]:
    """Of all sellers; `which` is a key of ALERTS_IN."""
    rows = Alert.objects.filter(ALERTS_IN[which])
    return rows.select_related("seller", "order", "connection", "listing", "settled_by")


def open_by_code() -> dict[str, int]:
    """How many of each code sellers have open."""
    return dict(Alert.objects.filter(ALERTS_IN["open"]).values_list("code").annotate(n=Count("pk")))


def open_by_seller(sellers: Iterable[int]) -> dict[int, int]:
    rows = Alert.objects.filter(seller__in=list(sellers), settled_at=None)
    return dict(rows.values_list("seller").annotate(n=Count("pk")))


def mails_of(order: Order) -> QuerySet[Mail]:
    return Mail.objects.filter(order=order).order_by("-pk")


def open_about(shops: Iterable[Connection]) -> QuerySet[Alert]:
    """What their sellers see of the shops themselves, newest first."""
    rows = Alert.objects.filter(connection__in=list(shops), settled_at=None, for_staff=False, order=None)
    return rows.order_by("-last_at", "-pk")
