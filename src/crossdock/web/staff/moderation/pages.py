"""Listings that were reported or whose seller appeals, every listing by its name, and the one page on which staff
decide about one: by the reports, by themselves, and about an appeal.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.moderation.reports import REASONS, Reason
from crossdock.domain.moderation.takedowns import GROUNDS, IS_DOWN, LONGEST, WORDS, Deed, Ground, ReviewState
from crossdock.domain.roles import Right
from crossdock.store.models import Listing, ListingReview, User
from crossdock.usecases.catalogue.listings import why_not_live
from crossdock.usecases.catalogue.moderation.deciding import decide, dismiss, take_down
from crossdock.usecases.catalogue.moderation.queries import (
    any_listing,
    listings_named,
    open_review_of,
    reports_of,
    reviews,
    story_of,
)
from crossdock.usecases.errors import Problem, Stale
from crossdock.web.forms import one_of, typed
from crossdock.web.staff.panel import page_of, show, staff_only

WHICH = {
    "reported": "Reported",
    "asked": "Sellers ask",
    "down": "Taken down",
    "dismissed": "Dismissed",
    "all": "All",
}
STATES: dict[str, tuple[str, str]] = {
    ReviewState.WAITING: ("Reported", "warn"),
    ReviewState.ASKED: ("Seller asks", "warn"),
    ReviewState.DOWN: ("Taken down", "bad"),
    ReviewState.DISMISSED: ("Dismissed", ""),
    ReviewState.BACK: ("Put back", "good"),
}
STEPS = 20


@staff_only(Right.MODERATE)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which = one_of(request.GET, "which", WHICH, "reported")
    found, next_after = page_of(request, reviews(which))
    context = {
        "rows": [(row, STATES[row.state]) for row in found],
        "next_after": next_after,
        "which": which,
        "tabs": list(WHICH.items()),
    }
    return show(request, "moderation/table", context, here="moderation")


@staff_only(Right.MODERATE)
@require_safe
def find(request: HttpRequest, staff: User) -> HttpResponse:
    query = typed(request.GET, "q", longest=300)
    found, next_after = page_of(request, listings_named(query)) if query else ([], None)
    context = {"rows": found, "next_after": next_after, "query": query}
    return show(request, "moderation/find", context, here="moderation")


@staff_only(Right.MODERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    listing = get_object_or_404(any_listing(), public_id=public_id)
    review = open_review_of(listing)
    words = request.POST.get("words", "")[:LONGEST]
    trouble = _done(request, staff, listing, review, words) if request.method == "POST" else ""
    if trouble is None:
        return redirect("staff_moderated", public_id)
    found, next_after = page_of(request, reports_of(listing))
    context = {
        "listing": listing,
        "review": review,
        "state": STATES[review.state] if review else None,
        "down": review is not None and review.state in IS_DOWN,
        "mine": review is not None and review.asked == Deed.APPEALED and review.decided_by_id == staff.pk,
        "asked": WORDS[Deed(review.asked)] if review and review.asked else "",
        "reports": [(REASONS[Reason(row.reason)], row) for row in found],
        "next_after": next_after,
        "grounds": GROUNDS.items(),
        "ground": request.POST.get("ground", ""),
        "until_changed": "until_changed" in request.POST,
        "words": words,
        "trouble": trouble,
        "why_not_live": why_not_live(listing=listing, now=timezone.now()),
        "story": [(WORDS[Deed(step.deed)], step) for step in story_of(listing)[:STEPS]],
    }
    return show(request, "moderation/listing", context, here="moderation", status=422 if trouble else 200)


def _done(request: HttpRequest, staff: User, listing: Listing, review: ListingReview | None, words: str) -> str | None:
    """None when that was it, or else what keeps it from being. The deed is what the button says, whatever became of the
    listing in another tab.
    """
    now, word = timezone.now(), typed(request.POST, "ground", longest=12)
    try:
        match typed(request.POST, "deed", longest=12):
            case "take_down":
                ground = Ground(word) if word in set(Ground) else None
                until = "until_changed" in request.POST
                done = take_down(listing=listing, ground=ground, words=words, until_changed=until, actor=staff, now=now)
                if done.decided_by_id != staff.pk:
                    raise Stale(f"{done.decided_by or 'Somebody else'} took it down already. See what they wrote.")
                said = "Taken down. It is for sale nowhere from now on, and its seller is written why."
            case "dismiss" if review is not None:
                seen = typed(request.POST, "seen", longest=30)
                dismiss(review=review, seen=seen, words=words, actor=staff, now=now)
                said = "Dismissed. Those who reported it are written why."
            case "put_back" if review is not None:
                decide(review=review, put_back=True, words=words, actor=staff, now=now)
                said = "Put back. Its seller is written why."
            case "uphold" if review is not None:
                decide(review=review, put_back=False, words=words, actor=staff, now=now)
                said = "It stays taken down. Its seller is written why."
            case _:
                raise Stale("Somebody decided it meanwhile. Look at it as it is now.")
    except Problem as problem:
        return str(problem)
    messages.success(request, said)
    return None
