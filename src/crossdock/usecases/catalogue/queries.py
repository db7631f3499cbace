"""What is read of listings. Nothing here writes."""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Upper

from crossdock.domain.goods import Name, Verdict, gtin
from crossdock.store.models import Connection, Duplicate, Listing, Offer, Seller, Variant
from crossdock.store.models.catalogue import ListingState, digits_of
from crossdock.usecases.record.rights import theirs


def live_by_seller(sellers: Iterable[int]) -> dict[int, int]:
    """How many listings of each are for sale."""
    rows = Listing.objects.filter(seller__in=list(sellers), state=ListingState.LIVE, not_chosen="")
    return dict(rows.values_list("seller").annotate(n=Count("pk")))


def counted_of(shop: Connection) -> tuple[int, int]:
    """How many items the shop has, and of how many it is known how many units there are."""
    rows = Variant.objects.filter(connection=shop, gone=False)
    found = rows.aggregate(all=Count("pk"), known=Count("pk", filter=Q(stock__count__isnull=False)))
    return found["all"], found["known"]


def listings_shown() -> QuerySet[Listing]:
    """Those that have a page, on sale or not. Of a shop that is only looked at nothing has one."""
    rows = Listing.objects.select_related("seller__rating_sum", "connection")
    return rows.exclude(connection__shadow_since__isnull=False)


def items() -> QuerySet[Variant]:
    return Variant.objects.select_related("listing__seller", "listing__connection")


def offers_made() -> QuerySet[Offer]:
    return Offer.objects.select_related("variant__listing__connection", "seller", "buyer", "order")


def named(duplicate: Duplicate) -> list[Variant]:
    """The variants of its seller that have this SKU or GTIN, with their stock."""
    return members_of([duplicate])[duplicate.pk]


def members_of(duplicates: Sequence[Duplicate]) -> dict[int, list[Variant]]:
    """By the duplicate's key; of one seller, in two questions at most."""
    found: dict[int, list[Variant]] = {row.pk: [] for row in duplicates}
    ways = {Name.SKU: (Upper("sku"), Q(sku="")), Name.BARCODE: (digits_of("barcode"), Q(barcode=""))}
    for kind, (name, empty) in ways.items():
        by_key = {row.key: row for row in duplicates if row.kind == kind}
        if not by_key:
            continue
        rows = Variant.objects.annotate(name=name).filter(name__in=by_key, gone=False, listing__gone_in_shop=False)
        # A shop that is only looked at shares no units.
        rows = rows.filter(listing__seller=duplicates[0].seller_id).exclude(empty)
        rows = rows.exclude(connection__shadow_since__isnull=False)
        rows = rows.exclude(listing__state=ListingState.ARCHIVED)
        for variant in rows.select_related("listing__seller", "connection", "stock").order_by("pk"):
            # The index pads whatever has digits.
            if kind == Name.SKU or gtin(variant.barcode) == variant.name:
                found[by_key[variant.name].pk].append(variant)
    return found


def duplicates_of(seller: Seller, *, decided: bool) -> QuerySet[Duplicate]:
    """Newest first."""
    rows = theirs(Duplicate, seller).select_related("seller__owner", "decided_by").order_by("-pk")
    return rows.exclude(verdict=Verdict.OPEN) if decided else rows.filter(verdict=Verdict.OPEN)
