"""Becoming a seller: a shop's name, where it stands, its currency and what shipping costs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crossdock.domain.due.ship_by import LONGEST_HANDLING
from crossdock.usecases.accounts.queries import sells
from crossdock.usecases.accounts.sellers import EVERYWHERE, start_selling
from crossdock.usecases.errors import Problem
from crossdock.web.forms import MoneyField, country_choices, currency_choices, money_of
from crossdock.web.people import signed_in


class SellerForm(forms.Form):
    """At least one shipping price; a destination without one is not shipped to."""

    name = forms.CharField(
        label=_("Shop name"), max_length=120, help_text=_("Buyers see it beside everything you sell.")
    )
    country = forms.ChoiceField(label=_("Country you ship from"), choices=country_choices, initial="US")
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=currency_choices,
        initial="USD",
        help_text=_("A connected shop keeps its own; this one is for what you list by hand."),
    )
    handling_days = forms.IntegerField(
        label=_("Working days until you ship"),
        min_value=0,
        max_value=LONGEST_HANDLING,
        initial=2,
        help_text=_("Monday to Friday without your country's public holidays, until you say otherwise."),
    )
    at_home = MoneyField(label=_("Shipping inside your country"), required=False)
    elsewhere = MoneyField(
        label=_("Shipping everywhere else"),
        required=False,
        help_text=_("Leave it empty if you only ship inside your country."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        currency = data.get("currency")
        rates = {}
        for field, destination in (("at_home", data.get("country")), ("elsewhere", EVERYWHERE)):
            amount = data.get(field)
            if amount is None or not currency:
                continue
            try:
                rates[destination] = money_of(amount, currency)
            except forms.ValidationError as error:
                self.add_error(field, error)
        if not rates and not self.errors:
            self.add_error("at_home", _("Type a shipping price for at least one destination; 0 is free."))
        data["rates"] = rates
        return data


@login_required
def start(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if sells(user):
        return redirect("/seller/")
    form = SellerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            start_selling(
                user=user,
                name=data["name"],
                country=data["country"],
                currency=data["currency"],
                handling_days=data["handling_days"],
                rates=data["rates"],
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(
                request, _("Your shop is open. Connect the shop that you already run, or list something by hand.")
            )
            return redirect("/seller/")
    return render(request, "storefront/start_selling.html", {"form": form}, status=422 if form.is_bound else 200)
