"""Packing slips and the pull sheet, for one order or many: pages for the browser's own printing
(docs/decisions/0009-slips-are-pages.md).
"""

from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.daily.bulk import RowState
from crossdock.store.models import Order, OrderLine, Seller
from crossdock.usecases.orders.daily.bulk import rows_of, runs_of
from crossdock.usecases.orders.daily.order_list import found_in
from crossdock.usecases.orders.shippable import why_locked
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import typed
from crossdock.web.seller.daily.lists import chosen
from crossdock.web.seller.orders import of_seller
from crossdock.web.seller.panel import sellers_only, show

MOST = 500
# Of these queues whatever is listed may be printed at once.
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


@dataclass(slots=True)
class Chosen:
    """`locked` are left out, each with why; `more`: there are more than are printed at once."""

    orders: list[Order]
    locked: list[tuple[Order, str]]
    more: bool = False


def _chosen(request: HttpRequest, seller: Seller) -> Chosen:
    """The picked orders, or a whole list; what must leave first comes first. One of another seller is a 404."""
    mine = of_seller(seller).filter(cancelled_at=None).prefetch_related("lines").order_by("ship_by", "pk")
    if run_id := typed(request.GET, "run", longest=20):
        run = get_object_or_404(runs_of(seller), public_id=run_id)
        done = rows_of(run, (RowState.DONE,)).order_by().values("order")
        return _without_locked(list(mine.filter(pk__in=done)))
    queue = request.GET.get("queue", "")
    if queue in _QUEUES:
        wanted, _ = chosen(request, seller)
        listed = found_in(seller=seller, wanted=wanted, now=timezone.now()).order_by().values("pk")
        rows = list(mine.filter(pk__in=listed)[: MOST + 1])
        return _without_locked(rows[:MOST], more=len(rows) > MOST)
    picked = [public_id for public_id in dict.fromkeys(request.GET.getlist("pick")) if public_id.isalnum()][:MOST]
    if theirs(Order, seller).filter(public_id__in=picked).count() != len(picked):
        raise Http404("One of these orders is none of yours.")
    return _without_locked(list(mine.filter(public_id__in=picked)))


def _without_locked(orders: list[Order], *, more: bool = False) -> Chosen:
    """What must not leave is neither fetched nor packed."""
    locked = {order.pk: why for order in orders if (why := why_locked(order))}
    return Chosen(
        [order for order in orders if order.pk not in locked],
        [(order, locked[order.pk]) for order in orders if order.pk in locked],
        more,
    )


@sellers_only
@require_safe
def slips(request: HttpRequest, seller: Seller) -> HttpResponse:
    chosen = _chosen(request, seller)
    return _slips(request, seller, chosen.orders, more=chosen.more, locked=chosen.locked)


def _slips(request: HttpRequest, seller: Seller, orders: list[Order], **also: Any) -> HttpResponse:
    context = {"slips": [slip_of(order) for order in orders], "most": MOST, **also}
    return show(request, seller, "slips", context, here="orders")


@sellers_only
@require_safe
def slip(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """For the parcel: no prices, since it may be a gift."""
    order = get_object_or_404(of_seller(seller).prefetch_related("lines"), public_id=public_id)
    if why := why_locked(order):
        return _slips(request, seller, [], back=order, locked=[(order, why)])
    return _slips(request, seller, [order], back=order)


@sellers_only
@require_safe
def sheet(request: HttpRequest, seller: Seller) -> HttpResponse:
    chosen = _chosen(request, seller)
    pulls = pulls_of(chosen.orders)
    context = {
        "pulls": pulls,
        "orders": chosen.orders,
        "locked": chosen.locked,
        "units": sum(pull.units for pull in pulls),
        "more": chosen.more,
        "most": MOST,
        "query": request.GET.urlencode(),
        "at": timezone.now(),
    }
    return show(request, seller, "pull_sheet", context, here="orders")
