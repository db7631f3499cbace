"""What buyers ask about an order, and the seller's answer."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from crossdock.domain.requests.cancels import LONGEST_REASON
from crossdock.store.models import CancelRequest, Order
from crossdock.usecases.orders.asked import request_of
from crossdock.usecases.requests.cancel import decline
from crossdock.web.api.once import KEYED, once
from crossdock.web.api.order_shape import order_of
from crossdock.web.api.people import actor_of, token_in
from crossdock.web.api.shapes import Moment, ProblemOut, Strict

router = Router(tags=["orders"])


class CancelRequestOut(Schema):
    """`number` counts the requests of one order; `withdrawal`: the buyer withdrew from the contract, which cannot be
    declined. `state` is asked, taken_back, declined, cancelled or shipped.
    """

    number: int
    state: str
    withdrawal: bool
    reason: str
    asked_at: Moment
    answer_by: Moment
    answer: str
    closed_at: Moment | None


class DeclineIn(Strict):
    number: int = Field(description="Of the request that is answered")
    answer: str = Field(min_length=1, max_length=LONGEST_REASON, description="The buyer reads it")


def _shown(row: CancelRequest) -> dict[str, Any]:
    return CancelRequestOut(
        number=row.asks,
        state=row.state,
        withdrawal=row.binding,
        reason=row.reason,
        asked_at=row.asked_at,
        answer_by=row.answer_by,
        answer=row.answer,
        closed_at=row.closed_at,
    ).model_dump(mode="json")


def _of(order: Order) -> CancelRequest:
    row = request_of(order)
    if row is None:
        raise Http404
    return row


@router.get(
    "/orders/{str:id}/cancel-request",
    response={200: CancelRequestOut, 404: ProblemOut},
    url_name="order_cancel_request",
    summary="The buyer's request to cancel, if there was one",
)
def one(request: HttpRequest, id: str) -> dict[str, Any]:
    """While its state is asked nothing of the order may leave. A reject answers it."""
    return _shown(_of(order_of(request, id)))


@router.post(
    "/orders/{str:id}/cancel-request/decline",
    response={200: CancelRequestOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut},
    url_name="order_cancel_decline",
    openapi_extra=KEYED,
    summary="Decline to cancel; the order goes on",
)
def decline_it(request: HttpRequest, id: str, data: DeclineIn) -> HttpResponse:
    """The buyer is told why. Something that leaves anyway is shipped after this."""
    order = order_of(request, id)
    _of(order)

    def work() -> tuple[int, Any]:
        actor, now = actor_of(request), timezone.now()
        decline(order=order, actor=actor, answer=data.answer, seen=data.number, now=now)
        return 200, _shown(_of(order))

    return once(request, token_in(request), work)
