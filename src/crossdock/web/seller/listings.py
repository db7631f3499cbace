"""What the seller sells: what buyers see of it, what may be sold of it now, and why not when it is not live."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.finding.filling import category_in
from crossdock.domain.finding.filling import shown as attributes_shown
from crossdock.domain.finding.words import folded
from crossdock.domain.moderation.takedowns import WORDS as DEEDS
from crossdock.domain.moderation.takedowns import Deed
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Seller, Variant, VariantStock
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue.finding import has_word
from crossdock.usecases.catalogue.listings import archive_listing, leave_out, relist, said_after, why_not_live
from crossdock.usecases.catalogue.moderation.queries import sellers_story
from crossdock.usecases.catalogue.queries import duplicates_of
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.stock.confirm import confirm_count
from crossdock.usecases.stock.queries import has_aside, moves_of, stock_rows
from crossdock.usecases.stock.reservations import availability
from crossdock.usecases.stock.restore import correct_count, why_not_correct
from crossdock.usecases.stock.story import stock_story
from crossdock.web.forms import one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.platforms import manifest_of
from crossdock.web.seller.alert_view import view_of
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 25
MOVEMENTS, STEPS = 30, 20
TABS = {
    "": ("All", Q()),
    "live": ("Live", Q(state=ListingState.LIVE)),
    "waiting": ("Waiting", Q(state=ListingState.WAITING)),
    "hand": ("Made by hand", Q(connection=None)),
    "aside": ("Set aside", has_aside()),
    "left_out": ("Left out", Q(state=ListingState.LEFT_OUT)),
    "not_chosen": ("Not chosen", ~Q(not_chosen="")),
    "archived": ("Archived", Q(state=ListingState.ARCHIVED)),
    "taken_down": ("Taken down", Q(state=ListingState.TAKEN_DOWN)),
}
MOVEMENT_WORDS = {
    "held": "Held for a checkout",
    "sold": "Sold here",
    "fenced": "The shop confirmed it; the next read includes it",
    "shop_count": "Count read from the shop",
    "correction": "You corrected the shop's count",
    "hint": "The shop told us a lower number",
    "refused": "The shop had less than was asked",
    "set_aside": "Set aside",
    "linked": "The same thing in another shop",
    "unlinked": "Sold by itself again",
    "confirmed": "Count confirmed",
    "edited": "Count typed",
    "made": "Listed",
    "shipped": "Shipped",
    "hold_ended_read": "Contained in the count that was read",
    "hold_ended_expired": "Checkout ended without a payment",
    "hold_ended_not_sent": "Given back: it never reached the shop",
    "hold_ended_not_found": "Given back: it was not in the shop",
    "hold_ended_refused": "Given back: the shop refused it",
    "hold_ended_shipped_here": "Left the house",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A listing in the table. `left` is None when nobody knows, shown as "?"; `in_shop` is the lowest price that its
    shop is followed by, None where that is asked here.
    """

    listing: Listing
    variants: list[Variant]
    left: int | None
    price: Money | None
    several: bool
    in_shop: Money | None
    reasons: list[str]


def row_of(listing: Listing, stock: dict[int, int | None], rows: dict[int, VariantStock], now: datetime) -> Row:
    variants = [variant for variant in listing.variants.all() if not variant.gone]
    known = [left for variant in variants if (left := stock.get(variant.pk)) is not None]
    prices = {variant.price_minor for variant in variants}
    price = Money(min(prices), listing.currency) if prices else None
    own = min((variant.shop_price for variant in variants), default=None)
    in_shop = own if own != price else None
    reasons = why_not_live(listing=listing, now=now, stock=stock, rows=rows)
    return Row(listing, variants, sum(known) if known else None, price, len(prices) > 1, in_shop, reasons)


def of_seller(seller: Seller) -> QuerySet[Listing]:
    return theirs(Listing, seller).select_related("connection__party", "seller")


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    tab, query = one_of(request.GET, "show", TABS, ""), typed(request.GET, "q")
    found = of_seller(seller).filter(TABS[tab][1])
    for word in folded(query).split()[:8]:
        found = found.filter(has_word(word))
    after = number_after(request)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found.prefetch_related("variants__connection", "variants__listing").order_by("-pk")[: PAGE + 1])
    now = timezone.now()
    stock = availability(variants=[variant for listing in page for variant in listing.variants.all()], now=now)
    known = stock_rows(stock)
    context = {
        "rows": [row_of(listing, stock, known, now) for listing in page[:PAGE]],
        "next_after": page[PAGE - 1].pk if len(page) > PAGE else None,
        "tab": tab,
        "tabs": [(name, words) for name, (words, _) in TABS.items()],
        "query": query,
        "duplicate_count": duplicates_of(seller, decided=False).count(),
    }
    return show(request, seller, "listings", context, here="listings")


def _listing(seller: Seller, public_id: str) -> Listing:
    return get_object_or_404(of_seller(seller), public_id=public_id)


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    listing, now = _listing(seller, public_id), timezone.now()
    variants = list(listing.variants.select_related("listing", "connection"))
    stories = [(variant, stock_story(variant=variant, now=now)) for variant in variants]
    moves = moves_of(variants)[:MOVEMENTS]
    taxonomy = in_force()
    context = {
        "listing": listing,
        "alerts": [view_of(alert) for alert in open_alerts(seller=seller).filter(listing=listing)],
        "stories": stories,
        "why_not_correct": {
            variant.pk: why_not_correct(variant=variant, manifest=manifest_of(listing)) for variant in variants
        },
        "key": secrets.token_urlsafe(12),
        "story": [(DEEDS[Deed(step.deed)], step) for step in sellers_story(listing)[:STEPS]],
        "reasons": why_not_live(listing=listing, now=now),
        "category": " › ".join(each.name for each in taxonomy.way_to(category_in(taxonomy, listing.facts))),
        "attributes": attributes_shown(taxonomy, listing.facts),
        "moves": [(MOVEMENT_WORDS.get(move.kind, move.kind.replace("_", " ")), move) for move in moves],
    }
    return show(request, seller, "listing", context, here="listings")


@sellers_only
@require_POST
def change_state(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Archive, list again, leave out; each can be taken back."""
    listing = _listing(seller, public_id)
    match typed(request.POST, "to") or typed(request.GET, "to"):
        case "archive":
            try_it(
                request,
                lambda now: archive_listing(listing=listing, now=now),
                "Archived. Nothing of it is lost; “List again” sells it again.",
            )
        case "relist":
            if try_it(request, lambda now: relist(listing=listing, now=now)):
                messages.info(request, said_after(listing, now=timezone.now()))
        case "leave_out":
            try_it(
                request,
                lambda now: leave_out(listing=listing, now=now),
                "Left out. It stays in your shop and is not sold here.",
            )
    return redirect("seller_listing", public_id)


@sellers_only
@require_POST
def confirm(request: HttpRequest, seller: Seller, public_id: str, variant: str) -> HttpResponse:
    """The seller counted: for a listing made by hand with the number, for a shop's by saying that the shop's number is
    right.
    """
    listing = _listing(seller, public_id)
    found = get_object_or_404(listing.variants.select_related("connection"), public_id=variant)
    text = typed(request.POST, "count", longest=8)
    count = int(text) if text.isdecimal() else None
    actor = signed_in(request)
    said = (
        "Thank you. It sells again once your shop's count is read." if listing.synced else "Thank you. It sells again."
    )
    try_it(request, lambda now: confirm_count(variant=found, count=count, actor=actor, now=now), said)
    return redirect("seller_listing", public_id)


@sellers_only
@require_POST
def correct(request: HttpRequest, seller: Seller, public_id: str, variant: str) -> HttpResponse:
    """S4: the shop's own count, changed from here by the difference to what was seen."""
    listing = _listing(seller, public_id)
    found = get_object_or_404(listing.variants.select_related("listing", "connection"), public_id=variant)
    wanted, seen = (typed(request.POST, name, longest=8) for name in ("wanted", "seen"))
    if not wanted.isdecimal() or not seen.lstrip("-").isdecimal():
        messages.error(request, "Type the number of units that your shop should count, from 0 to 1,000,000.")
        return redirect("seller_listing", public_id)
    try_it(
        request,
        lambda now: correct_count(
            variant=found,
            seen=int(seen),
            wanted=int(wanted),
            key=typed(request.POST, "key", longest=40),
            manifest=manifest_of(listing),
            actor=signed_in(request),
            now=now,
        ),
        "Sent to your shop. The new count is read back in a moment.",
    )
    return redirect("seller_listing", public_id)
