"""Withdrawing from a contract: a statement, then the button that confirms it, then the receipt. By those who are signed
in from their order, by everybody else by a link that is mailed to the order's own address.
"""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from crossdock.store.models import Order
from crossdock.usecases.accounts.tries import Source, begin_try, wait_in_words
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.queries import bought_orders
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.requests.withdraw import (
    LONGEST_NAME,
    order_by_link,
    receipt_of,
    send_link,
    statement_of,
    what_follows,
    why_not_withdraw,
    withdraw,
)
from crossdock.web.languages.local import in_words
from crossdock.web.people import signed_in

# So many links may be asked for from one address before one has to wait.
_FREE = 10
_SENT = _(
    "If there is an order with this number that was bought with this address, a link is on its way to it. It comes from"
    " us within a few minutes; look among unwanted mail too."
)


class LinkForm(forms.Form):
    number = forms.CharField(
        label=_("Order number"), max_length=20, help_text=_("It is in every mail about the order.")
    )
    email = forms.EmailField(label=_("E-mail address"), help_text=_("The one that the order was bought with."))


class StatementForm(forms.Form):
    """`confirm` is sent by the second step alone."""

    name = forms.CharField(label=_("Your name"), max_length=LONGEST_NAME)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    form, wait = LinkForm(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        wait = begin_try([Source(f"withdraw:{request.META.get('REMOTE_ADDR', '')}", _FREE)], now=now)
        if not wait:
            send_link(number=form.cleaned_data["number"], email=form.cleaned_data["email"], now=now)
            messages.success(request, _SENT)
            return redirect("withdraw")
        form.add_error(None, f"Too many links were asked for from here. Try again in {wait_in_words(wait)}.")
    status = 429 if wait else 422 if form.is_bound else 200
    return render(request, "storefront/withdraw.html", {"form": form}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    return opened_by_link(request, token, _steps)


def opened_by_link(
    request: HttpRequest, token: str, page: Callable[[HttpRequest, Order], HttpResponse]
) -> HttpResponse:
    """A page of the order whose link was mailed to its buyer; where it is over, a new one can be asked for."""
    public_id = order_by_link(token)
    order = None if public_id is None else bought_orders().filter(public_id=public_id).first()
    if order is None:
        context = {"form": LinkForm(), "over": True}
        return render(request, "storefront/withdraw.html", context, status=404)
    return page(request, order)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, public_id: str) -> HttpResponse:
    order = get_object_or_404(bought_by(bought_orders(), signed_in(request)), public_id=public_id)
    return _steps(request, order)


def _steps(request: HttpRequest, order: Order) -> HttpResponse:
    """Step one asks for the statement, step two shows it and is confirmed; afterwards the page is the receipt."""
    row = getattr(order, "withdrawal", None)
    if row is not None:
        words = {"receipt": in_words(receipt_of(row)), "follows": in_words(what_follows(order))}
        return render(request, "storefront/withdrawn.html", {"order": order, "row": row, **words})
    if why := why_not_withdraw(order, now=timezone.now()):
        return render(request, "storefront/withdraw_order.html", {"order": order, "why_not": why})
    form = StatementForm(request.POST or None, initial={"name": order.ship_to.get("name", "")})
    context = {"order": order, "form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "storefront/withdraw_order.html", context, status=422 if form.is_bound else 200)
    name = form.cleaned_data["name"]
    if "confirm" not in request.POST:
        statement = in_words(statement_of(order, name))
        return render(request, "storefront/withdraw_order.html", {**context, "statement": statement})
    try:
        withdraw(order=order, name=name, now=timezone.now(), language=get_language() or "")
    except Problem as problem:
        form.add_error(None, str(problem))
        return render(request, "storefront/withdraw_order.html", context, status=422)
    return redirect(request.path)
