"""Anybody reports a listing; the receipt is mailed at once, the decision later."""

from datetime import datetime, timedelta

from django.db.models import Q

from crossdock.domain.moderation.reports import LONGEST, LONGEST_NAME, MOST_A_DAY, Reason, why_not_report
from crossdock.domain.moderation.takedowns import OPEN, ReviewState
from crossdock.domain.storable import one_line, typed_lines
from crossdock.store.models import Listing, ListingReport, ListingReview, User
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.rights import belongs
from crossdock.usecases.record.telling import telling

_DAY = timedelta(days=1)


def report(
    *, listing: Listing, reason: Reason, words: str, name: str, email: str, reporter: User | None, now: datetime
) -> ListingReport:
    """Of whom is signed in the account's own address counts. One address reports once while staff have not decided:
    sent twice it is one report. Raises Invalid, NotAllowed.
    """
    words = typed_lines(words)[:LONGEST]
    name, email = one_line(name, LONGEST_NAME), (reporter.email if reporter else email.strip()).lower()
    if why := why_not_report(reason, words, name, email):
        raise Invalid(why)
    if belongs(reporter, listing.seller):
        raise NotAllowed("This listing is your own: archive it, or edit it.")
    with telling(now) as told:
        row = Listing.objects.select_for_update(no_key=True, of=("self",)).get(pk=listing.pk)
        if row.state == ListingState.TAKEN_DOWN:
            raise NotAllowed("This listing was taken down already. Thank you for looking out.")
        review = open_review(row, now=now)
        same = Q(reporter=reporter) if reporter else Q(email=email)
        before = review.notices.filter(same).first() if email else None
        if before is not None:
            return before
        # Anybody may have typed the address of somebody who is signed in: that takes no report from them.
        today = ListingReport.objects.filter(same, at__gt=now - _DAY).count() if email else 0
        if today >= MOST_A_DAY:
            raise NotAllowed("So many reports came from this address today. Go on tomorrow; staff read those first.")
        if reporter and review.notices.filter(email=email).exists():
            # What is decided is written to it already.
            email = ""
        made = ListingReport.objects.create(
            review=review, reason=reason, words=words, name=name, email=email, reporter=reporter, at=now
        )
        review.reports, review.last_at = review.reports + 1, now
        review.save(update_fields=["reports", "last_at"])
        if email:
            told.write_mail(
                cause=f"report:{made.public_id}",
                to=email,
                subject=f"We received your report {made.public_id}",
                body=(
                    f"Somebody, surely you, reported listing {row.public_id} with this address on"
                    f" {now:%d %B %Y, %H:%M} UTC. The report has the number {made.public_id}.\n\nA person of our staff"
                    " looks at it, and you are written to what was decided. The seller does not learn who reported it."
                ),
                path=f"/l/{row.public_id}/",
            )
        return made


def open_review(listing: Listing, *, now: datetime) -> ListingReview:
    """The listing's open one, or a new one that waits. The listing is locked, so there are never two."""
    found = listing.reviews.filter(state__in=OPEN).first()
    return found or ListingReview.objects.create(
        listing=listing, seller_id=listing.seller_id, state=ReviewState.WAITING, opened_at=now, last_at=now
    )


def locked_review(review: ListingReview) -> ListingReview:
    """The listing's lock first, which the review's own needs none beside. In the caller's transaction."""
    listing = Listing.objects.select_for_update(no_key=True, of=("self",)).get(pk=review.listing_id)
    row = ListingReview.objects.select_related("seller__owner", "decided_by").get(pk=review.pk)
    row.listing = listing
    return row
