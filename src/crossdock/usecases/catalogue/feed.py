"""Everything that is for sale, walked by key a few at a time, for whoever lists it elsewhere. Nothing here writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

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
        variants = [variant for listing in batch for variant in listing.variants.all()]
        left = availability(variants=variants, now=now)
        yield [(listing, [_one(variant, left) for variant in listing.variants.all()]) for listing in batch]
        at = batch[-1].pk


def _one(variant: Variant, left: dict[int, int | None]) -> Offered:
    return Offered(variant, left[variant.pk], not why_not_sold(variant))
