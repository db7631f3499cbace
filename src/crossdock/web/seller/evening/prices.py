"""Prices of a seller's shops that jumped: taken or kept, several at once, and from how far on they wait."""

from django import forms
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.evening.jumps import LEAST, MOST
from crossdock.store.models import Connection, Seller
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.catalogue.evening import prices
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import WholeNumber, typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 50


class Tab(models.TextChoices):
    OPEN = "", "To decide"
    KEPT = "kept", "Kept"


class LimitForm(forms.Form):
    percent = WholeNumber(
        label="Hold a price that changes by more than so many percent",
        min_value=LEAST,
        max_value=MOST,
        required=False,
        help_text=f"From {LEAST} to {MOST}, up or down. Empty: every price of your shop is taken at once.",
    )


def _page(request: HttpRequest, seller: Seller, wrong: dict[str, LimitForm], *, status: int = 200) -> HttpResponse:
    tab, after = typed(request.GET, "show", longest=10), number_after(request)
    tab = tab if tab in Tab.values else Tab.OPEN
    rows = prices.held_of(seller, kept=tab == Tab.KEPT)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PAGE + 1])
    shops = theirs(Connection, seller).exclude(state=ConnectionState.DISCONNECTED).order_by("pk")
    context = {
        "rows": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tab": tab,
        "tabs": Tab.choices,
        "shops": [(shop, wrong.get(shop.public_id) or _form(shop)) for shop in shops],
    }
    return show(request, seller, "prices", context, here="listings", status=status)


def _form(shop: Connection) -> LimitForm:
    return LimitForm(initial={"percent": shop.price_limit}, auto_id=f"id_%s_{shop.public_id}")


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    return _page(request, seller, {})


@sellers_only
@require_POST
def decide(request: HttpRequest, seller: Seller) -> HttpResponse:
    take, actor = typed(request.POST, "verdict", longest=10) == "take", signed_in(request)
    chosen = prices.seen_in(request.POST.getlist("price")[:PAGE])
    many = list[int]()
    try_it(
        request,
        lambda now: many.append(prices.decide_prices(seller=seller, chosen=chosen, take=take, actor=actor, now=now)),
    )
    if many:
        try_it(request, lambda now: None, prices.in_words(many[0], take=take))
    return redirect(reverse("seller_prices"))


@sellers_only
@require_POST
def limit(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop = get_object_or_404(theirs(Connection, seller).select_related("seller__owner"), public_id=public_id)
    form = LimitForm(request.POST, auto_id=f"id_%s_{shop.public_id}")
    if not form.is_valid():
        return _page(request, seller, {shop.public_id: form}, status=422)
    chosen, actor = form.cleaned_data["percent"], signed_in(request)
    try_it(
        request,
        lambda now: prices.set_price_limit(connection=shop, limit=chosen, actor=actor, now=now),
        "Saved.",
    )
    return redirect("seller_prices")
