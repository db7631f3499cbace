"""Single units rejected, and a credit asked of staff: what would happen stands there first, and the button carries the
amount.
"""

import secrets
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.commands import CancelReason
from crossdock.domain.credit import REASONS
from crossdock.domain.values import Money
from crossdock.store.models import Order, OrderLine, Seller, ShopRefund
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.credits import ask_credit, why_not_ask
from crossdock.usecases.money.left import room
from crossdock.usecases.orders.reject import REASON_WORDS
from crossdock.usecases.orders.reject_units import PartPreview, Pick, preview_parts, reject_parts, why_not_parts
from crossdock.web.forms import MoneyField, money_of, typed
from crossdock.web.people import signed_in
from crossdock.web.platforms import manifest_of
from crossdock.web.seller.orders import of_seller
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.templatetags.crossdock import money


def _order(seller: Seller, public_id: str) -> Order:
    rows = of_seller(seller).select_related("connection", "seller__owner").prefetch_related("lines")
    return get_object_or_404(rows, public_id=public_id)


def _picks(given: QueryDict, lines: list[OrderLine]) -> dict[int, Pick]:
    """What was chosen; nonsense is nothing chosen, and too many units are the use-case's to refuse."""
    found = {}
    for line in lines:
        units, reason = typed(given, f"units_{line.pk}", longest=6), typed(given, f"reason_{line.pk}", longest=30)
        if units.isdecimal() and int(units) and reason in set(CancelReason):
            found[line.pk] = Pick(int(units), CancelReason(reason))
    return found


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def parts(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Choose units and reasons, look at what happens, confirm the amount."""
    order = _order(seller, public_id)
    if why := why_not_parts(order):
        messages.info(request, why)
        return redirect("seller_order_reject", public_id)
    given = request.POST if request.method == "POST" else request.GET
    lines = [line for line in order.lines.all() if line.left]
    picks = _picks(given, lines)
    shown: PartPreview | None = None
    wrong = ""
    try:
        shown = (
            preview_parts(order=order, picks=picks, manifest=manifest_of(order), now=timezone.now()) if picks else None
        )
        if request.method == "POST":
            credit = reject_parts(
                order=order,
                picks=picks,
                expected_total=_amount(given, order),
                key=typed(given, "key", longest=40),
                manifest=manifest_of(order),
                actor=signed_in(request),
                now=timezone.now(),
            )
            messages.success(
                request, f"Rejected. The buyer is refunded {money(credit.amount)}." if credit else "Rejected."
            )
            return redirect("seller_order", public_id)
    except Problem as problem:
        wrong = str(problem)
    if not picks and "reason" in "".join(given):
        wrong = "Choose units and a reason for each line that you reject."
    rows = [(line, picks.get(line.pk)) for line in lines]
    context = {
        "order": order,
        "rows": rows,
        "shown": shown,
        "wrong": wrong,
        "key": secrets.token_urlsafe(12),
        "reasons": [(item.value, words) for item, words in REASON_WORDS.items()],
    }
    return show(request, seller, "reject_parts", context, here="orders", status=422 if wrong else 200)


def _amount(given: QueryDict, order: Order) -> Money:
    text = typed(given, "expected_total", longest=18)
    return Money(int(text) if text.isdecimal() else -1, order.currency)


class CreditForm(forms.Form):
    amount = MoneyField(label="Amount")
    reason = forms.ChoiceField(label="Why", choices=[("", "Choose a reason"), *((words, words) for words in REASONS)])
    words = forms.CharField(
        label="What happened", widget=forms.Textarea(attrs={"rows": 4}), max_length=4000, required=False
    )

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.fields["amount"].label = f"Amount in {order.currency}"
        self.fields["amount"].help_text = f"Up to {money(room(order))}."

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        self.cleaned_data["money"] = money_of(amount, self.order.currency)
        return amount


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Staff decide; `?refund=` fills in a refund that was made in the shop."""
    order = _order(seller, public_id)
    if why := why_not_ask(order):
        messages.info(request, why)
        return redirect("seller_order", public_id)
    refund = _refund(request, order)
    initial = {"amount": str(min(refund.amount, room(order))), "words": "I refunded it in my shop."} if refund else {}
    form = CreditForm(request.POST or None, order=order, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            ask_credit(
                order=order,
                amount=data["money"],
                reason=data["reason"],
                body=data["words"],
                actor=signed_in(request),
                now=timezone.now(),
                refund=refund,
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Our staff have your request; they answer in its case.")
            return redirect("seller_order", public_id)
    context = {"order": order, "form": form, "refund": refund}
    return show(request, seller, "ask_credit", context, here="orders", status=422 if form.is_bound else 200)


def _refund(request: HttpRequest, order: Order) -> ShopRefund | None:
    text = typed(request.GET, "refund", longest=18)
    refund = order.shop_refunds.filter(pk=int(text)).first() if text.isdecimal() else None
    return refund if refund and refund.currency == order.currency and not hasattr(refund, "credit") else None
