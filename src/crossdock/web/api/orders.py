"""Orders: placed with the marketplace's token, read, shipped and rejected with either."""

from collections.abc import Coroutine
from typing import Any, Literal

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router

from crossdock.domain.commands import CancelReason
from crossdock.domain.values import COUNTRIES, Address
from crossdock.domain.values import Money as Amount
from crossdock.kit.ask import ask_sync
from crossdock.kit.errors import Outside
from crossdock.kit.gateway import Captured, Declined, NotKnown
from crossdock.kit.payments import open_gateway
from crossdock.store.models import Order, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases import reject
from crossdock.usecases.basket import Basket, PricedBasket, priced, variants_in
from crossdock.usecases.buyers import buyer_of
from crossdock.usecases.checkout import open_checkout, payment_failed, payment_unknown, place_order
from crossdock.usecases.errors import Invalid, Stale
from crossdock.usecases.orders import ship_by_hand
from crossdock.web.api.once import once, own_key
from crossdock.web.api.order_shape import order_out
from crossdock.web.api.people import actor_of, after_cursor, cursor_after, marketplace_only, mine, token_in
from crossdock.web.api.problems import Refuse
from crossdock.web.api.shapes import (
    CheckingOut,
    LineIn,
    Money,
    OrderIn,
    OrderOut,
    OrderPage,
    ProblemOut,
    QuoteIn,
    QuoteOut,
    RejectIn,
    ShipIn,
)

router = Router(tags=["orders"])
PAGE = 50
PAYMENT_SECONDS = 8.0


def _orders(request: HttpRequest) -> QuerySet[Order]:
    found = Order.objects.filter(**mine(request)).select_related("seller__owner", "copy")
    return found.prefetch_related("lines__variant", "shipments__lines", "timeline").order_by("-pk")


@router.get("/orders", response=OrderPage, url_name="orders", summary="Newest first")
def table(
    request: HttpRequest,
    cursor: str | None = None,
    state: Literal["", "to_ship", "shipped", "cancelled"] = "",
    reference: str = "",
) -> dict[str, Any]:
    found = _orders(request)
    if reference:
        found = found.filter(reference=reference)
    match state:
        case "to_ship":
            found = found.filter(cancelled_at=None, parcels__in=["unshipped", "partly_shipped"])
        case "shipped":
            found = found.filter(parcels="shipped")
        case "cancelled":
            found = found.filter(cancelled_at__isnull=False)
    after = after_cursor(cursor)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: PAGE + 1])
    following = cursor_after(page[PAGE - 1].pk) if len(page) > PAGE else None
    return {"items": [order_out(order) for order in page[:PAGE]], "next": following}


def _order(request: HttpRequest, id: str) -> Order:
    return get_object_or_404(_orders(request), public_id=id)


@router.get("/orders/{str:id}", response={200: OrderOut, 404: ProblemOut}, url_name="order")
def one(request: HttpRequest, id: str) -> dict[str, Any]:
    """With the proof of the shop's copy, parcels with their numbers, and the timeline."""
    return order_out(_order(request, id))


def _basket(lines: list[LineIn]) -> Basket:
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
    found = variants_in(wanted)
    if len(found) != len(wanted):
        raise Invalid("One of the variants does not exist.")
    return {"seller": found[0].listing.seller_id, "connection": found[0].connection_id, "lines": wanted}


def _priced(basket: Basket, country: str) -> PricedBasket:
    if country not in COUNTRIES:
        raise Invalid(f"{country} is not a country code.")
    return priced(basket=basket, country=country, now=timezone.now())


@router.post("/quotes", response={200: QuoteOut, 422: ProblemOut}, url_name="quotes", summary="What it would cost now")
def quote(request: HttpRequest, data: QuoteIn) -> dict[str, Any]:
    """Nothing is held or written."""
    marketplace_only(request)
    shown = _priced(_basket(data.lines), data.country)
    return {
        "items": Money.of(shown.items),
        "shipping": Money.of(shown.shipping) if shown.shipping else None,
        "total": Money.of(shown.total) if shown.total else None,
        "problems": list(shown.problems),
    }


@router.post(
    "/orders", url_name="orders_place", summary="Place an order",
    response={201: OrderOut, 202: CheckingOut, 402: ProblemOut, 409: ProblemOut, 422: ProblemOut},
)  # fmt: skip
def place(request: HttpRequest, data: OrderIn) -> HttpResponse:
    """Holds the units, takes the payment through the marketplace's gateway, and writes the order; from there it goes to the seller's shop.

    The payment is taken here, since a reject has to give it back the same way. Needs an Idempotency-Key: repeating it buys once.
    """
    token = marketplace_only(request)
    return once(request, token, lambda: _place(data, own_key(request, token)))


def _place(data: OrderIn, key: str) -> tuple[int, Any]:
    intent = PaymentIntent.objects.filter(checkout=key).first() or _open(data, key)
    if intent.order is not None:
        return 201, order_out(intent.order)
    if intent.state == IntentState.CREATED:
        gateway = open_gateway(intent.gateway, settings.CONFIG.data)
        amount = Amount(intent.amount_minor, intent.currency)
        return _settle(intent, _ask(gateway.capture(intent.public_id, amount, data.payment.token)))
    return _standing(intent)


def _open(data: OrderIn, key: str) -> PaymentIntent:
    basket = _basket(data.lines)
    shown = _priced(basket, data.ship_to.country)
    if shown.problems or shown.total is None:
        raise Stale(" ".join(shown.problems) or "The seller does not ship to this country.")
    if shown.total.minor != data.expected_total_minor:
        raise Stale(f"It costs {shown.total} {shown.total.currency} now; show that to the buyer first.")
    return open_checkout(
        buyer=buyer_of(email=data.buyer.email, name=data.buyer.name), basket=basket, ship_to=Address(**data.ship_to.model_dump()), key=key,
        fingerprint=shown.fingerprint, gateway=settings.PAYMENT_GATEWAY, now=timezone.now(),
    )  # fmt: skip


def _ask(question: Coroutine[Any, Any, Captured | Declined | NotKnown]) -> Captured | Declined | NotKnown:
    async def asked(_: object) -> Captured | Declined | NotKnown:
        return await question

    try:
        return ask_sync(asked, within=PAYMENT_SECONDS)
    except Outside:
        return NotKnown("The bank did not answer in time.")


def _settle(intent: PaymentIntent, answer: Captured | Declined | NotKnown) -> tuple[int, Any]:
    now = timezone.now()
    match answer:
        case Captured(gateway_ref, checks):
            order = place_order(intent_id=intent.public_id, gateway_ref=gateway_ref, checks=dict(checks), now=now)
            return 201, order_out(order)
        case Declined(sentence):
            payment_failed(intent_id=intent.public_id, sentence=sentence, now=now)
            raise Refuse("payment-declined", sentence)
        case NotKnown(sentence):
            payment_unknown(intent_id=intent.public_id, sentence=sentence, now=now)
            intent.refresh_from_db()
            return _standing(intent)


def _standing(intent: PaymentIntent) -> tuple[int, Any]:
    """What came of an intent that is not ours to settle here: the worker asks the bank until it knows."""
    order = intent.order.public_id if intent.order else None
    said = CheckingOut(checkout=intent.public_id, state=intent.state, order=order, sentence=intent.sentence)
    return 202, said.model_dump(mode="json")


@router.get("/checkouts/{str:id}", response={200: CheckingOut, 404: ProblemOut}, url_name="checkout")
def checkout(request: HttpRequest, id: str) -> dict[str, Any]:
    """What came of a payment whose answer was lost: captured (then `order` is there), declined, abandoned, or still unknown."""
    marketplace_only(request)
    return dict(_standing(get_object_or_404(PaymentIntent.objects.select_related("order"), public_id=id))[1])


@router.post(
    "/orders/{str:id}/shipments", response={201: OrderOut, 409: ProblemOut, 422: ProblemOut}, url_name="order_ship"
)
def ship(request: HttpRequest, id: str, data: ShipIn) -> HttpResponse:
    """One parcel, by hand; what is fulfilled in the shop comes back by itself. Needs an Idempotency-Key."""
    order, token = _order(request, id), token_in(request)

    def work() -> tuple[int, Any]:
        lines = None if data.lines is None else {line.line: line.quantity for line in data.lines}
        if lines is not None and not set(lines) <= {line.pk for line in order.lines.all()}:
            raise Invalid("One of the lines is not of this order.")
        ship_by_hand(
            order=order, lines=lines, tracking=data.tracking_number, carrier=data.carrier, actor=actor_of(request), now=timezone.now(),
            key=own_key(request, token)[:50],
        )  # fmt: skip
        return 201, order_out(_order(request, id))

    return once(request, token, work)


@router.post(
    "/orders/{str:id}/reject", response={200: OrderOut, 409: ProblemOut, 422: ProblemOut}, url_name="order_reject"
)
def reject_one(request: HttpRequest, id: str, data: RejectIn) -> dict[str, Any]:
    """Credits the whole order once and cancels it in the shop. A second reject is a 409 that says so."""
    order = _order(request, id)
    source = "seller" if token_in(request).seller_id else "staff"
    reject.reject_order(
        order=order, reason=CancelReason(data.reason), actor=actor_of(request), now=timezone.now(), source=source,
        expected_total=Amount(data.expected_total_minor, order.currency),
    )  # fmt: skip
    return order_out(_order(request, id))
