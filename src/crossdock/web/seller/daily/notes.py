"""Notes and tags on the page of an order."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from crossdock.store.models import Order, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.daily import notes
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.orders import of_seller, one_with
from crossdock.web.seller.panel import sellers_only, try_it


def _order(seller: Seller, public_id: str) -> Order:
    return get_object_or_404(of_seller(seller), public_id=public_id)


def _back(public_id: str) -> HttpResponse:
    return redirect(f"/seller/orders/{public_id}/#notes")


@sellers_only
@require_POST
def write(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """What could not be kept is shown again, so that nobody types it twice."""
    order, body = _order(seller, public_id), request.POST.get("body", "")
    try:
        notes.write_note(order=order, actor=signed_in(request), body=body, now=timezone.now())
    except Problem as problem:
        return one_with(request, seller, public_id, unkept=body, unkept_why=str(problem))
    return _back(public_id)


@sellers_only
@require_POST
def remove(request: HttpRequest, seller: Seller, public_id: str, pk: int) -> HttpResponse:
    order, actor = _order(seller, public_id), signed_in(request)
    try_it(request, lambda now: notes.remove_note(order=order, note_id=pk, actor=actor), "The note is removed.")
    return _back(public_id)


@sellers_only
@require_POST
def tag(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    order, actor = _order(seller, public_id), signed_in(request)
    name = typed(request.POST, "tag")
    try_it(request, lambda now: notes.tag_order(order=order, actor=actor, name=name))
    return _back(public_id)


@sellers_only
@require_POST
def untag(request: HttpRequest, seller: Seller, public_id: str, pk: int) -> HttpResponse:
    order, actor = _order(seller, public_id), signed_in(request)
    try_it(request, lambda now: notes.untag_order(order=order, tag_id=pk, actor=actor))
    return _back(public_id)
