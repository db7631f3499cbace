"""What buyers read about the seller, and what shipping costs: a flat price per country and currency."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.forms import formset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.due.ship_by import in_words
from crossdock.domain.earnings.commission import in_percent
from crossdock.domain.values import Money
from crossdock.store.models import Seller, ShippingRate
from crossdock.usecases.accounts.sellers import EVERYWHERE, edit_seller, set_rates
from crossdock.usecases.accounts.working_days import due_of
from crossdock.usecases.errors import Problem
from crossdock.web.forms import MoneyField, country_choices, money_of, typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show

SPARE_ROWS = 2


class ProfileForm(forms.Form):
    name = forms.CharField(label="Shop name", max_length=120, help_text="Buyers see it beside everything you sell.")


def _destinations() -> list[tuple[str, str]]:
    return [("", "Choose a country"), (EVERYWHERE, "Everywhere else"), *country_choices()]


class RateForm(forms.Form):
    """One row; an empty one is left out."""

    country = forms.ChoiceField(label="Destination", choices=_destinations, required=False)
    price = MoneyField(label="Price", required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("country") and data.get("price") is None and "price" not in self.errors:
            self.add_error("price", "Type a price; 0 is free.")
        return data


RateForms = formset_factory(RateForm, extra=SPARE_ROWS, max_num=60)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    form = ProfileForm(request.POST or None, initial={"name": seller.name})
    if request.method == "POST" and form.is_valid():
        try:
            edit_seller(seller=seller, actor=signed_in(request), **form.cleaned_data)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Saved.")
            return redirect("seller_profile")
    fee = in_percent(seller.fee_basis_points)
    due = in_words(due_of(seller, timezone.now()), seller.calendar)
    context = {"form": form, "rates": _by_currency(seller), "fee": fee, "due": due}
    return show(request, seller, "profile", context, here="profile", status=422 if form.errors else 200)


def _currencies(seller: Seller) -> list[str]:
    """The seller's own, those of their shops, and those that prices exist for."""
    of_shops = seller.connections.values_list("currency", flat=True)
    priced = seller.shipping_rates.values_list("currency", flat=True)
    return sorted({seller.currency, *of_shops, *priced})


def _by_currency(seller: Seller) -> dict[str, list[ShippingRate]]:
    rates: dict[str, list[ShippingRate]] = {currency: [] for currency in _currencies(seller)}
    for rate in seller.shipping_rates.order_by("country"):
        rates[rate.currency].append(rate)
    return rates


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def shipping(request: HttpRequest, seller: Seller) -> HttpResponse:
    """All prices of one currency at once; a row emptied is a destination given up."""
    currency = typed(request.GET, "currency", longest=3).upper() or seller.currency
    if currency not in CURRENCIES:
        return redirect("seller_profile")
    kept = seller.shipping_rates.filter(currency=currency).order_by("country")
    initial = [{"country": rate.country, "price": Money(rate.price_minor, currency).decimal} for rate in kept]
    rows = RateForms(request.POST or None, initial=initial)
    wrong = ""
    if request.method == "POST" and rows.is_valid():
        try:
            set_rates(seller=seller, currency=currency, rates=_rates(rows.cleaned_data, currency), now=timezone.now())
        except (Problem, forms.ValidationError) as problem:
            wrong = problem.messages[0] if isinstance(problem, forms.ValidationError) else str(problem)
        else:
            messages.success(request, f"The shipping prices in {currency} are saved.")
            return redirect("seller_profile")
    context = {"rows": rows, "currency": currency, "wrong": wrong}
    status = 422 if rows.is_bound else 200
    return show(request, seller, "shipping", context, here="profile", status=status)


def _rates(rows: list[dict[str, Any]], currency: str) -> dict[str, Money]:
    chosen: dict[str, Money] = {}
    for row in rows:
        country, price = row.get("country"), row.get("price")
        if not country or not isinstance(price, Decimal):
            continue
        if country in chosen:
            raise forms.ValidationError("A destination stands there twice.")
        chosen[country] = money_of(price, currency)
    return chosen
