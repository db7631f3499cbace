"""What is read of listings. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from crossdock.store.models import Connection, Listing, Offer, Variant
from crossdock.store.models.catalogue import ListingState


def live_by_seller(sellers: Iterable[int]) -> dict[int, int]:
    """How many listings of each are for sale."""
    rows = Listing.objects.filter(seller__in=list(sellers), state=ListingState.LIVE)
    return dict(rows.values_list("seller").annotate(n=Count("pk")))


def counted_of(shop: Connection) -> tuple[int, int]:
    """How many items the shop has, and of how many it is known how many units there are."""
    rows = Variant.objects.filter(connection=shop, gone=False)
    found = rows.aggregate(all=Count("pk"), known=Count("pk", filter=Q(stock__count__isnull=False)))
    return found["all"], found["known"]


def listings_shown() -> QuerySet[Listing]:
    return Listing.objects.select_related("seller", "connection")


def items() -> QuerySet[Variant]:
    return Variant.objects.select_related("listing__seller", "listing__connection")


def offers_made() -> QuerySet[Offer]:
    return Offer.objects.select_related("variant__listing__connection", "seller", "buyer", "order")
