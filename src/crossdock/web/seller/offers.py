"""The seller's offers: an inbox with amount, distance from the asking price and the time left, one offer with its
moves, and the terms of the listings.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.offers import Deed, OfferState, Who, may, off
from crossdock.domain.values import Money
from crossdock.domain.wording import counted
from crossdock.store.models import Connection, Listing, Offer, Seller
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.catalogue.offer_terms import set_terms, set_terms_by_percent, takes_offers, why_closed
from crossdock.usecases.catalogue.offers import answer_offer
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import MoneyField, money_of, one_of
from crossdock.web.platforms import manifest_of
from crossdock.web.seller.listings import of_seller
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after
from crossdock.web.storefront.offers import PriceForm, deed_in, seen_in

PAGE = 25
TABS: dict[str, tuple[str, Q]] = {
    "": ("Waiting for you", Q(state=OfferState.OPEN)),
    "countered": ("Waiting for the buyer", Q(state=OfferState.COUNTERED)),
    "accepted": ("To be paid", Q(state=OfferState.ACCEPTED)),
    "paid": ("Paid", Q(state=OfferState.PAID)),
    "closed": ("Closed", Q(state__in=[OfferState.DECLINED, OfferState.WITHDRAWN, OfferState.EXPIRED])),
}
# Bulk terms work through so many listings at once.
_MOST = 5000


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    tab = one_of(request.GET, "show", TABS, "")
    mine = theirs(Offer, seller)
    rows = mine.filter(TABS[tab][1]).select_related("variant__listing", "buyer", "order")
    after = number_after(request)
    found = list((rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")[: PAGE + 1])
    shown = found[:PAGE]
    context = {
        "tabs": [(name, words) for name, (words, _) in TABS.items()],
        "tab": tab,
        "rows": [(offer, off(offer.amount_minor, offer.asking_minor)) for offer in shown],
        "next_after": shown[-1].pk if len(found) > PAGE else None,
        "any": bool(shown) or mine.exists(),
    }
    return show(request, seller, "offers", context, here="offers")


def _of(seller: Seller, public_id: str) -> Offer:
    rows = theirs(Offer, seller).select_related("variant__listing__connection", "buyer", "order", "seller")
    return get_object_or_404(rows, public_id=public_id)


class CounterForm(PriceForm):
    note = forms.CharField(label="A word to the buyer", max_length=300, required=False)


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    offer = _of(seller, public_id)
    return show(request, seller, "offer", _page(offer, CounterForm(currency=offer.currency)), here="offers")


def _page(offer: Offer, form: CounterForm) -> dict[str, object]:
    state = OfferState(offer.state)
    return {
        "offer": offer,
        "moves": offer.moves.all(),
        "form": form,
        "off": off(offer.amount_minor, offer.asking_minor),
        "may": {deed.value: may(state, Who.SELLER, deed) for deed in Deed},
    }


@sellers_only
@require_POST
def answer(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    offer = _of(seller, public_id)
    deed = deed_in(request)
    form = CounterForm(request.POST if deed is Deed.COUNTER else None, currency=offer.currency)
    if deed is Deed.COUNTER and not form.is_valid():
        return show(request, seller, "offer", _page(offer, form), here="offers", status=422)
    data = form.cleaned_data if form.is_bound else {}
    said = {
        Deed.ACCEPT: "Accepted. The buyer has 24 hours to pay; the units are held.",
        Deed.COUNTER: "The buyer has your price and 48 hours.",
    }
    try_it(
        request,
        lambda now: answer_offer(
            offer=offer,
            who=Who.SELLER,
            deed=deed,
            seen=seen_in(request, offer),
            amount=data.get("money"),
            note=data.get("note", ""),
            now=now,
        ),
        said.get(deed, "The buyer is told."),
    )
    return redirect("seller_offer", public_id)


class TermsForm(forms.Form):
    """One listing's terms; prices for one unit."""

    takes = forms.BooleanField(label="Buyers may make offers", required=False)
    accept_from = MoneyField(
        label="Accept by itself from", required=False, help_text="Leave it empty to decide each time."
    )
    decline_below = MoneyField(label="Decline by itself below", required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("accept_from", "decline_below"):
            amount = data.get(name)
            try:
                data[f"{name}_minor"] = None if amount is None else money_of(amount, self.currency).minor
            except forms.ValidationError as error:
                self.add_error(name, error)
        return data


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Whether this listing takes offers, and what is answered by itself. S1 may say that none can be made at all."""
    listing = get_object_or_404(of_seller(seller), public_id=public_id)
    form = TermsForm(request.POST or None, currency=listing.currency, initial=_shown(listing))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            set_terms(
                seller=seller,
                listings=[listing],
                takes=data["takes"],
                accept_from=data["accept_from_minor"],
                decline_below=data["decline_below_minor"],
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "The terms for offers are saved.")
            return redirect("seller_listing", public_id)
    context = {"listing": listing, "form": form, "why": why_closed(listing=listing, manifest=manifest_of(listing))}
    return show(request, seller, "offer_terms", context, here="listings", status=422 if form.is_bound else 200)


def _shown(listing: Listing) -> dict[str, Any]:
    def text(minor: int | None) -> str | None:
        return None if minor is None else str(Money(minor, listing.currency))

    return {
        "takes": takes_offers(listing),
        "accept_from": text(listing.accept_from_minor),
        "decline_below": text(listing.decline_below_minor),
    }


class BulkForm(forms.Form):
    """Many listings at once, by shares of their asking prices."""

    which = forms.ChoiceField(label="Which listings")
    takes = forms.BooleanField(label="Buyers may make offers", required=False, initial=True)
    accept_percent = forms.IntegerField(
        label="Accept by itself from, in percent of the asking price", min_value=1, max_value=100, required=False
    )
    decline_percent = forms.IntegerField(
        label="Decline by itself below, in percent of the asking price", min_value=1, max_value=100, required=False
    )

    def __init__(self, *args: Any, seller: Seller, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shops = theirs(Connection, seller).exclude(state=ConnectionState.DISCONNECTED).order_by("pk")
        field = self.fields["which"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("hand", "All made by hand"), *((shop.public_id, f"All of {shop}") for shop in shops)]


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def bulk(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Preview first: how many listings, then the button that carries the number."""
    form = BulkForm(request.POST or None, seller=seller)
    chosen: list[Listing] | None = None
    if request.method == "POST" and form.is_valid():
        which = form.cleaned_data["which"]
        mine = theirs(Listing, seller).exclude(state=ListingState.ARCHIVED).prefetch_related("variants")
        mine = mine.filter(connection=None) if which == "hand" else mine.filter(connection__public_id=which)
        chosen = list(mine.order_by("pk")[:_MOST])
        if request.POST.get("sure") == str(len(chosen)):
            data = form.cleaned_data
            try:
                done = set_terms_by_percent(
                    seller=seller,
                    listings=chosen,
                    takes=data["takes"],
                    accept_percent=data["accept_percent"],
                    decline_percent=data["decline_percent"],
                    now=timezone.now(),
                )
            except Problem as problem:
                form.add_error(None, str(problem))
                chosen = None
            else:
                messages.success(request, f"The terms of {counted(done, 'listing')} are saved.")
                return redirect("seller_offers")
    why = why_closed(listing=chosen[0], manifest=manifest_of(chosen[0])) if chosen else ""
    context = {"form": form, "chosen": chosen, "why": why}
    status = 422 if form.is_bound and form.errors else 200
    return show(request, seller, "offers_bulk", context, here="offers", status=status)
