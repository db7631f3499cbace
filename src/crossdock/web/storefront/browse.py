"""Finding something to buy. What is shown as sold is judged again, under a lock, when somebody buys it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from crossdock.domain.finding.choosing import Choice
from crossdock.domain.finding.filling import category_in
from crossdock.domain.finding.filling import shown as attributes_shown
from crossdock.domain.moderation.sellers import why_barred
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Seller, Variant
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.accounts.queries import sellers_shown, shops_called
from crossdock.usecases.catalogue.facets import NOTHING, count
from crossdock.usecases.catalogue.finding import find, fits
from crossdock.usecases.catalogue.listings import live
from crossdock.usecases.catalogue.offer_terms import why_no_offers
from crossdock.usecases.catalogue.queries import listings_shown
from crossdock.usecases.catalogue.sellable import MOST_UNITS, why_not_sold, why_paused
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.record.rights import belongs
from crossdock.usecases.requests.queries import rated
from crossdock.usecases.stock.reservations import availability
from crossdock.web.forms import typed
from crossdock.web.people import visitor
from crossdock.web.platforms import manifest_of
from crossdock.web.storefront.crawling import canonical
from crossdock.web.storefront.filters import branches_of, category_in_address, choices_in, filters_of
from crossdock.web.storefront.finding import after_in, wanted_in

PAGE = 24
FEW = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """A listing in a grid.

    `several` says that its variants differ in price; `word` is what must be said about its stock. `variant` is the one
    to open, where some are what was chosen and others are not.
    """

    listing: Listing
    price: Money | None
    several: bool
    word: str
    tone: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant on its listing's page.

    `why_not` is empty when it can be bought; `left` is None when nobody knows ("?").
    """

    variant: Variant
    left: int | None
    word: str
    why_not: str


def number_after(request: HttpRequest) -> int | None:
    """Where a keyset page starts; nonsense in the address means the first page."""
    text = request.GET.get("after", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def stock_word(left: int | None) -> tuple[str, str]:
    """What a buyer reads about a number of units, and its tone."""
    if left is None:
        return "?", ""
    if left == 0:
        return gettext("Sold out"), ""
    if left == 1:
        return gettext("Last one"), "warn"
    return (gettext("Only {left} left").format(left=left), "warn") if left <= FEW else ("", "")


def tiles(listings: Sequence[Listing], *, now: datetime, choices: Sequence[Choice] = ()) -> list[Tile]:
    """With the prices of those variants alone that are what is chosen."""
    shown = {listing.pk: fits(listing, choices) for listing in listings}
    stock = availability(variants=[variant for own in shown.values() for variant in own], now=now)
    return [_tile(listing, shown[listing.pk], stock, named=bool(choices)) for listing in listings]


def _tile(listing: Listing, variants: Sequence[Variant], stock: Mapping[int, int | None], *, named: bool) -> Tile:
    best = next((variant for variant in variants if stock[variant.pk]), None) if named else None
    known = [left for variant in variants if (left := stock[variant.pk]) is not None]
    prices = sorted(
        {variant.price for variant in variants if stock[variant.pk]} or {variant.price for variant in variants}
    )
    word, tone = stock_word(sum(known) if known else None)
    price = prices[0] if prices else None
    return Tile(listing, price, len(prices) > 1, word, tone, best.public_id if best else "")


def _grid(request: HttpRequest, name: str, seller: Seller | None = None, category: str = "") -> dict[str, object]:
    """What a page with a grid shows; `name` is the search box's in its address, `category` the page's own."""
    words, now, taxonomy = typed(request.GET, name), timezone.now(), in_force()
    after = after_in(request)
    category = category or category_in_address(request.GET, taxonomy)
    choices = choices_in(request.GET, taxonomy, category)
    wanted, form = wanted_in(request.GET, words, seller=seller, choices=choices)
    found = find(wanted=wanted, now=now, after=after, limit=PAGE)
    shown = tiles(found.listings, now=now, choices=choices)
    facets = count(wanted) if taxonomy else NOTHING
    by_category = reverse("category", args=[category]) if category and seller is None else request.path
    return {
        # A search, and what comes behind a first page, has no address that lasts.
        "canonical": "" if words or after else canonical(by_category),
        "unlisted": bool(words or after),
        "category": category,
        "way": taxonomy.way_to(category),
        "branches": branches_of(taxonomy, category, facets),
        "filters": filters_of(request.GET, taxonomy, category, facets),
        "found": facets.base.all if taxonomy else None,
        "here": request.get_full_path(),
        "words": words,
        "tiles": shown,
        "next_after": found.after,
        "similar": found.similar and bool(shown),
        "form": form,
        "narrowed": wanted.narrowed,
        "search_name": name,
    }


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    sellers = shops_called(typed(request.GET, "q"))[:4]
    return render(request, "storefront/browse.html", {"sellers": sellers, **_grid(request, "q")})


@require_safe
def category(request: HttpRequest, key: str) -> HttpResponse:
    if key not in in_force().categories:
        raise Http404
    return render(request, "storefront/browse.html", {"sellers": [], **_grid(request, "q", category=key)})


@require_safe
def seller(request: HttpRequest, slug: str) -> HttpResponse:
    who = get_object_or_404(sellers_shown(), slug=slug)
    if hidden := hidden_seller(request, who):
        return hidden
    rates = who.shipping_rates.order_by("currency", "country")
    context = {"seller": who, "rates": rates, "rated": rated(who), **_grid(request, "in", who)}
    return render(request, "storefront/seller.html", context)


def _offer(variant: Variant, left: int | None) -> Offer:
    word, _ = stock_word(left)
    why = why_not_sold(variant) or why_paused(variant)
    if not why and left is None:
        why = gettext(
            "The shop has not confirmed its stock lately, so it is not sold right now. Look again in a few minutes."
        )
    return Offer(variant, left, word, why or (gettext("Sold out.") if left == 0 else ""))


def _sentence(offers: Iterable[Offer]) -> str:
    """Why nothing of a listing can be bought; empty when something can."""
    reasons = {offer.why_not for offer in offers}
    return "" if "" in reasons else " ".join(sorted(reasons)) or gettext("This item is no longer for sale.")


def _chosen(offers: Sequence[Offer], named: str) -> Offer | None:
    """The one that the address names; otherwise the first that can be bought, or the first."""
    by_name = {offer.variant.public_id: offer for offer in offers}
    buyable = (offer for offer in offers if not offer.why_not)
    return by_name.get(named) or next(buyable, None) or next(iter(offers), None)


def hidden_from_buyers(request: HttpRequest, row: Listing) -> HttpResponse | None:
    """What is shown instead of a listing that staff took down, or whose seller may not sell; None for one that buyers
    see. Raises Http404 for what its seller left out.
    """
    if row.state == ListingState.LEFT_OUT:
        raise Http404
    if row.state == ListingState.TAKEN_DOWN:
        return render(request, "storefront/taken_down.html", {"unlisted": True}, status=410)
    return hidden_seller(request, row.seller)


def hidden_seller(request: HttpRequest, who: Seller) -> HttpResponse | None:
    """The same for all of a seller. They themselves see what buyers would."""
    if not (why := why_barred(who.bar)) or belongs(visitor(request), who):
        return None
    return render(request, "storefront/barred.html", {"unlisted": True, "why": why}, status=404)


@require_safe
def listing(request: HttpRequest, public_id: str) -> HttpResponse:
    row = get_object_or_404(listings_shown(), public_id=public_id)
    if hidden := hidden_from_buyers(request, row):
        return hidden
    now = timezone.now()
    variants = list(
        row.variants.filter(gone=False).select_related("listing__connection", "listing__seller", "connection")
    )
    stock = availability(variants=variants, now=now)
    offers = [_offer(variant, stock[variant.pk]) for variant in variants]
    others = live().filter(seller=row.seller).exclude(pk=row.pk)[:4]
    chosen = _chosen(offers, typed(request.GET, "variant", longest=14))
    taxonomy = in_force()
    facts = chosen.variant.facts if chosen else row.facts
    context = {
        "canonical": canonical(request.path),
        "listing": row,
        "offers": offers,
        "chosen": chosen,
        "why_not": _sentence(offers) or (chosen.why_not if chosen else ""),
        "most": min(chosen.left or 1, MOST_UNITS) if chosen else 1,
        "why_no_offers": why_no_offers(listing=row, manifest=manifest_of(row)),
        "way": taxonomy.way_to(category_in(taxonomy, facts)),
        "attributes": attributes_shown(taxonomy, facts),
        "others": tiles(list(others), now=now),
        "rated": rated(row.seller),
    }
    return render(request, "storefront/listing.html", context)
