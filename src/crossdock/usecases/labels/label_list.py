"""A seller's labels as a list: filtered, and what they cost."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from crossdock.domain.labels import BUYING, PAID, LabelState
from crossdock.domain.values import Money
from crossdock.store.models import Label, Seller

# The first is shown when nothing was chosen.
LISTS: dict[str, tuple[str, Q]] = {
    "all": ("All", Q()),
    "under_way": ("Under way", Q(state__in=PAID, delivered_at=None, back_at=None) | Q(state__in=BUYING)),
    "delivered": ("Delivered", Q(state__in=PAID, delivered_at__isnull=False)),
    "returned": ("Returned", Q(state__in=PAID, returned_at__isnull=False) | Q(state__in=PAID, back_at__isnull=False)),
    "voided": ("Voided", Q(state__in=[LabelState.VOIDED, LabelState.VOIDING, LabelState.VOID_REFUSED])),
    "refused": ("Not bought", Q(state=LabelState.REFUSED)),
}
_PAGE = 500


def in_list(
    *, seller: Seller, which: str, query: str = "", since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Label]:
    """Newest first.

    The search knows order, tracking number and carrier; the period counts from the pressing of "buy".
    """
    found = Label.objects.filter(LISTS[which][1], seller=seller).exclude(state=LabelState.QUOTED)
    if text := query.strip().lstrip("#"):
        number = Q(order__number=int(text)) if text.isascii() and text.isdecimal() and len(text) < 18 else Q(pk=None)
        found = found.filter(
            number | Q(tracking_number__iexact=text) | Q(carrier__icontains=text) | Q(order__reference__iexact=text)
        )
    if since:
        found = found.filter(intended_at__gte=since)
    if until:
        found = found.filter(intended_at__lt=until)
    return found.select_related("order", "shipment").order_by("-pk")


def cost_of(labels: QuerySet[Label]) -> list[Money]:
    """What was paid and not given back, by currency; what was voided costs nothing any more."""
    sums = labels.filter(state__in=PAID).order_by("currency").values("currency").annotate(whole=Sum("price_minor"))
    return [Money(row["whole"], row["currency"]) for row in sums]


def every(labels: QuerySet[Label]) -> Iterator[Label]:
    """All of them, read page by page."""
    after: int | None = None
    while True:
        page = list((labels if after is None else labels.filter(pk__lt=after))[:_PAGE])
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].pk
