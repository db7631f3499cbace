"""What a buyer and the seller of an order write to each other, on the seller's side."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.requests.messages import Side
from crossdock.store.models import Seller
from crossdock.web.acting import acting_of
from crossdock.web.people import signed_in
from crossdock.web.seller.orders import of_seller
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.messages import page, reported


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def thread(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    order = get_object_or_404(of_seller(seller), public_id=public_id)
    if acting_of(request) is not None:
        # Staff read what was reported, on their own page, whoever they act as.
        return redirect("staff_order_messages", public_id)
    shown = page(request, order, Side.SELLER, signed_in(request))
    if shown is None:
        return redirect("seller_order_messages", public_id)
    return show(request, seller, "messages", shown[0], here="orders", status=shown[1])


@sellers_only
@require_POST
def report_thread(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    reported(request, get_object_or_404(of_seller(seller), public_id=public_id), Side.SELLER, signed_in(request))
    return redirect("seller_order_messages", public_id)
