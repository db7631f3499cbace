"""Quotes and orders, with the marketplace's own token. The payment is taken here, because a reject has to give it back
the same way.

A payment taken elsewhere is not accepted: our refund could never be carried out, and the books would say that it was.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from crossdock.domain.places import COUNTRIES, postal_country, why_not_region
from crossdock.domain.values import Address
from crossdock.store.models import PaymentIntent, User
from crossdock.store.models.money import IntentState
from crossdock.store.together import ask
from crossdock.usecases.accounts.buyers import buyer_of, buyers_named
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.checkout.basket import (
    Basket,
    Found,
    PricedBasket,
    PricedLine,
    PricedPart,
    found_in,
    priced,
    questions,
    with_offers,
)
from crossdock.usecases.checkout.checkout import open_checkout
from crossdock.usecases.checkout.parts import Part, parts_of
from crossdock.usecases.errors import Invalid, Stale
from crossdock.usecases.money.queries import paid_with, payments
from crossdock.web.api.once import KEYED, once_outside, own_key
from crossdock.web.api.order_shape import order_of, order_out
from crossdock.web.api.orders import router
from crossdock.web.api.people import marketplace_only
from crossdock.web.api.problems import Refuse
from crossdock.web.api.shapes import (
    CheckingOut,
    LineIn,
    Money,
    OrderIn,
    PlacedOut,
    ProblemOut,
    QuoteIn,
    QuoteLine,
    QuoteOut,
    QuotePart,
    ReturnedPart,
)
from crossdock.web.live import confirmed
from crossdock.web.payments import answer_of, gateway_of, settled

__all__ = ["router"]


def _wanted(lines: list[LineIn]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
    return wanted


def _basket(wanted: dict[str, int], data: QuoteIn | OrderIn, found: Found) -> Basket:
    if len(found.variants) != len(wanted):
        raise Invalid("One of the variants does not exist.")
    named = [data.offer, *(line.offer for line in data.lines)]
    return with_offers(wanted, [offer for offer in named if offer])


def _priced(basket: Basket, country: str, found: Found) -> PricedBasket:
    if postal_country(country) not in COUNTRIES:
        raise Invalid(f"{country} is not a country code.")
    return priced(basket=basket, country=country, now=timezone.now(), found=found)


def _line(line: PricedLine) -> QuoteLine:
    return QuoteLine(
        variant=line.variant.public_id,
        title=str(line.variant),
        quantity=line.quantity,
        unit_price=Money.of(line.unit_price),
        total=Money.of(line.total),
        available=line.available,
        problem=line.problem,
    )


def _part(part: PricedPart) -> QuotePart:
    return QuotePart(
        seller=part.seller.slug,
        variants=[line.variant.public_id for line in part.lines],
        items=Money.of(part.items),
        shipping=Money.of(part.shipping) if part.shipping is not None else None,
        problems=list(part.problems),
    )


@router.post("/quotes", response={200: QuoteOut, 422: ProblemOut}, url_name="quotes", summary="What it would cost now")
def quote(request: HttpRequest, data: QuoteIn) -> QuoteOut:
    """Nothing is held or written."""
    marketplace_only(request)
    wanted = _wanted(data.lines)
    found = found_in(wanted, *ask(*questions(wanted)))
    shown = _priced(_basket(wanted, data, found), data.country, found)
    return QuoteOut(
        parts=[_part(part) for part in shown.parts],
        lines=[_line(line) for line in shown.lines],
        items=Money.of(shown.items),
        shipping=Money.of(shown.shipping) if shown.shipping else None,
        total=Money.of(shown.total) if shown.total else None,
        problems=list(shown.problems),
        fingerprint=shown.fingerprint,
    )


@router.post(
    "/orders",
    url_name="orders_place",
    summary="Place an order",
    openapi_extra=KEYED,
    response={201: PlacedOut, 202: CheckingOut, 402: ProblemOut, 409: ProblemOut, 422: ProblemOut},
)
def place(request: HttpRequest, data: OrderIn) -> HttpResponse:
    """Holds the units, takes one payment through the marketplace's gateway, and writes an order for each seller's shop
    that the lines are of; from there each goes to its shop.

    A seller's part whose units are gone by the time the money comes is `returned` to the buyer; the others go on.

    A 202 says that the bank's answer was lost: nothing is charged twice whatever is repeated, and `poll` tells what
    came of it.
    """
    token = marketplace_only(request)
    return once_outside(request, token, lambda: _place(request, data, own_key(request, token)))


def _place(request: HttpRequest, data: OrderIn, key: str) -> tuple[int, Any]:
    """Repeated with the same key it goes on from the intent of the first time."""
    wanted = _wanted(data.lines)
    # One round trip for all that is to be known before anything is written.
    earlier, buyers, *found = ask(
        payments().filter(checkout=key),
        buyers_named(data.buyer.email),
        *questions(wanted),
    )
    intent = next(iter(earlier), None) or _open(data, wanted, found_in(wanted, *found), next(iter(buyers), None), key)
    if intent.state != IntentState.CREATED:
        return _standing(request, intent)
    verdict = confirmed(intent, may_wait=False)
    if not verdict.go:
        raise Stale(verdict.sentence)
    gateway = gateway_of(intent)
    # The bank knows the payment by the intent's id, so asking again cannot charge again.
    order = settled(intent, answer_of(gateway.capture(intent.asked, data.payment.token)))
    if order is None:
        return _standing(request, payments().get(pk=intent.pk))
    if len(intent.basket["parts"]) == 1:
        return 201, _placed(request, [order.public_id], ())
    return _standing(request, payments().get(pk=intent.pk))


def _placed(request: HttpRequest, names: list[str], returned: Sequence[Part]) -> dict[str, Any]:
    first, *others = (order_out(order_of(request, name)) for name in names)
    rows = sellers_named("").filter(pk__in=[part.seller for part in returned]) if returned else ()
    sellers = {seller.pk: seller.slug for seller in rows}
    back = [
        ReturnedPart(seller=sellers[part.seller], amount=Money.of(part.total), sentence=part.back) for part in returned
    ]
    return {**first, "others": others, "returned": [one.model_dump(mode="json") for one in back]}


def _open(data: OrderIn, wanted: dict[str, int], found: Found, buyer: User | None, key: str) -> PaymentIntent:
    basket, ship_to = _basket(wanted, data, found), Address(**data.ship_to.model_dump())
    shown = _priced(basket, ship_to.territory or ship_to.country, found)
    if why := why_not_region(ship_to.country, ship_to.region):
        raise Invalid(f"ship_to.region: {why}")
    if shown.problems or shown.total is None:
        raise Stale(" ".join(shown.problems) or "The seller does not ship to this country.")
    if shown.fingerprint != data.fingerprint:
        raise Stale(f"It costs {shown.total.words} now; quote again and show that to the buyer first.")
    return open_checkout(
        buyer=buyer_of(email=data.buyer.email, name=data.buyer.name, known=buyer),
        basket=basket,
        ship_to=ship_to,
        key=key,
        fingerprint=data.fingerprint,
        gateway=settings.PAYMENT_GATEWAY,
        now=timezone.now(),
        shown=shown,
    )


def _standing(request: HttpRequest, intent: PaymentIntent) -> tuple[int, Any]:
    """What came of it.

    The order, a refusal, or a 202 while the bank is being asked (the worker does, until it knows).
    """
    if intent.state == IntentState.CAPTURED:
        names = [order.public_id for order in paid_with(intent)]
        return 201, _placed(request, names, [part for part in parts_of(intent) if part.back])
    if intent.state == IntentState.DECLINED:
        raise Refuse("payment-declined", intent.sentence or "The bank declined the payment.")
    if intent.state == IntentState.ABANDONED:
        raise Stale(intent.sentence)
    return 202, _checking(intent)


def _checking(intent: PaymentIntent) -> dict[str, Any]:
    orders = [order.public_id for order in paid_with(intent)]
    poll = settings.BASE_URL + reverse("api:checkout", args=[intent.public_id])
    said = CheckingOut(
        checkout=intent.public_id,
        state=intent.state,
        order=next(iter(orders), None),
        orders=orders,
        sentence=intent.sentence,
        poll=poll,
    )
    return said.model_dump(mode="json")


@router.get(
    "/checkouts/{str:id}",
    response={200: CheckingOut, 404: ProblemOut},
    url_name="checkout",
    summary="What came of a payment",
)
def checkout(request: HttpRequest, id: str) -> dict[str, Any]:
    """For a payment whose answer was lost: captured (then `order` is there), declined, abandoned, or still unknown."""
    marketplace_only(request)
    return _checking(get_object_or_404(payments(), public_id=id))
