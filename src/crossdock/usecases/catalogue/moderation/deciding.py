"""Staff decide about a listing: take it down, dismiss what was reported, put it back or let it stay; and its seller
asks. Each step is in the review's story, in the audit log, and mailed to whom it concerns.

The listing's row is locked first. Orders that were placed go on; a payment on its way for what was taken down goes
back (usecases/checkout/checkout.py).
"""

from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.moderation.takedowns import (
    APPEAL_FOR,
    GROUNDS,
    IS_DOWN,
    LONGEST,
    Deed,
    Ground,
    ReviewState,
    why_not_ask,
    why_not_decide,
)
from crossdock.domain.roles import Right
from crossdock.domain.storable import typed_lines
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Listing, ListingReview, ReviewStep, User
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue.moderation.reporting import locked_review, open_review
from crossdock.usecases.catalogue.room import back_to
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import belongs, require
from crossdock.usecases.record.telling import Telling, telling

_STAFF = "Only staff decide about listings."
_REDRESS = (
    "You can also turn to a certified out-of-court dispute settlement body, where there is one for you, or to a court."
)


def take_down(
    *, listing: Listing, ground: Ground | None, words: str, until_changed: bool, actor: User, now: datetime
) -> ListingReview:
    """It is nowhere for sale from this moment. Pressed twice, or by two at once, it is taken down once, as the first
    said. Raises NotAllowed, Invalid.
    """
    _require(actor, listing)
    words = _said(words, "Say what is wrong with it: the seller reads it, and what to change.")
    if ground is None:
        raise Invalid("Choose the ground on which it is taken down.")
    with telling(now) as told:
        row = Listing.objects.select_for_update(no_key=True, of=("self",)).get(pk=listing.pk)
        review = open_review(row, now=now)
        if review.state in IS_DOWN:
            return review
        review.ground, review.until_changed, review.listing_state = ground, until_changed, row.state
        review.state, review.decided_by, review.decided_at = ReviewState.DOWN, actor, now
        row.state, row.updated_at = ListingState.TAKEN_DOWN, now
        row.save(update_fields=["state", "updated_at"])
        detail = {"ground": ground, "until_changed": until_changed, "reports": review.reports}
        _step(review, Deed.TAKEN_DOWN, words, actor, told=told, detail=detail)
        _tell_taken_down(review, words, told=told)
        _tell_reporters(review, "down", _TAKEN_DOWN, told=told)
        return review


def dismiss(*, review: ListingReview, seen: str, words: str, actor: User, now: datetime) -> ListingReview:
    """What was reported is nothing to act on; the reporters read why. Pressed twice it counts once. `seen` is the
    review's `reports_seen` when they looked at it. Raises NotAllowed, Invalid, Stale.
    """
    _require(actor, review.listing)
    words = _said(words, "Say why nothing is done: those who reported it read it.")
    with telling(now) as told:
        row = locked_review(review)
        if row.state in IS_DOWN:
            raise Stale("It was taken down meanwhile, so there is nothing to dismiss.")
        if row.state != ReviewState.WAITING:
            return row
        if row.reports_seen != seen:
            raise Stale("It was reported once more after you opened this page. Read that report, then decide.")
        row.state, row.decided_by, row.decided_at = ReviewState.DISMISSED, actor, now
        _step(row, Deed.DISMISSED, words, actor, told=told)
        _tell_reporters(row, "dismissed", f"We found no reason to take it down: {words}\n\n{_AGAIN}", told=told)
        return row


def ask(*, review: ListingReview, deed: Deed, words: str, actor: User, now: datetime) -> ListingReview:
    """The seller appeals, or says that it is changed. Sent twice it is asked once. Raises NotAllowed, Invalid."""
    require(actor, review.seller, duty=Duty.LISTINGS)
    words = _said(words, "Write what staff should know: it is all that they have besides the listing.")
    with telling(now) as told:
        row = locked_review(review)
        if row.state == ReviewState.ASKED and row.asked == deed:
            return row
        if why := why_not_ask(row.standing, deed, now):
            raise NotAllowed(why)
        row.state, row.asked = ReviewState.ASKED, deed
        _step(row, deed, words, actor, told=told)
        how = "You appealed; staff decide." if deed is Deed.APPEALED else "You asked staff to look again."
        told.settle_by_fact(how=how, codes=(AlertCode.LISTING_TAKEN_DOWN,), listing=row.listing)
        told.write_mail(
            cause=_cause(row, "asked", now),
            to=row.seller.owner.email,
            subject=f"We received {'your appeal' if deed is Deed.APPEALED else 'your change'}: {row.listing.title}",
            body=(
                f"You wrote:\n\n{words}\n\n"
                + (
                    "Another person than the one who took the listing down decides, and you are written to."
                    if deed is Deed.APPEALED
                    else "Our staff look at the listing as it is now, and you are written to."
                )
            ),
            path=_page(row),
        )
        return row


def decide(*, review: ListingReview, put_back: bool, words: str, actor: User, now: datetime) -> ListingReview:
    """It is sold again as before, or stays down. Of an appeal another person than who took it down. Pressed twice it
    counts once. Raises NotAllowed, Invalid.
    """
    _require(actor, review.listing)
    words = _said(words, "Say why: the seller reads it.")
    with telling(now) as told:
        row = locked_review(review)
        if row.state == ReviewState.BACK and put_back:
            return row
        took_down, reported = row.decided_by_id == actor.pk, row.notices.filter(reporter=actor).exists()
        if why := why_not_decide(row.standing, took_down=took_down, reported=reported, put_back=put_back):
            raise NotAllowed(why)
        row.appealed, row.asked = row.appealed or row.asked == Deed.APPEALED, ""
        if not put_back:
            row.state = ReviewState.DOWN
            _step(row, Deed.UPHELD, words, actor, told=told)
            _tell_upheld(row, words, told=told)
            return row
        row.state = ReviewState.BACK
        # Whose account was closed meanwhile has nothing to sell (usecases/privacy/erasing.py).
        Listing.objects.filter(pk=row.listing_id, state=ListingState.TAKEN_DOWN).update(
            state=back_to(row.seller, row.listing_state), updated_at=now
        )
        _step(row, Deed.PUT_BACK, words, actor, told=told)
        told.settle_by_fact(how="Put back.", codes=(AlertCode.LISTING_TAKEN_DOWN,), listing=row.listing)
        live = row.listing_state == ListingState.LIVE
        told.write_mail(
            cause=_cause(row, "back", now),
            to=row.seller.owner.email,
            subject=f"Your listing is back: {row.listing.title}",
            body=f"{words}\n\n{'Buyers can find it again.' if live else 'It is where it was before: not for sale.'}",
            path=f"/seller/listings/{row.listing.public_id}/",
        )
        _tell_reporters(
            row, f"back:{now:%Y%m%d%H%M%S}", f"It was taken down, and is back after another look: {words}", told=told
        )
        return row


def _require(actor: User, listing: Listing) -> None:
    require(actor, None, _STAFF, Right.MODERATE)
    if belongs(actor, listing.seller):
        raise NotAllowed("This listing is your own. Somebody else of staff decides about it.")


def _said(words: str, missing: str) -> str:
    words = typed_lines(words)[:LONGEST]
    if not words:
        raise Invalid(missing)
    return words


def _step(
    review: ListingReview,
    deed: Deed,
    words: str,
    actor: User,
    *,
    told: Telling,
    detail: dict[str, object] | None = None,
) -> None:
    """The review as it is now, its story and the audit log."""
    review.last_at = told.now
    review.save()
    ReviewStep.objects.create(review=review, at=told.now, deed=deed, actor=actor, words=words)
    more = {"review": review.public_id, "listing": review.listing.public_id, **(detail or {})}
    note(actor=actor, action=_ACTIONS[deed], subject=review.listing.title, now=told.now, detail=more)


_ACTIONS = {
    Deed.DISMISSED: "listing reports dismissed",
    Deed.TAKEN_DOWN: "listing taken down",
    Deed.APPEALED: "take-down appealed",
    Deed.CHANGED: "take-down: listing changed",
    Deed.UPHELD: "take-down upheld",
    Deed.PUT_BACK: "listing put back",
}
_TAKEN_DOWN = "We agree with you: the listing was taken down. Its seller may appeal."
_AGAIN = (
    "If there is something that we did not see, report it again and say what. You can also turn to a certified"
    " out-of-court dispute settlement body or to a court."
)


def statement_of(review: ListingReview) -> str:
    """The statement of reasons, without staff's own words and what can be done against it."""
    reasons = GROUNDS[Ground(review.ground)]
    basis = "It is against the law" if reasons.law else "It is against the terms"
    how = "after reports of others" if review.reports else "after a look of their own"
    until = "until you have changed it and staff have looked" if review.until_changed else "until staff put it back"
    return (
        f"Ground: {reasons.title}. {basis}: {reasons.sentence}\n\nIt is shown and sold nowhere on this marketplace"
        f" {until}. Orders that were placed go on. Our staff decided this {how}; nothing automatic took part in it."
    )


def _tell_taken_down(review: ListingReview, words: str, *, told: Telling) -> None:
    """The mail goes whatever mails the seller chose: the law asks for it."""
    reasons = GROUNDS[Ground(review.ground)]
    last = told.now + APPEAL_FOR
    changed = "\n\nWhen it is changed, say so on the listing's page; staff look again." if review.until_changed else ""
    told.raise_alert(
        code=AlertCode.LISTING_TAKEN_DOWN,
        seller=review.seller,
        listing=review.listing,
        sentence=f"“{review.listing.title}” was taken down ({reasons.title.lower()}): {words}",
        evidence={"review": review.public_id},
    )
    told.write_mail(
        cause=f"taken_down:{review.public_id}",
        to=review.seller.owner.email,
        subject=f"Your listing was taken down: {review.listing.title}",
        body=(
            f"“{review.listing.title}” was taken down.\n\n{words}\n\n{statement_of(review)}{changed}\n\nIf you think"
            f" that this is wrong, appeal on the listing's page until {last:%d %B %Y}; it costs nothing, and another"
            f" person decides. {_REDRESS}"
        ),
        path=_page(review),
    )


def _tell_upheld(review: ListingReview, words: str, *, told: Telling) -> None:
    told.write_mail(
        cause=_cause(review, "upheld", told.now),
        to=review.seller.owner.email,
        subject=f"Your listing stays taken down: {review.listing.title}",
        body=f"{words}\n\nA person decided this; nothing automatic took part in it. {_REDRESS}",
        path=_page(review),
    )


def _tell_reporters(review: ListingReview, what: str, words: str, *, told: Telling) -> None:
    for public_id, email in review.notices.exclude(email="").values_list("public_id", "email"):
        told.write_mail(
            cause=f"report:{public_id}:{what}",
            to=email,
            subject=f"About your report {public_id}",
            body=(
                f"You reported listing {review.listing.public_id}. {words}\n\nA person decided this; nothing automatic"
                " took part in it."
            ),
        )


def _page(review: ListingReview) -> str:
    return f"/seller/listings/{review.listing.public_id}/appeal/"


def _cause(review: ListingReview, what: str, now: datetime) -> str:
    """Each step is mailed once; there may be several of a kind."""
    return f"review:{review.public_id}:{what}:{now:%Y%m%d%H%M%S%f}"
