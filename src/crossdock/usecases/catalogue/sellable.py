"""Whether an item can be bought at all, in words for its buyer."""

from crossdock.domain.due import away
from crossdock.domain.moderation.sellers import why_barred
from crossdock.store.models import Offer, Variant
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.stock.reservations import sellable

MOST_UNITS = 999
TAKEN_DOWN = "The marketplace took this item down, so nobody can buy it."


def why_not_sold(variant: Variant) -> str:
    """Empty when the listing is live, its seller may sell and its shop is connected."""
    listing = variant.listing
    if listing.state == ListingState.TAKEN_DOWN:
        return TAKEN_DOWN
    if why := why_barred(listing.seller.bar):
        return why
    stays = listing.state == ListingState.LIVE and not listing.not_chosen
    if variant.gone or listing.gone_in_shop or not stays or not listing.active_in_shop:
        return "This item is no longer for sale."
    return "" if sellable(listing.connection) else "This shop is taking a break."


def why_paused(variant: Variant) -> str:
    """Empty unless its seller is on holiday and sells nothing meanwhile. What was agreed before can be paid."""
    seller = variant.listing.seller
    return away.why_paused(seller.away, seller.calendar)


def why_other_currency(offer: Offer) -> str:
    """Empty while the item is sold in the offer's currency.

    A shop may change it; the offer's number means another price then.
    """
    if offer.currency == offer.variant.listing.currency:
        return ""
    return (
        f"This offer was made in {offer.currency}, and the item is sold in {offer.variant.listing.currency} now."
        " Make a new offer, or buy it at the price shown."
    )
