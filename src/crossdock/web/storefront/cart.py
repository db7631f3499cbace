"""The cart lives in the session, so it works before anybody signs in. It holds lines of one seller's one shop, since
one order lands in one shop.

An accepted offer is paid alone: the cart is set aside meanwhile and comes back afterwards.

`checkout_key` is made with the cart and changes with it: two tabs of one cart pay under one key and buy once.
"""

import secrets
from typing import Any, cast

from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.store.models import Variant
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.catalogue.queries import items
from crossdock.usecases.catalogue.sellable import MOST_UNITS, why_not_sold
from crossdock.usecases.checkout.basket import Basket, PricedBasket, priced, variants_in
from crossdock.web.context import CART
from crossdock.web.forms import typed

KEY = "checkout_key"
ASIDE = "cart_aside"
MOST_LINES = 50


def basket_of(session: SessionBase) -> Basket | None:
    """None when there is nothing in it."""
    basket = session.get(CART)
    return cast(Basket, basket) if basket and basket["lines"] else None


def key_of(session: SessionBase) -> str:
    """The one-time key under which this cart, as it is now, is paid."""
    if KEY not in session:
        session[KEY] = secrets.token_urlsafe(16)
    return str(session[KEY])


def renew_key(session: SessionBase) -> None:
    session[KEY] = secrets.token_urlsafe(16)


def keep(session: SessionBase, basket: Basket | None) -> None:
    """Store a changed cart; it gets a new key, so that no earlier payment of other contents can stand in for it.

    Where nothing is left, the cart that was set aside for an offer comes back.
    """
    if basket is None or not basket["lines"]:
        basket = session.pop(ASIDE, None)
    if basket is None:
        session.pop(CART, None)
    else:
        session[CART] = basket
    renew_key(session)


def pay_alone(session: SessionBase, offer: Basket) -> None:
    """The offer becomes the cart; what was in it is set aside."""
    basket = basket_of(session)
    if basket is not None and not basket.get("offer"):
        session[ASIDE] = basket
    keep(session, offer)


def aside_of(session: SessionBase) -> int:
    """Units of the cart that waits while an offer is paid."""
    basket = session.get(ASIDE)
    return sum(basket["lines"].values()) if basket else 0


def show_priced(session: SessionBase, *, country: str | None = None) -> PricedBasket | None:
    """The cart with today's prices; lines that no longer exist are dropped from it."""
    basket = basket_of(session)
    if basket is None:
        return None
    known = {variant.public_id for variant in variants_in(basket["lines"])}
    if known != set(basket["lines"]):
        basket["lines"] = {name: units for name, units in basket["lines"].items() if name in known}
        keep(session, basket)
        if not basket["lines"]:
            return show_priced(session, country=country)
    return priced(basket=basket, country=country, now=timezone.now())


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    shown = show_priced(request.session)
    basket = basket_of(request.session)
    context = {
        "priced": shown,
        "cart_offer": basket.get("offer", "") if basket else "",
        "aside": aside_of(request.session),
    }
    return render(request, "storefront/cart.html", context)


def _units(form: QueryDict) -> int | None:
    text = form.get("quantity", "1").strip()
    return int(text) if text.isdecimal() and len(text) < 5 and int(text) <= MOST_UNITS else None


def _fits(basket: Basket, variant: Variant) -> bool:
    """The same seller's same shop, in the same currency."""
    inside = items().filter(public_id__in=basket["lines"]).first()
    mine = variant.listing
    return inside is None or (inside.listing.seller_id, inside.listing.connection_id, inside.listing.currency) == (
        mine.seller_id,
        mine.connection_id,
        mine.currency,
    )


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    variant = get_object_or_404(
        items(),
        public_id=typed(request.POST, "variant"),
    )
    units = _units(request.POST)
    if not units:
        messages.error(request, f"Choose between 1 and {MOST_UNITS} units.")
        return redirect("listing", variant.listing.public_id)
    if why := why_not_sold(variant):
        messages.error(request, why)
        return redirect("listing", variant.listing.public_id)
    basket = basket_of(request.session)
    if basket and basket.get("offer"):
        messages.info(request, "What you agreed on is paid alone; you find it under Your offers.")
        keep(request.session, None)
        basket = basket_of(request.session)
    if basket and not _fits(basket, variant):
        if "new" not in request.POST:
            context = {
                "variant": variant,
                "units": units,
                "other": sellers_named("").filter(pk=basket["seller"]).first(),
            }
            return render(request, "storefront/cart_other.html", context)
        basket = None
    if basket is None:
        basket = Basket(seller=variant.listing.seller_id, connection=variant.listing.connection_id, lines={})
    lines: dict[str, Any] = dict(basket["lines"])
    lines[variant.public_id] = min(lines.get(variant.public_id, 0) + units, MOST_UNITS)
    if len(lines) > MOST_LINES:
        messages.error(request, f"A cart holds {MOST_LINES} different items; buy these first.")
        return redirect("cart")
    keep(request.session, Basket(seller=basket["seller"], connection=basket["connection"], lines=lines))
    messages.success(request, f"“{variant}” is in your cart.")
    return redirect("cart")


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """A new number of units for one line; 0 takes it out."""
    basket = basket_of(request.session)
    name, units = typed(request.POST, "variant"), _units(request.POST)
    if "remove" in request.POST:
        units = 0
    if basket is None or name not in basket["lines"]:
        return redirect("cart")
    if units is None:
        messages.error(request, f"Type a number between 0 and {MOST_UNITS}.")
        return redirect("cart")
    if basket.get("offer"):
        if units:
            messages.info(request, "The price was agreed for this number of units.")
        else:
            keep(request.session, None)
        return redirect("cart")
    lines = {**basket["lines"], name: units}
    keep(
        request.session,
        Basket(seller=basket["seller"], connection=basket["connection"], lines={k: n for k, n in lines.items() if n}),
    )
    return redirect("cart")
