"""A seller's balance: what is available, what waits and why."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.earnings.balance import WAITS, Balance
from crossdock.store.models import Seller
from crossdock.usecases.money.balance import balances, expected, reserve, waiting, waits, why_waits
from crossdock.usecases.money.held_back import held_back
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.browse import number_after

PAGE = 40


def own_currency_first(found: list[Balance], seller: Seller) -> list[Balance]:
    """Never empty: who sold nothing yet has nothing in their own currency."""
    none = [] if any(one.currency == seller.currency for one in found) else [Balance(seller.currency, 0, 0, 0)]
    return sorted([*none, *found], key=lambda one: one.currency != seller.currency)


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    after, now = number_after(request), timezone.now()
    back = held_back(seller, now=now)
    rows = waiting(seller, back)
    found = list((rows if after is None else rows.filter(pk__lt=after))[: PAGE + 1])
    context = {
        "balances": own_currency_first(balances(seller, now=now), seller),
        "rows": [(order, WAITS[why_waits(order)], expected(order), waits(order, back)) for order in found[:PAGE]],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "reserve": reserve(),
    }
    return show(request, seller, "balance", context, here="money")
