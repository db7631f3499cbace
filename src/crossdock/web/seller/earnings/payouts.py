"""A seller's payouts: to which bank account, how often, and what became of each."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.earnings.payouts import SCHEDULES, Schedule
from crossdock.domain.values import Money
from crossdock.domain.wording import moment
from crossdock.kit.errors import Outside
from crossdock.store.models import Payout, PayoutAccount, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.balance import balances
from crossdock.usecases.money.payouts import pay_out, set_account, set_schedule, why_not_pay
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import MoneyField, money_of, typed
from crossdock.web.payouts import chosen_bank, registered
from crossdock.web.people import signed_in
from crossdock.web.seller.earnings.balance import own_currency_first
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.signin.again import fresh
from crossdock.web.signin.device import place_of
from crossdock.web.storefront.browse import number_after

PAGE = 40


class AccountForm(forms.Form):
    holder = forms.CharField(label="Account holder", max_length=70)
    number = forms.CharField(
        label="IBAN", max_length=50, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )


class ScheduleForm(forms.Form):
    schedule = forms.ChoiceField(label="How often", choices=[(one.value, words) for one, words in SCHEDULES.items()])
    minimum = MoneyField(label="Only when at least so much is available", required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["minimum"].label = f"Only when at least so much is available, in {currency}"

    def clean_minimum(self) -> Money:
        amount = self.cleaned_data["minimum"]
        return Money.zero(self.currency) if amount is None else money_of(amount, self.currency)


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    now, after = timezone.now(), number_after(request)
    accounts = {one.currency: one for one in theirs(PayoutAccount, seller).select_related("seller__owner")}
    purses = []
    for one in own_currency_first(balances(seller, now=now), seller):
        account = accounts.get(one.currency)
        available = Money(one.available, one.currency)
        why = why_not_pay(account=account, available=available, by_hand=True, now=now) if account else ""
        purses.append((one, account, available, why, SCHEDULES[Schedule(account.schedule)] if account else ""))
    rows = theirs(Payout, seller).order_by("-pk")
    found = list((rows if after is None else rows.filter(pk__lt=after))[: PAGE + 1])
    context = {
        "purses": purses,
        "payouts": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "missing": chosen_bank().missing(),
        "key": secrets.token_urlsafe(12),
    }
    return show(request, seller, "payouts", context, here="money")


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest, seller: Seller, currency: str) -> HttpResponse:
    """Another account is a thief's first wish: it asks who it is, tells the owner by mail, and waits some days."""
    if currency not in CURRENCIES:
        raise Http404
    form = AccountForm(request.POST or None)
    bank = chosen_bank()
    if request.method == "POST" and form.is_valid():
        try:
            to = registered(form.cleaned_data["holder"], form.cleaned_data["number"], currency)
            row = set_account(
                seller=seller,
                currency=currency,
                provider=bank.name,
                to=to,
                actor=signed_in(request),
                place=place_of(request),
                now=timezone.now(),
            )
        except (Problem, Outside) as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, f"Your {currency} go to {row.words} from {moment(row.usable_from)}.")
            return redirect("seller_payouts")
    context = {"form": form, "currency": currency, "bank": bank.label, "missing": bank.missing()}
    return show(request, seller, "payout_account", context, here="money", status=422 if form.errors else 200)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest, seller: Seller, currency: str) -> HttpResponse:
    row = get_object_or_404(theirs(PayoutAccount, seller).select_related("seller"), currency=currency)
    initial = {"schedule": row.schedule, "minimum": str(row.minimum)}
    form = ScheduleForm(request.POST or None, currency=currency, initial=initial)
    if request.method == "POST" and form.is_valid():
        wanted, minimum = Schedule(form.cleaned_data["schedule"]), form.cleaned_data["minimum"]
        try:
            set_schedule(account=row, schedule=wanted, minimum=minimum, actor=signed_in(request))
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, f"Your {currency}: {SCHEDULES[wanted].lower()}.")
            return redirect("seller_payouts")
    context = {"form": form, "currency": currency, "account": row}
    return show(request, seller, "payout_schedule", context, here="money", status=422 if form.errors else 200)


@sellers_only
@require_POST
def now(request: HttpRequest, seller: Seller, currency: str) -> HttpResponse:
    """All that is available; pressed twice it is one payout."""
    row = get_object_or_404(theirs(PayoutAccount, seller).select_related("seller"), currency=currency)
    actor, key = signed_in(request), typed(request.POST, "key", longest=40) or secrets.token_urlsafe(12)
    try_it(request, lambda at: pay_out(account=row, actor=actor, key=key, now=at), "The payout is on its way.")
    return redirect("seller_payouts")
