"""Packing slips and the pull sheet, for one order or many: pages for the browser's own printing
(docs/decisions/0009-slips-are-pages.md).
"""

from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.store.models import Order, OrderLine, Seller
from crossdock.usecases.orders import of_queue
from crossdock.web.seller.orders import of_seller
from crossdock.web.seller.panel import sellers_only, show

MOST = 500
# From these queues everything may be printed at once.
_QUEUES = ("to_ship", "overdue")


@dataclass(slots=True)
class Slip:
    order: Order
    rows: list[tuple[OrderLine, int]]


def slip_of(order: Order) -> Slip:
    """What is left to ship; of an order that is shipped, what was ordered."""
    left = [(line, line.left) for line in order.lines.all() if line.left > 0]
    return Slip(order, left or [(line, line.quantity) for line in order.lines.all()])


@dataclass(slots=True)
class Pull:
    """One thing to fetch: how many in all, and for which orders."""

    title: str
    sku: str
    image: str
    units: int = 0
    orders: list[tuple[Order, int]] = field(default_factory=list)


def pulls_of(orders: list[Order]) -> list[Pull]:
    """By title, as things lie on shelves; only what is left to ship."""
    found: dict[tuple[str, str], Pull] = {}
    for order in orders:
        for line in order.lines.all():
            if line.left > 0:
                pull = found.setdefault((line.title, line.sku), Pull(line.title, line.sku, line.image))
                pull.units += line.left
                pull.orders.append((order, line.left))
    return sorted(found.values(), key=lambda pull: (pull.title.casefold(), pull.sku))


def _chosen(request: HttpRequest, seller: Seller) -> tuple[list[Order], bool]:
    """The picked orders, or a whole queue; oldest first.

    True when there are more than are printed at once. One that is not this seller's is a 404.
    """
    mine = of_seller(seller).filter(cancelled_at=None).prefetch_related("lines").order_by("ship_by", "pk")
    queue = request.GET.get("queue", "")
    if queue in _QUEUES:
        rows = list(mine.filter(of_queue(queue=queue, now=timezone.now()))[: MOST + 1])
        return rows[:MOST], len(rows) > MOST
    picked = [public_id for public_id in dict.fromkeys(request.GET.getlist("pick")) if public_id.isalnum()][:MOST]
    if Order.objects.filter(seller=seller, public_id__in=picked).count() != len(picked):
        raise Http404("One of these orders is none of yours.")
    return list(mine.filter(public_id__in=picked)), False


@sellers_only
@require_safe
def slips(request: HttpRequest, seller: Seller) -> HttpResponse:
    orders, more = _chosen(request, seller)
    return _slips(request, seller, orders, more=more)


def _slips(request: HttpRequest, seller: Seller, orders: list[Order], **also: Any) -> HttpResponse:
    context = {"slips": [slip_of(order) for order in orders], "most": MOST, **also}
    return show(request, seller, "slips", context, here="orders")


@sellers_only
@require_safe
def slip(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """For the parcel: no prices, since it may be a gift."""
    order = get_object_or_404(of_seller(seller).prefetch_related("lines"), public_id=public_id)
    return _slips(request, seller, [order], back=order)


@sellers_only
@require_safe
def sheet(request: HttpRequest, seller: Seller) -> HttpResponse:
    orders, more = _chosen(request, seller)
    pulls = pulls_of(orders)
    context = {
        "pulls": pulls,
        "orders": orders,
        "units": sum(pull.units for pull in pulls),
        "more": more,
        "most": MOST,
        "query": request.GET.urlencode(),
        "at": timezone.now(),
    }
    return show(request, seller, "pull_sheet", context, here="orders")
