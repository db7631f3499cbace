"""A buyer's own orders. Somebody else's order does not exist for them: 404, not 403."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from crossdock.store.models import PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases.money.queries import paid_with
from crossdock.usecases.orders.queries import LISTS, bought, bought_orders
from crossdock.usecases.orders.shippable import asked_to_cancel
from crossdock.usecases.record.brand import site_name
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.requests.cancel import why_not_ask
from crossdock.usecases.requests.ratings import why_not_rate_order
from crossdock.usecases.requests.returns import why_not_return
from crossdock.usecases.requests.withdraw import why_not_withdraw, withdraws_until
from crossdock.web.forms import one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.storefront.browse import number_after

PAGE = 20


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    buyer = signed_in(request)
    which, words = one_of(request.GET, "list", LISTS, "all"), typed(request.GET, "q")
    found = bought(buyer=buyer, which=which, words=words, after=number_after(request), limit=PAGE + 1)
    shown = found[:PAGE]
    unknown = bought_by(PaymentIntent, buyer).filter(state=IntentState.UNKNOWN).order_by("pk").first()
    context = {
        "orders": shown,
        "next_after": shown[-1].pk if len(found) > PAGE else None,
        "unknown": unknown,
        "lists": [(name, gettext(word)) for name, (word, _) in LISTS.items()],
        "which": which,
        "query": words,
    }
    return render(request, "storefront/orders.html", context)


@login_required
@require_safe
def one(request: HttpRequest, public_id: str) -> HttpResponse:
    order = get_object_or_404(bought_by(bought_orders(), signed_in(request)), public_id=public_id)
    parcels = [parcel for parcel in order.shipments.all() if parcel.undone_at is None]
    request_made = getattr(order, "cancel_request", None)
    context = {
        "order": order,
        "asked": asked_to_cancel(order),
        "declined": request_made.answer if request_made and not order.cancelled_at else "",
        "can_ask": asked_to_cancel(order) is None and not why_not_ask(order),
        "can_withdraw": not why_not_withdraw(order, now=timezone.now()),
        "withdraws_until": withdraws_until(order),
        "returns": order.returns.order_by("-pk"),
        "can_rate": not why_not_rate_order(order, now=timezone.now()),
        "can_return": not why_not_return(order, now=timezone.now()),
        "parcels": parcels,
        "entries": order.timeline.filter(public=True),
        "to": order.address,
        "together": paid_with(order.intent).exclude(pk=order.pk) if order.intent else [],
    }
    return render(request, "storefront/order.html", context)


@login_required
@require_safe
def receipt(request: HttpRequest, public_id: str) -> HttpResponse:
    """What draws it is read with the first that is asked for."""
    from crossdock.web.papers import receipt as paper

    order = get_object_or_404(bought_by(bought_orders(), signed_in(request)), public_id=public_id)
    content = paper.receipt(order=order, marketplace=site_name(), now=timezone.now())
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="receipt-{order.number}.pdf"'
    return response
