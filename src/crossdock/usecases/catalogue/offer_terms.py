"""Whether a listing takes offers, and the prices that answer by themselves: rule S1 first, then the seller."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.offers import Terms
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import Listing, Seller
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.policy import lifted

SYNCED = "This item follows the seller's own shop, so it is sold at the asking price; no offers can be made on it."
NOT_TAKEN = "The seller takes no offers on this item."


def why_closed(*, listing: Listing, manifest: Manifest | None, open_: bool | None = None) -> str:
    """S1, whatever the seller wishes.

    Empty when it is theirs to decide. `manifest` is that of the listing's platform; None for one made by hand. A table
    of many listings tells whether the rule is lifted (`open_`); otherwise it is asked for.
    """
    if not listing.synced:
        return ""
    if not (lifted(rule="S1") if open_ is None else open_):
        return SYNCED
    if manifest is None:
        return SYNCED
    if not manifest.can(Capability.ORDER_AT_OUR_PRICE):
        return f"{SYNCED} {manifest.sentence(Capability.ORDER_AT_OUR_PRICE)}"
    return ""


def takes_offers(listing: Listing) -> bool:
    """The seller's decision; without one, listings made by hand take offers and synced ones don't."""
    return not listing.synced if listing.takes_offers is None else listing.takes_offers


def why_no_offers(*, listing: Listing, manifest: Manifest | None, open_: bool | None = None) -> str:
    """Empty when an offer can be made."""
    return why_closed(listing=listing, manifest=manifest, open_=open_) or ("" if takes_offers(listing) else NOT_TAKEN)


def terms_of(listing: Listing) -> Terms:
    return Terms(listing.accept_from_minor, listing.decline_below_minor)


def set_terms(
    *,
    seller: Seller,
    listings: Sequence[Listing],
    takes: bool,
    accept_from: int | None,
    decline_below: int | None,
    now: datetime,
) -> int:
    """The seller's decision for some of their listings, prices in minor units of one unit.

    Returns how many. Open offers stay as they are.
    """
    for amount in (accept_from, decline_below):
        if amount is not None and not 0 < amount <= 10**12:
            raise Invalid("Type a price above zero, or leave it empty.")
    if accept_from is not None and decline_below is not None and decline_below > accept_from:
        raise Invalid("The price that declines by itself must not be above the one that accepts by itself.")
    mine = Listing.objects.filter(seller=seller, pk__in=[listing.pk for listing in listings])
    with transaction.atomic():
        lock_in_order(mine)
        return mine.update(
            takes_offers=takes, accept_from_minor=accept_from, decline_below_minor=decline_below, updated_at=now
        )


def set_terms_by_percent(
    *,
    seller: Seller,
    listings: Sequence[Listing],
    takes: bool,
    accept_percent: int | None,
    decline_percent: int | None,
    now: datetime,
) -> int:
    """The same in bulk: each listing's prices are that share of its lowest asking price today."""
    for percent in (accept_percent, decline_percent):
        if percent is not None and not 1 <= percent <= 100:
            raise Invalid("Type a percentage from 1 to 100, or leave it empty.")
    if accept_percent is not None and decline_percent is not None and decline_percent > accept_percent:
        raise Invalid("The share that declines by itself must not be above the one that accepts by itself.")
    done = 0
    with transaction.atomic():
        for listing in listings:
            prices = [v.price_minor for v in listing.variants.all() if not v.gone]
            if not prices:
                continue
            done += set_terms(
                seller=seller,
                listings=[listing],
                takes=takes,
                now=now,
                accept_from=_percent(min(prices), accept_percent),
                decline_below=_percent(min(prices), decline_percent),
            )
    return done


def _percent(price: int, percent: int | None) -> int | None:
    return None if percent is None else max(1, price * percent // 100)
