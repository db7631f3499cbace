"""The addresses: a preview beside each deed, and one that confirms."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from crossdock.web.api.once import once
from crossdock.web.api.people import require_reach, token_in
from crossdock.web.api.shapes import ProblemOut, ShipIn, Strict
from crossdock.web.api.two_steps.code import key_of, read
from crossdock.web.api.two_steps.deed import Deed, PreviewOut
from crossdock.web.api.two_steps.listings import BUFFER, PRICE, SALE, PreviewBufferIn, PreviewPriceIn, PreviewSaleIn
from crossdock.web.api.two_steps.orders import DECLINE, REJECT, SHIP, PreviewDeclineIn, PreviewRejectIn

router = Router(tags=["two steps"])
Answers: dict[int, Any] = {200: PreviewOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}
DEEDS: dict[str, Deed[Any, Any]] = {deed.name: deed for deed in (SHIP, REJECT, DECLINE, PRICE, BUFFER, SALE)}


class ConfirmIn(Strict):
    code: str = Field(min_length=1, max_length=20_000, description="As the preview gave it.")


class ConfirmedOut(Schema):
    deed: str
    about: str = Field(description="The order's or the listing's id.")
    sentence: str = Field(description="What was done.")


@router.post(
    "/orders/{str:id}/shipments/preview",
    response=Answers,
    url_name="preview_shipment",
    summary="What a parcel would do",
)
def shipment(request: HttpRequest, id: str, data: ShipIn) -> PreviewOut:
    """Nothing happens before its code is confirmed; what would be refused is refused here. So with every preview."""
    return SHIP.preview(request, id, data)


@router.post(
    "/orders/{str:id}/reject/preview", response=Answers, url_name="preview_reject", summary="What a reject would do"
)
def reject(request: HttpRequest, id: str, data: PreviewRejectIn) -> PreviewOut:
    """Of the whole order, with a reason, or of some units, each line with its own (where rule S8 is lifted)."""
    return REJECT.preview(request, id, data)


@router.post(
    "/orders/{str:id}/cancel-request/decline/preview",
    response=Answers,
    url_name="preview_decline",
    summary="What declining to cancel would do",
)
def decline(request: HttpRequest, id: str, data: PreviewDeclineIn) -> PreviewOut:
    """To agree, reject the order with the reason buyer_asked."""
    return DECLINE.preview(request, id, data)


@router.post(
    "/listings/{str:id}/price/preview", response=Answers, url_name="preview_price", summary="What a new price would do"
)
def price(request: HttpRequest, id: str, data: PreviewPriceIn) -> PreviewOut:
    """Of a listing made by hand; the others follow their shop."""
    return PRICE.preview(request, id, data)


@router.post(
    "/listings/{str:id}/buffer/preview",
    response=Answers,
    url_name="preview_buffer",
    summary="What keeping units back would do",
)
def buffer(request: HttpRequest, id: str, data: PreviewBufferIn) -> PreviewOut:
    """Of a listing that follows a shop."""
    return BUFFER.preview(request, id, data)


@router.post(
    "/listings/{str:id}/sale/preview",
    response=Answers,
    url_name="preview_sale",
    summary="What taking it off sale, or listing it again, would do",
)
def sale(request: HttpRequest, id: str, data: PreviewSaleIn) -> PreviewOut:
    return SALE.preview(request, id, data)


@router.post(
    "/confirmations",
    response={200: ConfirmedOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut},
    url_name="confirm",
    summary="Do what a preview showed, once",
)
def confirm(request: HttpRequest, data: ConfirmIn) -> HttpResponse:
    """The code is its own Idempotency-Key: sent again, the first answer comes again. A 409 when it has run out, or when
    the deed would not do what was shown any more; ask for a new preview then.
    """
    token = token_in(request)
    code = read(data.code, token)
    deed, key = DEEDS[code.deed], key_of(data.code)
    require_reach(token, deed.area, change=True)

    def work() -> tuple[int, Any]:
        done = deed.confirm(request, code, key)
        return 200, ConfirmedOut(deed=deed.name, about=code.about, sentence=done).model_dump(mode="json")

    return once(request, token, work, own=key)
