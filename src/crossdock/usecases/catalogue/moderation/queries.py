"""What is read of reports and take-downs. Nothing here writes."""

import re

from django.db.models import Q, QuerySet

from crossdock.domain.finding.words import folded
from crossdock.domain.moderation.takedowns import IS_DOWN, OPEN, SELLERS, ReviewState
from crossdock.store.models import Listing, ListingReport, ListingReview, ReviewStep
from crossdock.usecases.catalogue.finding import has_word

WHICH: dict[str, Q] = {
    "reported": Q(state=ReviewState.WAITING),
    "asked": Q(state=ReviewState.ASKED),
    "down": Q(state__in=IS_DOWN),
    "dismissed": Q(state=ReviewState.DISMISSED),
    "all": Q(),
}
_ADDRESS = re.compile(r"/l/([\w-]{1,14})/")


def reviews(which: str) -> QuerySet[ListingReview]:
    return ListingReview.objects.filter(WHICH[which]).select_related("listing", "seller", "decided_by")


def waiting() -> int:
    """How many wait for staff."""
    return ListingReview.objects.filter(state__in=[ReviewState.WAITING, ReviewState.ASKED]).count()


def any_listing() -> QuerySet[Listing]:
    return Listing.objects.select_related("seller__owner", "connection")


def listings_named(text: str) -> QuerySet[Listing]:
    """By words of title and SKUs, by its number, or by its pasted address; nothing for no words."""
    address = _ADDRESS.search(text)
    if address:
        return any_listing().filter(public_id=address[1])
    words = Q(pk__in=[])
    if parts := folded(text).split()[:8]:
        words = Q()
        for part in parts:
            words &= has_word(part)
    return any_listing().filter(words | Q(public_id=text.strip()))


def open_review_of(listing: Listing) -> ListingReview | None:
    return listing.reviews.filter(state__in=OPEN).select_related("decided_by", "seller__owner", "listing").first()


def down_of(listing: Listing) -> ListingReview | None:
    """Why it is taken down; None while it is not."""
    return listing.reviews.filter(state__in=IS_DOWN).select_related("seller__owner", "listing").first()


def reports_of(listing: Listing) -> QuerySet[ListingReport]:
    return ListingReport.objects.filter(review__listing=listing).select_related("review", "reporter")


def story_of(listing: Listing) -> QuerySet[ReviewStep]:
    """Newest first, of all reviews of it, for staff."""
    return ReviewStep.objects.filter(review__listing=listing).select_related("actor", "review").order_by("-pk")


def sellers_story(listing: Listing) -> QuerySet[ReviewStep]:
    """The same as its seller reads it: without who, and without what came of nothing."""
    return ReviewStep.objects.filter(review__listing=listing, deed__in=SELLERS).order_by("-pk")
