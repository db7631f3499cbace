"""Credits: what was asked for, what waits for a second person, what went wrong at the bank, and the history.

Each decision carries amount and reason.
"""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.credit import REASONS, CreditState
from crossdock.domain.roles import Right
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Order, User
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.credit_preview import CreditPreview, begun, preview_credit
from crossdock.usecases.money.credits import decide_credit, needs_second, staff_credit, try_refund_again
from crossdock.usecases.money.left import room, why_no_more, with_the_bank
from crossdock.usecases.money.queries import credits_in, whole_credits
from crossdock.usecases.orders.queries import bare_orders
from crossdock.usecases.record.queries import deeds_of_credit
from crossdock.web.forms import MoneyField, money_of, one_of, typed
from crossdock.web.seller.panel import try_it
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import page_of, show, staff_only
from crossdock.web.templatetags.crossdock import money

OPEN = (CreditState.ASKED, CreditState.SECOND)
WHICH = {
    "waiting": ("To decide", Q(state__in=OPEN)),
    "failed": ("Refused by the bank", Q(state=CreditState.FAILED)),
    "done": ("Credited", Q(state__in=[CreditState.GRANTED, CreditState.REFUNDED])),
    "declined": ("Declined", Q(state=CreditState.DECLINED)),
    "all": ("All", Q()),
}
STATE_WORDS = {
    CreditState.ASKED: ("Asked for", "warn"),
    CreditState.SECOND: ("Needs a second person", "warn"),
    CreditState.GRANTED: ("On its way", "info"),
    CreditState.REFUNDED: ("Refunded", "good"),
    CreditState.FAILED: ("Refused by the bank", "bad"),
    CreditState.DECLINED: ("Declined", ""),
}
LAST = 20


class AmountForm(forms.Form):
    """An amount in the order's currency, with at most its decimals."""

    amount = MoneyField(label="Amount")

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].label = f"Amount in {currency}"

    def clean_amount(self) -> Money:
        return money_of(self.cleaned_data["amount"], self.currency)


class DecideForm(AmountForm):
    remark = forms.CharField(
        label="Why?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Staff see it later. If you decline, the seller reads it.",
    )


class CreditForm(AmountForm):
    """`key` is the form's own, so that sending it twice credits once."""

    reason = forms.ChoiceField(label="Reason", choices=[("", "Choose a reason"), *((text, text) for text in REASONS)])
    more = forms.CharField(
        label="In your words", max_length=200, required=False, help_text="The buyer and the seller read it."
    )
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def why(self) -> str:
        return f"{self.cleaned_data['reason']}: {self.cleaned_data['more']}".strip(": ")


@staff_only(Right.CREDIT)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which = one_of(request.GET, "which", WHICH, "waiting")
    credits, next_after = page_of(request, credits_in(WHICH[which][1]))
    context = {
        "rows": [(credit, STATE_WORDS[CreditState(credit.state)]) for credit in credits],
        "next_after": next_after,
        "which": which,
        "tabs": [(name, words) for name, (words, _) in WHICH.items()],
    }
    return show(request, "credits", context, here="credits")


def _credit(public_id: str) -> Credit:
    return get_object_or_404(whole_credits(), public_id=public_id)


@staff_only(Right.CREDIT)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    credit = _credit(public_id)
    initial = {"amount": credit.amount.decimal}
    form = DecideForm(request.POST or None, initial=initial, currency=credit.currency)
    if credit.state == CreditState.SECOND or typed(request.POST, "decision", longest=10) == "decline":
        del form.fields["amount"]
    if request.method == "POST":
        if typed(request.POST, "seen", longest=10) != credit.state:
            messages.info(request, "Somebody decided meanwhile. This is how it stands now.")
            return redirect("staff_credit", public_id)
        if form.is_valid() and _decided(request, staff, credit, form):
            return redirect("staff_credits")
    context = {
        "credit": credit,
        "order": credit.order,
        "state": STATE_WORDS[CreditState(credit.state)],
        "open": credit.state in OPEN,
        **_left(credit.order),
        "second": credit.state == CreditState.SECOND,
        "mine": credit.state == CreditState.SECOND and credit.decided_by_id == staff.pk,
        "needs_second": needs_second(credit.amount, order=credit.order, actor=staff, now=timezone.now()),
        "others": credit.order.credits.exclude(pk=credit.pk).order_by("-pk")[:LAST],
        "cases": credit.order.cases.order_by("-pk")[:LAST],
        "deeds": deeds_of_credit(credit)[:LAST],
        "form": form,
    }
    return show(request, "credit", context, here="credits", status=422 if form.errors else 200)


def _decided(request: HttpRequest, staff: User, credit: Credit, form: DecideForm) -> bool:
    """A use-case's refusal stands on the form."""
    grants = typed(request.POST, "decision", longest=10) == "grant"
    data = form.cleaned_data
    try:
        row = decide_credit(
            credit=credit,
            grant_it=grants,
            actor=staff,
            remark=data["remark"],
            now=timezone.now(),
            amount=data.get("amount"),
        )
    except Problem as problem:
        form.add_error(None, str(problem))
        return False
    messages.success(request, _outcome(row))
    return True


def _outcome(credit: Credit) -> str:
    amount = money(credit.amount)
    match credit.state:
        case CreditState.SECOND:
            return f"You agreed to {amount}. A second person has to agree as well, since it is above the limit."
        case CreditState.DECLINED:
            return f"{amount} for order {credit.order} is declined; the seller is told why."
        case _:
            return f"The buyer of order {credit.order} is refunded {amount}."


@staff_only(Right.DECIDE)
@fresh
@require_POST
def retry(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    credit = _credit(public_id)
    try_it(request, lambda now: try_refund_again(credit=credit, actor=staff, now=now), "The bank is asked again now.")
    return redirect("staff_credit", public_id)


def _left(order: Order) -> dict[str, Any]:
    """What can still be credited, and why that is not all."""
    taken = with_the_bank(order)
    return {"room": room(order, taken), "no_more": why_no_more(taken)}


def _preview(request: HttpRequest, order: Order, form: CreditForm, shown: CreditPreview) -> HttpResponse:
    """What the credit does, before anything happens; the same form is sent once more."""
    context = {"order": order, "form": form, "preview": shown, **_left(order)}
    return show(request, "credit_start", context, here="credits")


@staff_only(Right.CREDIT)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """Staff begin one themselves, on an order."""
    order = get_object_or_404(bare_orders(), public_id=public_id)
    left = _left(order)
    form = CreditForm(request.POST or None, initial={"key": secrets.token_urlsafe(12)}, currency=order.currency)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        fits = data["amount"].minor > 0 and data["amount"] <= left["room"] and not begun(order=order, key=data["key"])
        shown = preview_credit(order=order, amount=data["amount"], actor=staff, now=timezone.now())
        if fits and request.POST.get("seen") != shown.seen:
            return _preview(request, order, form, shown)
        try:
            credit = staff_credit(
                order=order, amount=data["amount"], reason=form.why(), actor=staff, key=data["key"], now=timezone.now()
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _outcome(credit))
            return redirect("staff_credit", credit.public_id)
    context = {"order": order, "form": form, "credits": order.credits.order_by("-pk")[:LAST], **left}
    return show(request, "credit_start", context, here="credits", status=422 if form.errors else 200)
