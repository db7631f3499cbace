"""Orders read, shipped, rejected and created in the shop; a seller's token reaches that seller's alone."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router

from crossdock.domain.commands import CancelReason
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders import reject
from crossdock.usecases.orders.actions import change_tracking, create_in_shop, ship_by_hand
from crossdock.usecases.orders.daily.order_list import of_queue
from crossdock.web.api.once import KEYED, once, own_key
from crossdock.web.api.order_shape import order_of, order_out, orders
from crossdock.web.api.people import actor_of, after_cursor, cursor_after, source_of, token_in
from crossdock.web.api.shapes import CreatingOut, OrderOut, OrderPage, ProblemOut, RejectIn, ShipIn, TrackingIn

# Ninja joins the methods of one address only within one router, so placing.py adds its own to this one.
router = Router(tags=["orders"])
PAGE = 50
Queue = Literal[
    "all", "to_ship", "overdue", "asked_to_cancel", "held", "messages", "needs_attention", "cancelled", "shipped"
]
Problems = {404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


@router.get("/orders", response=OrderPage, url_name="orders", summary="Newest first")
def table(request: HttpRequest, cursor: str | None = None, queue: Queue = "all", reference: str = "") -> dict[str, Any]:
    """The same queues as in the seller's panel."""
    found = orders(request).filter(of_queue(queue=queue, now=timezone.now())).distinct()
    if reference:
        found = found.filter(reference=reference)
    after = after_cursor(cursor)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: PAGE + 1])
    following = cursor_after(page[PAGE - 1].pk) if len(page) > PAGE else None
    return {"items": [order_out(order) for order in page[:PAGE]], "next": following}


@router.get(
    "/orders/{str:id}", response={200: OrderOut, 404: ProblemOut}, url_name="order", summary="By id or reference"
)
def one(request: HttpRequest, id: str) -> dict[str, Any]:
    """With the proof of the shop's copy, parcels with their numbers, the risk with its reasons, and the timeline."""
    return order_out(order_of(request, id))


@router.post(
    "/orders/{str:id}/shipments",
    response={201: OrderOut, **Problems},
    url_name="order_ship",
    openapi_extra=KEYED,
    summary="One parcel, by hand",
)
def ship(request: HttpRequest, id: str, data: ShipIn) -> HttpResponse:
    """What is fulfilled in the shop comes back by itself."""
    order, token = order_of(request, id), token_in(request)

    def work() -> tuple[int, Any]:
        lines = None if data.lines is None else {line.line: line.quantity for line in data.lines}
        if data.lines is not None and len(lines or ()) != len(data.lines):
            raise Invalid("Name each line once.")
        if lines is not None and not set(lines) <= {line.pk for line in order.lines.all()}:
            raise Invalid("One of the lines is not of this order.")
        ship_by_hand(
            order=order,
            lines=lines,
            tracking=data.tracking_number,
            carrier=data.carrier,
            actor=actor_of(request),
            now=timezone.now(),
            key=own_key(request, token),
        )
        return 201, order_out(order_of(request, id))

    return once(request, token, work)


@router.patch(
    "/orders/{str:id}/shipments/{int:parcel}",
    response={200: OrderOut, **Problems},
    url_name="order_parcel",
    summary="Another tracking number",
)
def renumber(request: HttpRequest, id: str, parcel: int, data: TrackingIn) -> dict[str, Any]:
    """The parcel stays the same; the buyer is told when the number is another one."""
    shipment = get_object_or_404(order_of(request, id).shipments.filter(undone_at=None), pk=parcel)
    change_tracking(
        shipment=shipment,
        tracking=data.tracking_number,
        carrier=data.carrier,
        actor=actor_of(request),
        now=timezone.now(),
    )
    return order_out(order_of(request, id))


@router.post(
    "/orders/{str:id}/reject",
    response={200: OrderOut, **Problems},
    url_name="order_reject",
    openapi_extra=KEYED,
    summary="Decline the order and credit the buyer",
)
def reject_one(request: HttpRequest, id: str, data: RejectIn) -> HttpResponse:
    """Credits the whole order once and cancels it in the shop. A second reject is a 409 that says so."""
    order = order_of(request, id)

    def work() -> tuple[int, Any]:
        if data.expected_total.currency != order.currency:
            raise NotAllowed(f"The order is in {order.currency}.")
        reject.reject_order(
            order=order,
            reason=CancelReason(data.reason),
            actor=actor_of(request),
            now=timezone.now(),
            source=source_of(request),
            expected_total=data.expected_total.exact,
        )
        return 200, order_out(order_of(request, id))

    return once(request, token_in(request), work)


@router.post(
    "/orders/{str:id}/create-in-shop",
    response={200: CreatingOut, **Problems},
    url_name="order_create",
    openapi_extra=KEYED,
    summary="Create the order on the seller's store",
)
def create(request: HttpRequest, id: str) -> HttpResponse:
    """Rule S6: it is looked for by our reference first, so it cannot appear twice.

    A 409 says why there is nothing to do.
    """
    order = order_of(request, id)

    def work() -> tuple[int, Any]:
        why = create_in_shop(order=order, actor=actor_of(request), now=timezone.now())
        return 200, {"why_it_was_missing": why, "order": order_out(order_of(request, id))}

    return once(request, token_in(request), work)
