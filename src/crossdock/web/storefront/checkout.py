"""Checkout: the address, then the payment, then the orders that it paid.

The intent is written before the gateway is asked, a lost answer is looked up, and one key buys once.
"""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.places import COUNTRIES, postal_country
from crossdock.domain.values import Address, Money
from crossdock.kit.ask import ask_sync
from crossdock.kit.errors import Outside
from crossdock.kit.gateway import Answer, AtTheBank, Captured, Declined, NeverSeen, NotKnown
from crossdock.store.models import PaymentIntent, User
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.basket import PricedBasket, PricedPart, ships_to
from crossdock.usecases.checkout.checkout import open_checkout, payment_failed, payment_unknown, place_order
from crossdock.usecases.checkout.confirm_stock import Verdict, let_go, waits_for_shop
from crossdock.usecases.checkout.parts import parts_of
from crossdock.usecases.errors import Invalid, Problem, Stale
from crossdock.usecases.money.queries import paid_with
from crossdock.usecases.orders.queries import sent_to
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.risk.trace import Origin
from crossdock.web.device import device_of
from crossdock.web.forms import typed
from crossdock.web.live import confirmed
from crossdock.web.middleware import allow
from crossdock.web.payments import chosen_gateway, gateway_of
from crossdock.web.people import signed_in
from crossdock.web.storefront.address import AddressForm
from crossdock.web.storefront.cart import (
    KEY,
    baskets_of,
    cart_of,
    choose_currency,
    key_of,
    no_more_than,
    renew_key,
    show_priced,
    to_be_paid,
    was_paid,
)

SHIP_TO = "ship_to"
PAYMENT_PATIENCE_SECONDS = 8.0
# A payment on its way in another tab is waited for; one that the bank still does not know then is made impossible.
GIVE_UP_AFTER = timedelta(seconds=20)
_LOST = "The bank did not answer in time."
_YOURS = "Your bank asks you to confirm this payment."
_CLOSED = _("This marketplace cannot take payments right now. Nothing was charged; your cart is kept.")


def _ask(question: Coroutine[Any, Any, Answer]) -> Answer:
    """The gateway's answer; silence and nonsense count as lost, never as declined."""

    async def asked(_: object) -> Answer:
        return await question

    try:
        return ask_sync(asked, within=PAYMENT_PATIENCE_SECONDS)
    except Outside:
        return NotKnown(_LOST)


def _unsettled(buyer: User) -> PaymentIntent | None:
    """A payment whose answer was lost, or that broke off when our database went away: perhaps the money moved, so
    nothing else is paid before it is cleared up.
    """
    open_ones = bought_by(PaymentIntent, buyer).filter(state__in=[IntentState.UNKNOWN, IntentState.CREATED])
    return next((intent for intent in open_ones.order_by("pk") if not waits_for_shop(intent)), None)


def _countries(part: PricedPart) -> frozenset[str]:
    """Where the seller ships to in this currency, and where the shop takes an order to."""
    rates = part.seller.shipping_rates.filter(currency=part.items.currency)
    named = set(rates.values_list("country", flat=True))
    return ships_to(part.connection) & (COUNTRIES if "*" in named else frozenset(map(postal_country, named)))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Where the parcels go; the price of shipping depends on it. `currency` in the address says what is paid, where
    the cart has several; `as` names an earlier order that went where this one goes.
    """
    buyer = signed_in(request)
    if (currency := typed(request.GET, "currency", longest=3)) in baskets_of(request.session):
        choose_currency(request.session, currency)
    if unsettled := _unsettled(buyer):
        return redirect("payment_check", unsettled.public_id)
    shown = show_priced(request.session, buyer)
    if shown is None or shown.problems:
        return redirect("cart")
    # Where any of them ships to: the next page says which part cannot go there, and the others still can.
    countries = frozenset[str]().union(*(_countries(part) for part in shown.parts))
    earlier = sent_to(buyer=buyer)
    picked = dict(earlier).get(typed(request.GET, "as"))
    last = earlier[0][1] if earlier else {"name": buyer.name, "country": shown.parts[0].seller.country}
    initial = picked or request.session.get(SHIP_TO) or last
    form = AddressForm(request.POST or None, initial=initial, countries=countries)
    if request.method == "POST" and form.is_valid():
        ship_to = {name: form.cleaned_data[name] for name in form.fields}
        if ship_to != request.session.get(SHIP_TO):
            request.session[SHIP_TO] = ship_to
            renew_key(request.session)
        return redirect("pay")
    there = [(name, fields) for name, fields in earlier if fields["country"] in countries and fields != initial]
    context = {"form": form, "priced": shown, "countries": countries, "earlier": there}
    return render(request, "storefront/address.html", context, status=422 if form.is_bound else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest) -> HttpResponse:
    """Look at everything once more and pay.

    The form carries the cart's one-time key and the fingerprint of the prices shown.
    """
    buyer = signed_in(request)
    if request.method == "POST":
        return _pay(request, buyer)
    if unsettled := _unsettled(buyer):
        return redirect("payment_check", unsettled.public_id)
    begun = bought_by(PaymentIntent, buyer).filter(checkout=key_of(request.session)).first()
    if begun is not None and not waits_for_shop(begun):
        return _again(request, begun)
    ship_to = request.session.get(SHIP_TO)
    if not cart_of(request.session):
        return redirect("cart")
    if not ship_to:
        return redirect("checkout")
    to = Address(**ship_to)
    shown = show_priced(request.session, buyer, country=to.territory or to.country)
    if shown is None:
        return redirect("cart")
    return _show(request, shown, to)


def _show(request: HttpRequest, shown: PricedBasket, ship_to: Address) -> HttpResponse:
    gateway = chosen_gateway()
    form = None if gateway.missing() else gateway.card_form()
    context = {
        "priced": shown,
        "to": ship_to,
        "choices": gateway.choices(),
        "gateway": gateway,
        "card_form": form,
        "card_script": f"card_{gateway.name}.js",
        "closed": _CLOSED if gateway.missing() else "",
        "key": key_of(request.session),
    }
    response = render(request, "storefront/pay.html", context)
    return allow(response, **form.allow) if form else response


def _pay(request: HttpRequest, buyer: User) -> HttpResponse:
    """Whatever was clicked twice, in two tabs or after going back meets the intent of the first time under the same
    key.
    """
    key, token = typed(request.POST, "key"), typed(request.POST, "token")
    if chosen_gateway().missing():
        messages.error(request, _CLOSED)
        return redirect("cart")
    if not chosen_gateway().accepts(token):
        messages.error(request, _("Choose how you want to pay."))
        return redirect("pay")
    intent = bought_by(PaymentIntent, buyer).filter(checkout=key).first()
    if intent is None:
        if unsettled := _unsettled(buyer):
            return redirect("payment_check", unsettled.public_id)
        let_go(buyer=buyer, now=timezone.now())
        try:
            intent = _open(request, buyer, key)
        except Stale as stale:
            messages.warning(request, str(stale))
            return redirect("pay")
        except Problem as problem:
            messages.error(request, str(problem))
            return redirect("cart")
    if intent.state != IntentState.CREATED:
        return _again(request, intent)
    verdict = confirmed(intent)
    if not verdict.go:
        return _not_confirmed(request, intent, verdict)
    back = settings.BASE_URL + reverse("payment_check", args=[intent.public_id])
    return _settle(request, intent, _ask(gateway_of(intent).capture(intent.asked, token, back_url=back)))


def _not_confirmed(request: HttpRequest, intent: PaymentIntent, verdict: Verdict) -> HttpResponse:
    """The shop has fewer, or did not say. The cart is put right, so that the next click buys what there is."""
    if verdict.wait:
        messages.warning(request, verdict.sentence)
        return redirect("pay")
    if _is_current(request, intent) and verdict.left.keys() & cart_of(request.session).lines.keys():
        no_more_than(request.session, verdict.left)
        messages.error(request, verdict.sentence)
        return redirect("cart")
    return _not_bought(request, intent, verdict.sentence)


def _open(request: HttpRequest, buyer: User, key: str) -> PaymentIntent:
    """Raises a use-case's Problem."""
    basket, ship_to = to_be_paid(request.session), request.session.get(SHIP_TO)
    if basket is None or not ship_to:
        raise Invalid("Your cart is empty.")
    return open_checkout(
        buyer=buyer,
        basket=basket,
        ship_to=Address(**ship_to),
        key=key,
        fingerprint=typed(request.POST, "fingerprint"),
        gateway=settings.PAYMENT_GATEWAY,
        now=timezone.now(),
        language=get_language() or "",
        origin=Origin(ip=request.META.get("REMOTE_ADDR", ""), device=device_of(request)),
    )


def _again(request: HttpRequest, intent: PaymentIntent) -> HttpResponse:
    """The key was used before: show what came of it, and move no money."""
    if intent.state in (IntentState.CREATED, IntentState.UNKNOWN):
        return redirect("payment_check", intent.public_id)
    if intent.state != IntentState.CAPTURED:
        return _not_bought(request, intent, intent.sentence or "This payment did not go through; nothing was charged.")
    if _is_current(request, intent):
        _paid(request, intent)
    return _its_orders(intent)


def _paid(request: HttpRequest, intent: PaymentIntent) -> None:
    was_paid(request.session, intent)
    if cart_of(request.session):
        messages.info(request, _("What costs another currency is still in your cart; it is paid by itself."))


def _its_orders(intent: PaymentIntent) -> HttpResponse:
    """One order's page, or the list of what a payment of several parts came to."""
    if len(intent.basket["parts"]) > 1:
        return redirect("paid", intent.public_id)
    return redirect("my_order", paid_with(intent)[0].public_id)


def _is_current(request: HttpRequest, intent: PaymentIntent) -> bool:
    """Whether the cart of this session is the one that was paid; another tab may have filled a new one."""
    return bool(request.session.get(KEY) == intent.checkout)


def _settle(request: HttpRequest, intent: PaymentIntent, answer: Answer) -> HttpResponse:
    now = timezone.now()
    match answer:
        case Captured(gateway_ref, checks):
            return _bought(request, intent, gateway_ref, dict(checks))
        case Declined(sentence):
            payment_failed(intent_id=intent.public_id, sentence=sentence, now=now)
            return _not_bought(request, intent, f"{sentence} Nothing was charged; choose another way to pay.")
        case NeverSeen():
            payment_failed(intent_id=intent.public_id, sentence="The payment never reached the bank.", now=now)
            return _not_bought(
                request,
                intent,
                "The payment never reached the bank and cannot happen any more. Nothing was charged; pay again.",
            )
        case NotKnown(sentence):
            payment_unknown(intent_id=intent.public_id, sentence=sentence, now=now)
            return redirect("payment_check", intent.public_id)
        case AtTheBank():
            # A page of ours with a link: after a form, the browser would apply our form-action to every address on the
            # bank's way.
            payment_unknown(intent_id=intent.public_id, sentence=_YOURS, now=now)
            return redirect("payment_check", intent.public_id)


def _bought(request: HttpRequest, intent: PaymentIntent, gateway_ref: str, checks: dict[str, str]) -> HttpResponse:
    try:
        order = place_order(intent_id=intent.public_id, gateway_ref=gateway_ref, checks=checks, now=timezone.now())
    except Stale as gone:
        return _not_bought(request, intent, str(gone))
    if _is_current(request, intent):
        if len(intent.basket["parts"]) == 1:
            messages.success(
                request, _("Thank you. Your order #{number} is placed and paid.").format(number=order.number)
            )
        _paid(request, intent)
    return _its_orders(intent)


@never_cache
@login_required
@require_safe
def paid(request: HttpRequest, public_id: str) -> HttpResponse:
    """What one payment came to: an order of each seller, and what goes back."""
    rows = bought_by(PaymentIntent, signed_in(request)).filter(state=IntentState.CAPTURED)
    intent = get_object_or_404(rows, public_id=public_id)
    context = {
        "orders": paid_with(intent),
        "back": [part for part in parts_of(intent) if part.back],
        "amount": Money(intent.amount_minor, intent.currency),
        "to": Address(**intent.basket["ship_to"]),
    }
    return render(request, "storefront/paid.html", context)


def _not_bought(request: HttpRequest, intent: PaymentIntent, sentence: str) -> HttpResponse:
    if _is_current(request, intent):
        renew_key(request.session)
    messages.error(request, sentence)
    return redirect("pay" if cart_of(request.session) else "cart")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, public_id: str) -> HttpResponse:
    """ "We are checking with the bank": looks up, and where the bank knows nothing makes sure that nothing can come
    later. Reloads by itself.

    The buyer's bank sends them back here as well. A POST gives the payment up, to pay another way; money that moved
    meanwhile is kept, with its order.
    """
    intent = get_object_or_404(bought_by(PaymentIntent, signed_in(request)), public_id=public_id)
    if intent.state not in (IntentState.CREATED, IntentState.UNKNOWN):
        return _again(request, intent)
    gateway = gateway_of(intent)
    answer = _ask(gateway.void(intent.asked) if request.method == "POST" else gateway.look_up(intent.asked))
    if isinstance(answer, NeverSeen) and request.method != "POST":
        young = timezone.now() - intent.created_at < GIVE_UP_AFTER
        answer = NotKnown(_LOST) if young else _ask(gateway.void(intent.asked))
    context = {"intent": intent, "amount": Money(intent.amount_minor, intent.currency)}
    if isinstance(answer, AtTheBank):
        return render(request, "storefront/at_the_bank.html", {**context, "url": answer.url})
    if isinstance(answer, NotKnown):
        return render(request, "storefront/checking.html", context)
    return _settle(request, intent, answer)
