"""Listings: read by both kinds of token, made and changed by a seller's."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router

from crossdock.domain.finding.filling import category_in, values_in
from crossdock.domain.finding.taxonomy import Taxonomy
from crossdock.domain.finding.words import folded
from crossdock.domain.values import Money as Amount
from crossdock.store.models import Listing, Seller
from crossdock.usecases.catalogue import listings as usecases
from crossdock.usecases.catalogue.finding import has_word
from crossdock.usecases.catalogue.offer_terms import why_no_offers
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.stock.queries import stock_rows
from crossdock.usecases.stock.reservations import availability
from crossdock.web.api.listing_shape import AwayOut, ListingOut, ListingPage, VariantOut
from crossdock.web.api.once import KEYED, once
from crossdock.web.api.people import after_cursor, cursor_after, mine, seller_only, token_in
from crossdock.web.api.problems import Refuse
from crossdock.web.api.shapes import (
    ListingChange,
    ListingIn,
    Money,
    MoneyIn,
    ProblemOut,
)
from crossdock.web.platforms import manifest_of

router = Router(tags=["listings"])
PAGE = 50


def _found(request: HttpRequest) -> QuerySet[Listing]:
    """A seller's token sees all of that seller's; the marketplace's sees what buyers may see."""
    if token_in(request).seller_id is None:
        return usecases.live()
    every = mine(Listing, request).select_related("seller", "connection")
    return every.prefetch_related("variants__connection", "variants__listing").order_by("-pk")


def _out(request: HttpRequest, listings: list[Listing]) -> list[dict[str, Any]]:
    """Why one does not sell is its seller's to know."""
    now, taxonomy, offers_open = timezone.now(), in_force(), lifted(rule="S1")
    variants = [variant for listing in listings for variant in listing.variants.all() if not variant.gone]
    stock = availability(variants=variants, now=now)
    if token_in(request).seller_id is None:
        return [_one(listing, stock, None, taxonomy, offers_open) for listing in listings]
    rows = stock_rows(stock)
    why = {each.pk: usecases.why_not_live(listing=each, now=now, stock=stock, rows=rows) for each in listings}
    return [_one(listing, stock, why[listing.pk], taxonomy, offers_open) for listing in listings]


def _one(
    listing: Listing, stock: dict[int, int | None], reasons: list[str] | None, taxonomy: Taxonomy, offers_open: bool
) -> dict[str, Any]:
    """`reasons` None: it is not its seller who asks."""
    to_seller = reasons is not None
    variants = [
        VariantOut(
            id=variant.public_id,
            title=variant.title,
            sku=variant.sku,
            attributes=values_in(variant.facts),
            available=stock[variant.pk],
            price=Money.of(variant.price),
            shop_price=Money.of(variant.shop_price) if to_seller and listing.synced else None,
        )
        for variant in listing.variants.all()
        if not variant.gone
    ]
    shop = listing.connection
    return ListingOut(
        id=listing.public_id,
        seller=listing.seller.slug,
        away=_away(listing.seller),
        title=listing.title,
        description=listing.description,
        currency=listing.currency,
        images=[image if urlsplit(image).scheme else settings.BASE_URL + image for image in listing.images],
        state=listing.state,
        synced=listing.synced,
        offers=not why_no_offers(listing=listing, manifest=manifest_of(listing), open_=offers_open),
        connection=shop.public_id if shop else None,
        shop_url=listing.shop_url,
        variants=variants,
        category=category_in(taxonomy, listing.facts) or None,
        attributes=values_in(listing.facts),
        why_not_live=reasons or [],
        updated_at=listing.updated_at,
    ).model_dump(mode="json")


def _away(seller: Seller) -> AwayOut | None:
    away = seller.away
    return AwayOut(mode=away.mode.value, since=away.begins, until=away.ends) if away and away.begun else None


@router.get("", response=ListingPage, url_name="listings", summary="Newest first")
def table(request: HttpRequest, q: str = "", cursor: str | None = None) -> dict[str, Any]:
    """The marketplace's token sees what buyers may see; a seller's sees all of its own, with what keeps each from
    selling.
    """
    found = _found(request)
    for word in folded(q[:100]).split()[:8]:
        found = found.filter(has_word(word))
    after = after_cursor(cursor)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: PAGE + 1])
    following = cursor_after(page[PAGE - 1].pk) if len(page) > PAGE else None
    return {"items": _out(request, page[:PAGE]), "next": following}


def listing_of(request: HttpRequest, id: str) -> Listing:
    """Raises Http404 for what this token may not see."""
    return get_object_or_404(_found(request), public_id=id)


@router.get("/{str:id}", response={200: ListingOut, 404: ProblemOut}, url_name="listing")
def one(request: HttpRequest, id: str) -> dict[str, Any]:
    return _out(request, [listing_of(request, id)])[0]


@router.post(
    "",
    response={201: ListingOut, 409: ProblemOut, 422: ProblemOut},
    url_name="listings_make",
    summary="List by hand",
    openapi_extra=KEYED,
)
def make(request: HttpRequest, data: ListingIn) -> HttpResponse:
    """In the seller's currency."""
    token = seller_only(request)

    def work() -> tuple[int, Any]:
        seller = token.seller
        assert seller is not None
        made = usecases.make_listing(
            seller=seller,
            title=data.title,
            description=data.description,
            price=in_currency(data.price, seller.currency),
            count=data.count,
            sku=data.sku,
            images=_addresses(data.images),
            now=timezone.now(),
        )
        return 201, _out(request, [made])[0]

    return once(request, token, work)


def in_currency(price: MoneyIn, currency: str) -> Amount:
    """Raises Refuse."""
    if price.currency != currency:
        raise Refuse("invalid", f"The price has to be in {currency}.")
    return price.exact


def _addresses(images: list[str]) -> list[str]:
    for image in images:
        parts = urlsplit(image)
        if parts.scheme != "https" or not parts.hostname or len(image) > 1000:
            raise Refuse("invalid", f"“{image[:80]}” is no https address of a picture.")
    return images


@router.patch(
    "/{str:id}",
    response={200: ListingOut, 409: ProblemOut},
    url_name="listing_edit",
    summary="Change a listing made by hand",
)
def edit(request: HttpRequest, id: str, data: ListingChange) -> dict[str, Any]:
    seller_only(request)
    listing = listing_of(request, id)
    if listing.synced:
        raise Refuse("not-allowed", "This listing follows the shop; change the product there.")
    price = listing.variants.get().price if data.price is None else in_currency(data.price, listing.currency)
    usecases.edit_listing(
        listing=listing,
        title=listing.title if data.title is None else data.title,
        description=listing.description if data.description is None else data.description,
        price=price,
        count=data.count,
        images=None if data.images is None else _addresses(data.images),
        now=timezone.now(),
    )
    return _out(request, [listing_of(request, id)])[0]


@router.post("/{str:id}/archive", response={200: ListingOut}, url_name="listing_archive")
def archive(request: HttpRequest, id: str) -> dict[str, Any]:
    """Nothing is deleted; archiving twice is archiving once."""
    seller_only(request)
    usecases.archive_listing(listing=listing_of(request, id), now=timezone.now())
    return _out(request, [listing_of(request, id)])[0]


@router.post("/{str:id}/relist", response={200: ListingOut, 409: ProblemOut}, url_name="listing_relist")
def relist(request: HttpRequest, id: str) -> dict[str, Any]:
    seller_only(request)
    usecases.relist(listing=listing_of(request, id), now=timezone.now())
    return _out(request, [listing_of(request, id)])[0]
