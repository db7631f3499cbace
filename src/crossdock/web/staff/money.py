"""A seller's money as staff see it: the same balance and statement that the seller has."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crossdock.domain.earnings.balance import KIND_WORDS
from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.money.balance import balances
from crossdock.usecases.money.statement import Period, page_of, sums
from crossdock.web.forms import typed
from crossdock.web.seller.earnings.balance import own_currency_first
from crossdock.web.staff.panel import PAGE, show, staff_only
from crossdock.web.storefront.browse import number_after


@staff_only(Right.CREDIT)
@require_safe
def page(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    seller = get_object_or_404(sellers_named(""), public_id=public_id)
    found = own_currency_first(balances(seller), seller)
    wanted = typed(request.GET, "currency", longest=3).upper()
    currency = wanted if any(one.currency == wanted for one in found) else found[0].currency
    lines = page_of(seller=seller, period=Period(currency), before=number_after(request), limit=PAGE + 1)
    context = {
        "seller": seller,
        "balances": found,
        "currency": currency,
        "sums": sums(seller=seller, period=Period(currency)),
        "kinds": KIND_WORDS,
        "lines": lines[:PAGE],
        "next_after": lines[PAGE - 1].id if len(lines) > PAGE else None,
    }
    return show(request, "seller_money", context, here="sellers")
