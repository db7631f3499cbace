"""The cart lives in the session, so it works before anybody signs in. It holds lines of any sellers, and accepted
offers among them; each seller's shop gets what is its own as an order.

One payment is in one currency: what costs another one is paid by a payment of its own. `checkout_key` is made with the
cart and changes with it: two tabs of one cart pay under one key and buy once.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.offers import OfferState
from crossdock.store.models import Offer, PaymentIntent, User
from crossdock.usecases.catalogue.queries import items, offers_made
from crossdock.usecases.catalogue.sellable import MOST_UNITS, why_not_sold, why_paused
from crossdock.usecases.checkout.basket import Basket, PricedBasket, priced, variants_in
from crossdock.usecases.checkout.confirm_stock import kept_for, waits_for_shop
from crossdock.usecases.checkout.parts import names_in, offers_of
from crossdock.usecases.money.queries import payments
from crossdock.web.context import CART
from crossdock.web.forms import typed
from crossdock.web.people import signed_in

KEY = "checkout_key"
PAY_IN = "checkout_currency"
MOST_LINES = 50
# Where a cart of an earlier version waited while an offer was paid alone.
_ASIDE = "cart_aside"


@dataclass(frozen=True, slots=True)
class Cart:
    """`lines` maps variants' public ids to units, `agreed` those of accepted offers to theirs."""

    lines: Mapping[str, int] = field(default_factory=dict)
    agreed: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines) + len(self.agreed)


def cart_of(session: SessionBase) -> Cart:
    kept = session.get(CART) or {"lines": {}}
    lines, agreed = dict(kept["lines"]), dict(kept.get("agreed", {}))
    if offer := kept.get("offer"):
        # A cart of an earlier version: an offer that was paid alone.
        lines, agreed = dict((session.get(_ASIDE) or {"lines": {}})["lines"]), {offer: sum(lines.values())}
    return Cart(lines, agreed)


def key_of(session: SessionBase) -> str:
    """The one-time key under which what is to be paid, as it is now, is paid."""
    if KEY not in session:
        session[KEY] = secrets.token_urlsafe(16)
    return str(session[KEY])


def renew_key(session: SessionBase) -> None:
    session[KEY] = secrets.token_urlsafe(16)


def keep(session: SessionBase, cart: Cart) -> None:
    """Store a changed cart; it gets a new key, so that no earlier payment of other contents can stand in for it."""
    _store(session, cart)
    renew_key(session)


def _store(session: SessionBase, cart: Cart) -> None:
    session.pop(_ASIDE, None)
    if cart:
        session[CART] = {"lines": dict(cart.lines), "agreed": dict(cart.agreed)}
    else:
        session.pop(CART, None)


def put_offer(session: SessionBase, offer: Offer) -> None:
    """A line like any other. It takes the place of units of the same thing at the asking price, and of an earlier offer
    on it.
    """
    cart = cart_of(session)
    lines = {name: units for name, units in cart.lines.items() if name != offer.variant.public_id}
    others = [one.public_id for one in _unpaid(cart) if one.variant_id != offer.variant_id] if cart.agreed else []
    agreed = {**{name: cart.agreed[name] for name in others}, offer.public_id: offer.quantity}
    if agreed != cart.agreed or lines != cart.lines:
        keep(session, Cart(lines, agreed))
    choose_currency(session, offer.currency)


def baskets_of(session: SessionBase) -> dict[str, Basket]:
    """What is in the cart, by its currency. What no longer exists, and offers that are paid, are dropped from it, and
    one of two lines of the same thing: what was agreed stays.
    """
    cart = cart_of(session)
    if not cart:
        return {}
    offers = _unpaid(cart) if cart.agreed else []
    agreed = {offer.variant.public_id for offer in offers if offer.state == OfferState.ACCEPTED}
    variants = [one for one in variants_in(cart.lines) if one.public_id not in agreed] if cart.lines else []
    asked = {variant.public_id for variant in variants}
    offers = [offer for offer in offers if offer.variant.public_id not in asked]
    baskets: dict[str, Basket] = {}
    for variant in variants:
        basket = baskets.setdefault(variant.listing.currency, {"lines": {}})
        basket["lines"][variant.public_id] = cart.lines[variant.public_id]
    for offer in offers:
        basket = baskets.setdefault(offer.variant.listing.currency, {"lines": {}})
        basket["offers"] = [*basket.get("offers", []), offer.public_id]
    if len(variants) != len(cart.lines) or len(offers) != len(cart.agreed):
        lines = {variant.public_id: cart.lines[variant.public_id] for variant in variants}
        _dropped(session, Cart(lines, {offer.public_id: offer.quantity for offer in offers}))
    return baskets


def _dropped(session: SessionBase, left: Cart) -> None:
    """The key stays where a payment was begun under it: what it pays is perhaps still among what is left, and must not
    be paid again under another.
    """
    begun = payments().filter(checkout=session.get(KEY, "")).first()
    _store(session, left)
    if begun is None or waits_for_shop(begun):
        renew_key(session)


def _unpaid(cart: Cart) -> list[Offer]:
    """The latest on each thing: one buyer has one at a time, and those before it have ended."""
    found = offers_made().filter(public_id__in=list(cart.agreed)).exclude(state=OfferState.PAID)
    return list({offer.variant_id: offer for offer in found.order_by("pk")}.values())


def choose_currency(session: SessionBase, currency: str) -> None:
    """What costs so is paid next."""
    if session.get(PAY_IN) != currency:
        session[PAY_IN] = currency
        renew_key(session)


def to_be_paid(session: SessionBase) -> Basket | None:
    """What the next payment pays: what is in the cart in the chosen currency, or in the first one."""
    baskets = baskets_of(session)
    return baskets.get(session.get(PAY_IN, "")) or next(iter(baskets.values()), None)


def was_paid(session: SessionBase, intent: PaymentIntent) -> None:
    """What it paid leaves the cart; what costs another currency stays."""
    cart, things, offers = cart_of(session), names_in(intent), offers_of(intent)
    lines = {name: units for name, units in cart.lines.items() if name not in things}
    agreed = {name: units for name, units in cart.agreed.items() if name not in offers}
    keep(session, Cart(lines, agreed))
    session.pop(PAY_IN, None)


def no_more_than(session: SessionBase, left: Mapping[str, int]) -> None:
    """Units that a shop turned out not to have leave the cart."""
    cart = cart_of(session)
    lines = {name: min(units, left.get(name, units)) for name, units in cart.lines.items()}
    keep(session, Cart({name: units for name, units in lines.items() if units}, cart.agreed))


def show_priced(session: SessionBase, buyer: User, *, country: str | None = None) -> PricedBasket | None:
    """What is to be paid next, with today's prices."""
    basket = to_be_paid(session)
    return priced(basket=basket, country=country, now=timezone.now(), kept=kept_for(buyer=buyer)) if basket else None


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    baskets = baskets_of(request.session).values()
    kept = kept_for(buyer=signed_in(request)) if baskets and request.user.is_authenticated else {}
    shown = [priced(basket=basket, country=None, now=timezone.now(), kept=kept) for basket in baskets]
    return render(request, "storefront/cart.html", {"payments": shown})


def _units(form: QueryDict) -> int | None:
    text = form.get("quantity", "1").strip()
    return int(text) if text.isdecimal() and len(text) < 5 and int(text) <= MOST_UNITS else None


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    variant = get_object_or_404(
        items(),
        public_id=typed(request.POST, "variant"),
    )
    units = _units(request.POST)
    if not units:
        messages.error(request, _("Choose between 1 and {most} units.").format(most=MOST_UNITS))
        return redirect("listing", variant.listing.public_id)
    if why := why_not_sold(variant) or why_paused(variant):
        messages.error(request, why)
        return redirect("listing", variant.listing.public_id)
    cart = cart_of(request.session)
    agreed = [offer for offer in _unpaid(cart) if offer.variant_id == variant.pk] if cart.agreed else []
    if any(offer.state == OfferState.ACCEPTED for offer in agreed):
        messages.info(
            request,
            _("“{item}” is in your cart at the agreed price. Pay for it first, then buy more.").format(item=variant),
        )
        return redirect("cart")
    lines = {**cart.lines, variant.public_id: min(cart.lines.get(variant.public_id, 0) + units, MOST_UNITS)}
    if len(Cart(lines, cart.agreed)) > MOST_LINES:
        messages.error(request, _("A cart holds {most} different items; buy these first.").format(most=MOST_LINES))
        return redirect("cart")
    keep(request.session, Cart(lines, cart.agreed))
    messages.success(request, _("“{item}” is in your cart.").format(item=variant))
    return redirect("cart")


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """A new number of units for one line; 0 takes it out. An accepted offer can only be taken out."""
    cart = cart_of(request.session)
    name, units = typed(request.POST, "variant"), _units(request.POST)
    if offer := typed(request.POST, "offer"):
        keep(request.session, Cart(cart.lines, {one: n for one, n in cart.agreed.items() if one != offer}))
        return redirect("cart")
    if "remove" in request.POST:
        units = 0
    if name not in cart.lines:
        return redirect("cart")
    if units is None:
        messages.error(request, _("Type a number between 0 and {most}.").format(most=MOST_UNITS))
        return redirect("cart")
    lines = {**cart.lines, name: units}
    keep(request.session, Cart({one: n for one, n in lines.items() if n}, cart.agreed))
    return redirect("cart")


@require_POST
def drop(request: HttpRequest) -> HttpResponse:
    """Everything of the seller's shop that has this item: its part cannot be bought now, the rest goes on."""
    cart, name = cart_of(request.session), typed(request.POST, "variant")
    for basket in baskets_of(request.session).values():
        for part in priced(basket=basket, country=None, now=timezone.now()).parts:
            if all(line.variant.public_id != name for line in part.lines):
                continue
            gone = {line.variant.public_id for line in part.lines}
            agreed = {line.offer.public_id for line in part.lines if line.offer}
            keep(
                request.session,
                Cart(
                    {one: units for one, units in cart.lines.items() if one not in gone},
                    {one: units for one, units in cart.agreed.items() if one not in agreed},
                ),
            )
            messages.success(
                request, _("The items of {seller} are no longer in your cart.").format(seller=part.seller.name)
            )
    back = typed(request.POST, "back") == "pay" and bool(cart_of(request.session))
    return redirect("pay" if back else "cart")
