"""What is read of the record: deeds of staff, alerts, mails. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from crossdock.store.models import Alert, AuditEntry, Connection, Credit, LostDispute, Mail, Order, Seller

# What staff see of all sellers' alerts.
ALERTS_IN = {
    "staff": Q(settled_at=None, for_staff=True),
    "open": Q(settled_at=None, for_staff=False),
    "settled": Q(settled_at__isnull=False),
}


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


def deeds_of_dispute(dispute: LostDispute) -> QuerySet[AuditEntry]:
    return deeds().filter(detail__dispute=dispute.public_id).order_by("pk")


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
