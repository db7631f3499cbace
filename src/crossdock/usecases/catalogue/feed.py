"""Everything that is for sale, walked by key a few at a time, for whoever lists it elsewhere. Nothing here writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from crossdock.store.models import Listing, Variant
from crossdock.usecases.catalogue.listings import live
from crossdock.usecases.catalogue.sellable import why_not_sold
from crossdock.usecases.stock.reservations import availability

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Offered:
    """`left` is None where nobody knows: the shop has not said, or too long ago. `open` is false where the shop sells
    nothing at the moment.
    """

    variant: Variant
    left: int | None
    open: bool


def offered(*, now: datetime) -> Iterator[list[tuple[Listing, list[Offered]]]]:
    """Listings as the storefront finds them, oldest first, each with its variants; five statements a batch. One that
    is changed meanwhile stands as it is found, none twice.
    """
    at = 0
    while batch := list(live().order_by("pk").filter(pk__gt=at)[:AT_ONCE]):
        yield offers_of(batch, now=now)
        at = batch[-1].pk


def named(ids: Sequence[str], *, now: datetime) -> list[tuple[Listing, list[Offered]]]:
    """Of what is for sale the listings with one of these public ids, or with a variant of it."""
    of_variants = Variant.objects.filter(public_id__in=ids).values("listing")
    return offers_of(list(live().filter(Q(public_id__in=ids) | Q(pk__in=of_variants))), now=now)


def offers_of(listings: Sequence[Listing], *, now: datetime) -> list[tuple[Listing, list[Offered]]]:
    """As `live` found them; the stock of all in one question."""
    left = availability(variants=[variant for listing in listings for variant in listing.variants.all()], now=now)
    return [(listing, [_one(variant, left) for variant in listing.variants.all()]) for listing in listings]


def _one(variant: Variant, left: dict[int, int | None]) -> Offered:
    return Offered(variant, left[variant.pk], not why_not_sold(variant))
