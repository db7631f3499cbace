"""A basket priced as of now: lines of one seller's one shop, because each order lands in one shop."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from django.db.models import QuerySet

from crossdock.domain.offers import OfferState
from crossdock.domain.places import COUNTRIES, US_TERRITORIES, postal_country
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Listing, Offer, Reservation, Seller, ShippingRate, Variant
from crossdock.store.plans import prepared
from crossdock.store.together import Question, ask
from crossdock.usecases.catalogue.sellable import MOST_UNITS, why_not_sold, why_other_currency
from crossdock.usecases.errors import Invalid
from crossdock.usecases.stock.reservations import held_by, left_of, open_holds


class Basket(TypedDict):
    """`lines` maps a variant's public id to units.

    `offer` is the public id of the accepted offer that is being paid: its one line, its price.
    """

    seller: int
    connection: int | None
    lines: dict[str, int]
    offer: NotRequired[str]


@dataclass(frozen=True, slots=True)
class PricedLine:
    """`available` is None when unknown; `problem` is empty when the line can be bought."""

    variant: Variant
    quantity: int
    unit_price: Money
    total: Money
    available: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """What the buyer is shown.

    `fingerprint` covers prices and quantities: another one means that the page was out of date.
    """

    seller: Seller
    lines: tuple[PricedLine, ...]
    items: Money
    shipping: Money | None
    total: Money | None
    problems: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the database knows of the lines of a basket: one question, however many lines."""

    variants: tuple[Variant, ...]
    held: Mapping[int, int]
    rates: tuple[ShippingRate, ...]


def questions(lines: Mapping[str, int]) -> tuple[Question, ...]:
    """To be asked together; `found_in` reads the answers."""
    wanted = list(lines)
    return _with_stock(wanted), _held(wanted), _rates(wanted)


@prepared
def _with_stock(names: list[str]) -> QuerySet[Variant]:
    return _variants(names).select_related("stock")


@prepared
def _held(names: list[str]) -> QuerySet[Any]:
    return held_by(Reservation.objects.filter(variant__public_id__in=names))


@prepared
def _rates(names: list[str]) -> QuerySet[ShippingRate]:
    sellers = Listing.objects.filter(variants__public_id__in=names).values("seller_id")
    return ShippingRate.objects.filter(seller__in=sellers)


def found_in(lines: Mapping[str, int], variants: list[Variant], held: Any, rates: list[ShippingRate]) -> Found:
    """In the order of the lines; what does not exist is left out."""
    wanted = list(lines)
    return Found(tuple(sorted(variants, key=lambda variant: wanted.index(variant.public_id))), dict(held), tuple(rates))


def shipping_price(*, rates: Sequence[ShippingRate], country: str, currency: str) -> Money | None:
    """The seller's flat price; None when they do not ship there in this currency."""
    mine = {rate.country: rate for rate in rates if rate.currency == currency}
    rate = mine.get(country) or mine.get("*")
    return Money(rate.price_minor, currency) if rate else None


def ships_to(connection: Connection | None) -> frozenset[str]:
    """The countries that the shop takes in an order, US territories by their own codes: all, unless it named some.

    The connection test and the hourly look fill the setting in.
    """
    named = str(connection.settings.get("countries") or "") if connection else ""
    everywhere = COUNTRIES | US_TERRITORIES
    return frozenset(named.split(",")) & everywhere if named else everywhere


def offer_in(basket: Basket) -> Offer | None:
    """Raises Invalid for a basket that says it pays an offer and holds something else."""
    name = basket.get("offer")
    if not name:
        return None
    offer = Offer.objects.select_related("variant__listing").filter(public_id=name).first()
    if offer is None or basket["lines"] != {offer.variant.public_id: offer.quantity}:
        raise Invalid("This is not what was agreed; open your offer and pay from there.")
    return offer


def _agreed(offer: Offer, available: int | None, held: bool) -> PricedLine:
    """At the agreed price, or at the asking price when that has fallen below it since.

    The offer's own units are not missing.
    """
    left = available if available is None or not held else available + offer.quantity
    line = _line(offer.variant, offer.quantity, left)
    if why := why_other_currency(offer):
        return PricedLine(offer.variant, offer.quantity, line.unit_price, line.total, left, why)
    price = min(offer.price, line.unit_price)
    problem = line.problem if offer.state == OfferState.ACCEPTED else "This offer is not open for payment any more."
    return PricedLine(offer.variant, offer.quantity, price, price * offer.quantity, left, problem)


def _line(variant: Variant, quantity: int, available: int | None) -> PricedLine:
    problem = why_not_sold(variant)
    if not problem and available is None:
        problem = "The shop has not confirmed its stock; try again in a few minutes."
    elif not problem and available is not None and available < quantity:
        problem = "This item is sold out." if available == 0 else f"Only {available} left."
    return PricedLine(variant, quantity, variant.price, variant.price * quantity, available, problem)


def variants_in(lines: Mapping[str, int]) -> list[Variant]:
    return sorted(_variants(list(lines)), key=lambda variant: list(lines).index(variant.public_id))


def _variants(names: list[str]) -> QuerySet[Variant]:
    found = Variant.objects.filter(public_id__in=names)
    return found.select_related("listing__seller", "listing__connection", "connection")


def _left(variant: Variant, held: Mapping[int, int], *, now: datetime) -> int | None:
    """Units that may be sold now; None is unknown."""
    row = None if variant.gone else getattr(variant, "stock", None)
    return left_of(row, held.get(variant.pk, 0), now=now)


def priced(*, basket: Basket, country: str | None, now: datetime, found: Found | None = None) -> PricedBasket:
    """Raises Invalid for a basket that no page could have made (mixed shops, nothing in it, odd quantities). `found`
    where it was looked up in this same request.
    """
    found = found or found_in(basket["lines"], *ask(*questions(basket["lines"])))
    variants = found.variants
    if not variants:
        raise Invalid("Your cart is empty.")
    if any(not 0 < basket["lines"][variant.public_id] <= MOST_UNITS for variant in variants):
        raise Invalid(f"Choose between 1 and {MOST_UNITS} units.")
    first = variants[0].listing
    if any(
        (v.listing.seller_id, v.listing.connection_id, v.listing.currency)
        != (first.seller_id, first.connection_id, first.currency)
        for v in variants
    ):
        raise Invalid("A cart holds items of one seller's shop; finish this one first.")
    stock = {variant.pk: _left(variant, found.held, now=now) for variant in variants}
    offer = offer_in(basket)
    if offer is None:
        lines = tuple(_line(variant, basket["lines"][variant.public_id], stock[variant.pk]) for variant in variants)
    else:
        held = open_holds([offer.variant_id])[offer.variant_id]
        lines = (_agreed(offer, stock[offer.variant_id], any(hold.cause == offer.hold_cause for hold in held)),)
    items = sum((line.total for line in lines), Money.zero(first.currency))
    taken = country is None or country in ships_to(first.connection)
    country = postal_country(country) if country else None
    shipping = (
        shipping_price(rates=found.rates, country=country, currency=first.currency) if country and taken else None
    )
    problems = [f"{line.variant}: {line.problem}" for line in lines if line.problem]
    if country and shipping is None:
        problems.append("The seller does not ship to this country.")
    facts = [f"{line.variant.public_id}:{line.quantity}:{line.unit_price.minor}" for line in lines]
    fingerprint = hashlib.sha256(
        "|".join([*facts, first.currency, str(shipping.minor if shipping else "-")]).encode()
    ).hexdigest()[:24]
    return PricedBasket(
        first.seller, lines, items, shipping, items + shipping if shipping else None, tuple(problems), fingerprint
    )
