"""What is read of stock and its movements. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from crossdock.store.models import Connection, Difference, Listing, Movement, Order, Recount, Variant, VariantStock
from crossdock.store.models.stock import ASIDE


def moved_by(order: Order) -> QuerySet[Movement]:
    """Newest first."""
    return Movement.objects.filter(order=order).select_related("variant").order_by("-pk")


def moves_of(variants: Iterable[Variant]) -> QuerySet[Movement]:
    """Newest first."""
    rows = Movement.objects.filter(variant__in=list(variants))
    return rows.select_related("order", "actor", "variant").order_by("-pk")


def left_around(variant: Variant, *, newest: int, eldest: int) -> tuple[dict[int, int | None], int | None]:
    """What was left after each movement between these two, and after the one before them."""
    around = Movement.objects.filter(variant=variant, pk__lte=newest).order_by("-pk")
    left = dict(around.filter(pk__gte=eldest).values_list("pk", "left"))
    return left, around.filter(pk__lt=eldest).values_list("left", flat=True).first()


def stock_rows(variants: Iterable[int]) -> dict[int, VariantStock]:
    return VariantStock.objects.in_bulk(list(variants))


def first_stock_of(listing: Listing) -> VariantStock | None:
    return VariantStock.objects.filter(variant__listing=listing, variant__gone=False).order_by("pk").first()


def has_aside() -> Q:
    """Listings of which something is set aside."""
    return Q(Exists(VariantStock.objects.filter(ASIDE, variant__listing=OuterRef("pk"))))


def recounts_of(shop: Connection) -> QuerySet[Recount]:
    """Newest first."""
    return Recount.objects.filter(connection=shop).select_related("actor").order_by("-pk")


def decided_differences(shop: Connection) -> QuerySet[Difference]:
    """Newest first."""
    rows = Difference.objects.filter(recount__connection=shop).exclude(decision="")
    return rows.select_related(
        "variant__listing__seller", "variant__stock", "variant__connection", "recount", "decided_by"
    ).order_by("-pk")
