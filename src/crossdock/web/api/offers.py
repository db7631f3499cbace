"""Offers: the marketplace's token acts for its buyers, a seller's for the seller.

What was agreed is paid with POST /orders and its `offer`.
"""

from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from crossdock.domain.offers import Deed, OfferState, Who
from crossdock.store.models import Listing, Offer, Variant
from crossdock.usecases.accounts.buyers import buyer_of
from crossdock.usecases.catalogue import listings
from crossdock.usecases.catalogue.offer_terms import why_no_offers
from crossdock.usecases.catalogue.offers import answer_offer, make_offer
from crossdock.usecases.errors import Invalid
from crossdock.web.api.once import KEYED, once
from crossdock.web.api.people import after_cursor, cursor_after, marketplace_only, mine, token_in
from crossdock.web.api.problems import Refuse
from crossdock.web.api.shapes import BuyerIn, Moment, Money, MoneyIn, ProblemOut, Strict
from crossdock.web.platforms import manifest_of

router = Router(tags=["offers"])
PAGE = 50


class OfferIn(Strict):
    """`amount` is for one unit, in the listing's currency. `variant` may be left out where there is only one."""

    buyer: BuyerIn
    amount: MoneyIn
    quantity: int = Field(1, ge=1, le=999)
    variant: str = Field("", max_length=20)


class AnswerIn(Strict):
    """`seen` is the price that was looked at: when the other side moved meanwhile nothing happens, and the answer is a
    409.
    """

    deed: Literal["accept", "counter", "decline", "withdraw"]
    seen: MoneyIn
    amount: MoneyIn | None = Field(None, description="For a counter-offer: the price for one unit.")
    note: str = Field("", max_length=300)


class OfferOut(Schema):
    id: str
    listing: str
    variant: str
    quantity: int
    price: Money = Field(description="On the table, for one unit.")
    asking_price: Money = Field(description="When it was made.")
    state: OfferState = Field(
        description="open waits for the seller, countered for the buyer, accepted for the payment."
    )
    ends_at: Moment
    order: str | None


class OfferPage(Schema):
    items: list[OfferOut]
    next: str | None


def _out(offer: Offer) -> dict[str, Any]:
    return OfferOut(
        id=offer.public_id,
        listing=offer.variant.listing.public_id,
        variant=offer.variant.public_id,
        quantity=offer.quantity,
        price=Money.of(offer.price),
        asking_price=Money.of(offer.asking),
        state=OfferState(offer.state),
        ends_at=offer.ends_at,
        order=offer.order.public_id if offer.order else None,
    ).model_dump(mode="json")


def _found(request: HttpRequest) -> QuerySet[Offer]:
    rows = mine(Offer, request).select_related("variant__listing__connection", "order", "buyer")
    return rows.order_by("-pk")


@router.post(
    "/listings/{str:id}/offers",
    response={201: OfferOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut},
    url_name="listing_offers",
    summary="Make an offer for a buyer",
    openapi_extra=KEYED,
)
def make(request: HttpRequest, id: str, data: OfferIn) -> HttpResponse:
    """Rule S1: synced listings take none unless the operator, the platform and the seller allow it; then the answer is
    a 409 with the reason.
    """
    token = marketplace_only(request)
    listing = get_object_or_404(listings.live(), public_id=id)

    def work() -> tuple[int, Any]:
        manifest = manifest_of(listing)
        if why := why_no_offers(listing=listing, manifest=manifest):
            raise Refuse("offers-closed", why, rule="S1")
        offer = make_offer(
            buyer=buyer_of(email=data.buyer.email, name=data.buyer.name),
            variant=_variant(listing, data.variant),
            quantity=data.quantity,
            amount=data.amount.exact,
            manifest=manifest,
            now=timezone.now(),
        )
        return 201, _out(offer)

    return once(request, token, work)


def _variant(listing: Listing, name: str) -> Variant:
    found = listing.variants.filter(gone=False).select_related("listing__seller", "listing__connection")
    chosen = list(found.filter(public_id=name) if name else found)
    if len(chosen) != 1:
        raise Invalid("Name one of the listing's variants.")
    return chosen[0]


@router.get("/offers", response=OfferPage, url_name="offers", summary="Newest first")
def table(request: HttpRequest, state: str = "", cursor: str | None = None) -> dict[str, Any]:
    """The marketplace's token sees all; a seller's sees those on its own listings."""
    found = _found(request)
    if state:
        found = found.filter(state=state)
    after = after_cursor(cursor)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: PAGE + 1])
    following = cursor_after(page[PAGE - 1].pk) if len(page) > PAGE else None
    return {"items": [_out(offer) for offer in page[:PAGE]], "next": following}


@router.get("/offers/{str:id}", response={200: OfferOut, 404: ProblemOut}, url_name="offer")
def one(request: HttpRequest, id: str) -> dict[str, Any]:
    return _out(get_object_or_404(_found(request), public_id=id))


@router.post(
    "/offers/{str:id}/answer",
    response={200: OfferOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut},
    url_name="offer_answer",
    summary="Accept, counter, decline or withdraw",
    openapi_extra=KEYED,
)
def answer(request: HttpRequest, id: str, data: AnswerIn) -> HttpResponse:
    """A seller's token answers as the seller, the marketplace's as the buyer.

    Accepting holds the units for 24 hours.
    """
    token = token_in(request)
    offer = get_object_or_404(_found(request), public_id=id)
    who = Who.SELLER if token.seller_id else Who.BUYER

    def work() -> tuple[int, Any]:
        changed = answer_offer(
            offer=offer,
            who=who,
            deed=Deed(data.deed),
            seen=data.seen.exact,
            amount=data.amount.exact if data.amount else None,
            note=data.note,
            now=timezone.now(),
        )
        return 200, _out(changed)

    return once(request, token, work)
