"""What comes back: read, answered and received by a program, with the same preview that the page shows."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router

from crossdock.domain.requests.returns import Condition, Fate, Payer, ReturnState
from crossdock.store.models import Return
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.coming_back import ship_from_words
from crossdock.usecases.requests.queries import picture_of, returns_to, with_pictures
from crossdock.usecases.requests.receive import Deduction, Got, preview_receipt, receive
from crossdock.usecases.requests.returns import accept, decline, locked_return
from crossdock.web.api.once import KEYED, once
from crossdock.web.api.people import actor_of, after_cursor, cursor_after, seller_only, token_in
from crossdock.web.api.problems import Refuse
from crossdock.web.api.returns.shape import (
    AcceptIn,
    DeclineReturnIn,
    ReceiptOut,
    ReceiveIn,
    ReturnOut,
    ReturnPage,
    receipt_out,
    return_out,
)
from crossdock.web.api.shapes import MoneyIn, ProblemOut
from crossdock.web.pictures import shown as shown_picture
from crossdock.web.platforms import manifest_of

router = Router(tags=["returns"])
PAGE = 50
Problems = {404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


def _found(request: HttpRequest) -> QuerySet[Return]:
    """A seller's token sees that seller's, the marketplace's all."""
    return with_pictures(returns_to(token_in(request).seller)).order_by("-pk")


def _one(request: HttpRequest, id: str) -> Return:
    return get_object_or_404(_found(request), public_id=id)


def _out(request: HttpRequest, row: Return) -> dict[str, Any]:
    return return_out(row, with_pictures=token_in(request).seller_id is not None)


@router.get("/returns", response={200: ReturnPage, 422: ProblemOut}, url_name="returns", summary="Newest first")
def table(request: HttpRequest, state: str = "", cursor: str | None = None) -> dict[str, Any]:
    """`state` narrows it, asked for what waits for an answer."""
    found, after = _found(request), after_cursor(cursor)
    if state:
        if state not in set(ReturnState):
            raise Refuse("invalid", f"“{state[:40]}” is no state of a return: {', '.join(ReturnState)}.")
        found = found.filter(state=state)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: PAGE + 1])
    following = cursor_after(page[PAGE - 1].pk) if len(page) > PAGE else None
    return {"items": [_out(request, row) for row in page[:PAGE]], "next": following}


@router.get("/returns/{str:id}", response={200: ReturnOut, 404: ProblemOut}, url_name="return")
def one(request: HttpRequest, id: str) -> dict[str, Any]:
    return _out(request, _one(request, id))


@router.get(
    "/returns/{str:id}/pictures/{str:name}",
    response={404: ProblemOut},
    url_name="return_picture",
    summary="A picture that the buyer added, as JPEG",
    openapi_extra={"responses": {200: {"description": "The picture", "content": {"image/jpeg": {}}}}},
)
def picture(request: HttpRequest, id: str, name: str) -> HttpResponse:
    """With a token of its seller's; the marketplace's own sees none."""
    seller_only(request)
    found = picture_of(_one(request, id), name)
    if found is None:
        raise Http404
    return shown_picture(bytes(found.content))


@router.post(
    "/returns/{str:id}/accept",
    response={200: ReturnOut, **Problems},
    url_name="return_accept",
    openapi_extra=KEYED,
    summary="Accept it: where to, and who pays for the way back",
)
def accept_it(request: HttpRequest, id: str, data: AcceptIn) -> HttpResponse:
    """The buyer is mailed the address. Again with other words it is an instruction that changed, until it was sent."""
    row = _one(request, id)

    def work() -> tuple[int, Any]:
        accept(
            row=row,
            actor=actor_of(request),
            send_to=data.send_to or ship_from_words(row.order),
            payer=Payer(data.payer),
            label=data.label,
            now=timezone.now(),
        )
        return 200, _out(request, _one(request, id))

    return once(request, token_in(request), work)


@router.post(
    "/returns/{str:id}/decline",
    response={200: ReturnOut, **Problems},
    url_name="return_decline",
    openapi_extra=KEYED,
    summary="Decline it; the buyer is told why",
)
def decline_it(request: HttpRequest, id: str, data: DeclineReturnIn) -> HttpResponse:
    """A withdrawal from the contract cannot be declined: a 409."""
    row = _one(request, id)

    def work() -> tuple[int, Any]:
        decline(row=row, actor=actor_of(request), answer=data.answer, now=timezone.now())
        return 200, _out(request, _one(request, id))

    return once(request, token_in(request), work)


@router.post(
    "/returns/{str:id}/receive",
    response={200: ReceiptOut, **Problems},
    url_name="return_receive",
    openapi_extra=KEYED,
    summary="It came back: how, what becomes of it, and what is credited",
)
def receive_it(request: HttpRequest, id: str, data: ReceiveIn) -> HttpResponse:
    """Without `expected_total` it shows what would happen. What was received already is a 409, and another amount than
    the one that was shown a 409 of the type stale: nothing is credited twice. Name another key for the second step.
    """
    found = _one(request, id)

    def work() -> tuple[int, Any]:
        # Two with different keys wait for each other here: the second is told, not answered with figures of its own.
        _, row = locked_return(found)
        parts = {part.line_id: part.pk for part in row.lines.all()}
        if row.state == ReturnState.RECEIVED:
            raise NotAllowed("It was received already.")
        if len({each.line for each in data.lines}) != len(data.lines):
            raise Invalid("Name each line once.")
        if not {each.line for each in data.lines} <= set(parts):
            raise Invalid("One of the lines is not of this return.")
        for amount in (data.kept, data.expected_total):
            _same_currency(row, amount)
        got = {parts[each.line]: Got(each.units, Condition(each.condition), Fate(each.fate)) for each in data.lines}
        deduction = Deduction(data.kept.exact.minor, data.kept_why.strip()) if data.kept else Deduction()
        manifest = manifest_of(row.order)
        shown = preview_receipt(row=row, got=got, deduction=deduction, manifest=manifest)
        if data.expected_total is None:
            return 200, receipt_out(shown, done=False)
        receive(
            row=row,
            got=got,
            deduction=deduction,
            expected_total=data.expected_total.exact,
            manifest=manifest,
            actor=actor_of(request),
            now=timezone.now(),
        )
        return 200, receipt_out(shown, done=True)

    return once(request, token_in(request), work)


def _same_currency(row: Return, amount: MoneyIn | None) -> None:
    if amount is not None and amount.currency != row.order.currency:
        raise NotAllowed(f"The order is in {row.order.currency}.")
