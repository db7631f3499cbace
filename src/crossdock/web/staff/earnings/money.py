"""A seller's money as staff see it: the same balance and statement that the seller has."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.earnings.balance import KIND_WORDS
from crossdock.domain.earnings.commission import in_percent
from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.accounts.commission import basis_points, set_commission
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.balance import balances
from crossdock.usecases.money.payouts import hold, let_go
from crossdock.usecases.money.queries import hold_of, payouts_of
from crossdock.usecases.money.statement import Period, page_of, sums
from crossdock.web.forms import typed
from crossdock.web.seller.earnings.balance import own_currency_first
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import PAGE, show, staff_only
from crossdock.web.storefront.browse import number_after

LAST = 10


@staff_only(Right.CREDIT)
@require_safe
def page(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    seller = get_object_or_404(sellers_named(""), public_id=public_id)
    found = own_currency_first(balances(seller, now=timezone.now()), seller)
    wanted = typed(request.GET, "currency", longest=3).upper()
    currency = wanted if any(one.currency == wanted for one in found) else found[0].currency
    lines = page_of(seller=seller, period=Period(currency), before=number_after(request), limit=PAGE + 1)
    context = {
        "seller": seller,
        "commission": in_percent(seller.fee_basis_points),
        "hold": hold_of(seller),
        "payouts": payouts_of(seller)[:LAST],
        "balances": found,
        "currency": currency,
        "sums": sums(seller=seller, period=Period(currency)),
        "kinds": KIND_WORDS,
        "lines": lines[:PAGE],
        "next_after": lines[PAGE - 1].id if len(lines) > PAGE else None,
    }
    return show(request, "seller_money", context, here="sellers")


@staff_only(Right.DECIDE)
@fresh
@require_POST
def change_hold(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """Nothing is paid to this seller, or again; with a reason."""
    seller = get_object_or_404(sellers_named(""), public_id=public_id)
    why, at = typed(request.POST, "why", longest=300), timezone.now()
    try:
        if typed(request.POST, "hold", longest=3) == "yes":
            hold(seller=seller, actor=staff, why=why, now=at)
            messages.success(request, f"Nothing is paid to {seller.name} until the hold ends.")
        else:
            let_go(seller=seller, actor=staff, why=why, now=at)
            messages.success(request, f"{seller.name} is paid again.")
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("staff_seller_money", public_id)


@staff_only(Right.RULES)
@fresh
@require_POST
def commission(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """Of orders from now on; those that were placed keep theirs."""
    seller = get_object_or_404(sellers_named(""), public_id=public_id)
    try:
        points = basis_points(typed(request.POST, "percent", longest=12))
        before = set_commission(seller=seller, basis_points=points, actor=staff, now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"The commission of {seller.name} holds for orders from now on; it was {before}.")
    return redirect("staff_seller_money", public_id)
