"""A buyer's offers: make one, follow it, answer a counter-offer, pay what was agreed.

Each form carries the price that it showed.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.offers import WAITING, Deed, OfferState, Who, may, off
from crossdock.domain.values import Money
from crossdock.store.models import Offer, Variant
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue.offer_terms import why_no_offers
from crossdock.usecases.catalogue.offers import answer_offer, make_offer, open_of
from crossdock.usecases.catalogue.queries import listings_shown, offers_made
from crossdock.usecases.catalogue.sellable import MOST_UNITS
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.stock.reservations import availability
from crossdock.web.forms import MoneyField, money_of, typed
from crossdock.web.people import signed_in
from crossdock.web.platforms import manifest_of
from crossdock.web.storefront.browse import hidden_seller, number_after
from crossdock.web.storefront.cart import cart_of, put_offer

PAGE = 20


class PriceForm(forms.Form):
    """One price for one unit, in the listing's currency."""

    price = MoneyField(label=_("Your price for one"))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["price"].label = f"{self.fields['price'].label}, in {currency}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        try:
            data["money"] = money_of(data["price"], self.currency) if data.get("price") is not None else None
        except forms.ValidationError as error:
            self.add_error("price", error)
        return data


class OfferForm(PriceForm):
    variant = forms.ChoiceField(label=_("Which one"), widget=forms.RadioSelect)
    quantity = forms.IntegerField(label=_("Units"), min_value=1, max_value=MOST_UNITS, initial=1)
    field_order = ("variant", "price", "quantity")

    def __init__(self, *args: Any, variants: list[Variant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["variant"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(v.public_id, f"{v.title or v.listing.title} ({v.price.words})") for v in variants]
        field.initial = variants[0].public_id if variants else None
        if len(variants) == 1:
            field.widget = forms.HiddenInput()


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest, public_id: str) -> HttpResponse:
    """The form of a listing; an offer that is open already is shown instead."""
    buyer = signed_in(request)
    listings = listings_shown().exclude(state__in=[ListingState.LEFT_OUT, ListingState.TAKEN_DOWN])
    listing = get_object_or_404(listings, public_id=public_id)
    if hidden := hidden_seller(request, listing.seller):
        return hidden
    variants = list(listing.variants.filter(gone=False).select_related("listing__seller", "listing__connection"))
    manifest = manifest_of(listing)
    if why := why_no_offers(listing=listing, manifest=manifest):
        messages.info(request, _(why))
        return redirect("listing", public_id)
    stock = availability(variants=variants, now=timezone.now())
    there = [variant for variant in variants if stock[variant.pk]]
    mine = open_of(buyer=buyer, variants=variants)
    if mine is not None and len(variants) == 1:
        return redirect("my_offer", mine.public_id)
    named = typed(request.GET, "variant", longest=14)
    begun = {"variant": named} if any(variant.public_id == named for variant in there) else {}
    form = OfferForm(request.POST or None, initial=begun, variants=there, currency=listing.currency)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        chosen = next(variant for variant in there if variant.public_id == data["variant"])
        try:
            offer = make_offer(
                buyer=buyer,
                variant=chosen,
                quantity=data["quantity"],
                amount=data["money"],
                manifest=manifest,
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _said(offer))
            return redirect("my_offer", offer.public_id)
    context = {"listing": listing, "form": form, "variants": there, "mine": mine}
    return render(request, "storefront/offer_form.html", context, status=422 if form.is_bound else 200)


def _said(offer: Offer) -> str:
    match offer.state:
        case OfferState.ACCEPTED:
            return f"{offer.seller.name} accepts it. The units are held for you; pay now or within 24 hours."
        case OfferState.DECLINED:
            return f"{offer.seller.name} does not sell at this price. You can make another offer."
        case _:
            return f"{offer.seller.name} has your offer and 48 hours to answer. You get an e-mail."


def _of(request: HttpRequest, public_id: str) -> Offer:
    """Somebody else's offer does not exist."""
    offers = offers_made()
    return get_object_or_404(bought_by(offers, signed_in(request)), public_id=public_id)


@never_cache
@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    rows = bought_by(Offer, signed_in(request)).select_related("variant__listing", "seller", "order")
    after = number_after(request)
    found = list((rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")[: PAGE + 1])
    shown = found[:PAGE]
    context = {"offers": shown, "next_after": shown[-1].pk if len(found) > PAGE else None}
    return render(request, "storefront/offers.html", context)


@never_cache
@login_required
@require_safe
def one(request: HttpRequest, public_id: str) -> HttpResponse:
    offer = _of(request, public_id)
    return render(request, "storefront/offer.html", _page(offer, PriceForm(currency=offer.currency)))


def _page(offer: Offer, form: PriceForm) -> dict[str, object]:
    state = OfferState(offer.state)
    return {
        "offer": offer,
        "moves": offer.moves.all(),
        "form": form,
        "off": off(offer.amount_minor, offer.asking_minor),
        "may": {deed.value: may(state, Who.BUYER, deed) for deed in Deed},
        "waiting": state in WAITING,
    }


@login_required
@require_POST
def answer(request: HttpRequest, public_id: str) -> HttpResponse:
    """`deed` and the price that the page showed."""
    offer = _of(request, public_id)
    form = PriceForm(request.POST if "price" in request.POST else None, currency=offer.currency)
    deed = deed_in(request)
    if deed is Deed.COUNTER and not form.is_valid():
        return render(request, "storefront/offer.html", _page(offer, form), status=422)
    try:
        answer_offer(
            offer=offer,
            who=Who.BUYER,
            deed=deed,
            seen=seen_in(request, offer),
            amount=form.cleaned_data["money"] if form.is_bound else None,
            now=timezone.now(),
        )
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("my_offer", public_id)


def deed_in(request: HttpRequest) -> Deed:
    """What the pressed button asks; nonsense is a decline of nothing: the use-case says why not."""
    try:
        return Deed(typed(request.POST, "deed"))
    except ValueError:
        return Deed.MAKE


def seen_in(request: HttpRequest, offer: Offer) -> Money:
    text = typed(request.POST, "seen")
    return Money(int(text) if text.isdecimal() and len(text) < 16 else -1, offer.currency)


@login_required
@require_POST
def pay(request: HttpRequest, public_id: str) -> HttpResponse:
    """What was agreed becomes a line of the cart, at its price; its units stay held for it."""
    offer = _of(request, public_id)
    if offer.state == OfferState.PAID and offer.order is not None:
        return redirect("my_order", offer.order.public_id)
    if offer.state != OfferState.ACCEPTED:
        messages.error(request, _("This offer is not open for payment."))
        return redirect("my_offer", public_id)
    put_offer(request.session, offer)
    return redirect("cart" if len(cart_of(request.session)) > 1 else "checkout")
