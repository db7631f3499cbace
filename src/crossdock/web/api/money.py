"""Single units rejected and a credit asked of staff (S8), by a program.

Nothing happens before the amount that was shown is sent back.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from crossdock.domain.capability import Manifest
from crossdock.domain.commands import CancelReason
from crossdock.kit import discover
from crossdock.store.models import Order
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money.credits import ask_credit
from crossdock.usecases.orders.reject_units import PartPreview, Pick, preview_parts, reject_parts
from crossdock.web.api.once import KEYED, once, own_key
from crossdock.web.api.order_shape import order_of
from crossdock.web.api.people import actor_of, token_in
from crossdock.web.api.shapes import (
    CreditAskIn,
    CreditOut,
    Money,
    MoneyIn,
    ProblemOut,
    RejectedLineOut,
    RejectLinesIn,
    RejectLinesOut,
)

router = Router(tags=["orders"])
Problems = {404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


@router.post(
    "/orders/{str:id}/reject-lines",
    response={200: RejectLinesOut, **Problems},
    url_name="order_reject_lines",
    openapi_extra=KEYED,
    summary="Reject single units and credit their share",
)
def reject_lines(request: HttpRequest, id: str, data: RejectLinesIn) -> HttpResponse:
    """Where rule S8 is lifted; elsewhere a 409 says that only the whole order can be rejected."""
    order, token = order_of(request, id), token_in(request)
    picks = {item.line: Pick(item.quantity, CancelReason(item.reason)) for item in data.lines}

    def work() -> tuple[int, Any]:
        if len(picks) != len(data.lines):
            raise Invalid("Name each line once.")
        if not set(picks) <= {line.pk for line in order.lines.all()}:
            raise Invalid("One of the lines is not of this order.")
        manifest = _manifest(order)
        shown = preview_parts(order=order, picks=picks, manifest=manifest)
        if data.expected_total is None:
            return 200, _shown(shown, done=False)
        _same_currency(order, data.expected_total)
        reject_parts(
            order=order,
            picks=picks,
            expected_total=data.expected_total.exact,
            key=own_key(request, token),
            manifest=manifest,
            actor=actor_of(request),
            now=timezone.now(),
        )
        return 200, _shown(shown, done=True)

    return once(request, token, work)


@router.post(
    "/orders/{str:id}/credit-requests",
    response={201: CreditOut, **Problems},
    url_name="order_credit",
    openapi_extra=KEYED,
    summary="Ask staff for a credit after shipping",
)
def credit(request: HttpRequest, id: str, data: CreditAskIn) -> HttpResponse:
    """Staff decide. While one request waits, another one answers with the first."""
    order = order_of(request, id)

    def work() -> tuple[int, Any]:
        _same_currency(order, data.amount)
        row = ask_credit(
            order=order,
            amount=data.amount.exact,
            reason=data.reason,
            body=data.words,
            actor=actor_of(request),
            now=timezone.now(),
        )
        out = CreditOut(id=row.public_id, state=row.state, amount=Money.of(row.amount), reason=row.reason)
        return 201, out.model_dump(mode="json")

    return once(request, token_in(request), work)


def _same_currency(order: Order, amount: MoneyIn) -> None:
    if amount.currency != order.currency:
        raise NotAllowed(f"The order is in {order.currency}.")


def _manifest(order: Order) -> Manifest | None:
    speaker = discover.connectors().get(order.connection.platform) if order.connection else None
    return speaker.manifest if speaker else None


def _shown(shown: PartPreview, *, done: bool) -> dict[str, Any]:
    return RejectLinesOut(
        done=done,
        total=Money.of(shown.total),
        whole=shown.whole,
        shop=shown.shop_sentence,
        lines=[
            RejectedLineOut(
                line=part.line.pk, quantity=part.units, credit=Money.of(part.credit), stock=part.stock_sentence
            )
            for part in shown.lines
        ],
    ).model_dump(mode="json")
