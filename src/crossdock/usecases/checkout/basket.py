"""A basket priced as of now, in parts: each seller's shop gets what is its own as an order of its own."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
from crossdock.usecases.catalogue.sellable import MOST_UNITS, why_not_sold, why_other_currency, why_paused
from crossdock.usecases.errors import Invalid
from crossdock.usecases.stock.reservations import held_by, left_of, open_holds

_NOT_AGREED = "This is not what was agreed; open your offer and pay from there."


class Basket(TypedDict):
    """`lines` maps a variant's public id to units at the asking price.

    `offers` are the public ids of accepted offers: each is a line of its own, with its units and its price.
    """

    lines: dict[str, int]
    offers: NotRequired[list[str]]


@dataclass(frozen=True, slots=True)
class PricedLine:
    """`available` is None when unknown; `problem` is empty when the line can be bought."""

    variant: Variant
    quantity: int
    unit_price: Money
    total: Money
    available: int | None
    problem: str
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class PricedPart:
    """What one seller's one shop gets as an order; without a connection the listings made by hand.

    `problems` say why it cannot be bought as it is.
    """

    seller: Seller
    connection: Connection | None
    lines: tuple[PricedLine, ...]
    items: Money
    shipping: Money | None
    problems: tuple[str, ...]

    @property
    def total(self) -> Money | None:
        return self.items + self.shipping if self.shipping else None

    @property
    def facts(self) -> list[str]:
        """What must not have changed between the page and the payment."""
        lines = [f"{line.variant.public_id}:{line.quantity}:{line.unit_price.minor}" for line in self.lines]
        return [*lines, self.items.currency, str(self.shipping.minor if self.shipping else "-")]


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """What the buyer is shown.

    `fingerprint` covers prices and quantities: another one means that the page was out of date. `shipping` and `total`
    are None where a part's shipping is not known.
    """

    parts: tuple[PricedPart, ...]
    items: Money
    shipping: Money | None
    total: Money | None
    problems: tuple[str, ...]
    fingerprint: str

    @property
    def lines(self) -> tuple[PricedLine, ...]:
        return tuple(line for part in self.parts for line in part.lines)


@dataclass(frozen=True, slots=True)
class Found:
    """What the database knows of the lines of a basket: one question, however many lines."""

    variants: tuple[Variant, ...]
    held: Mapping[int, int]
    rates: tuple[ShippingRate, ...]


def questions(names: Iterable[str]) -> tuple[Question, ...]:
    """About variants by their public ids, to be asked together; `found_in` reads the answers."""
    wanted = list(names)
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


def found_in(names: Iterable[str], variants: list[Variant], held: Any, rates: list[ShippingRate]) -> Found:
    """In the order of the names; what does not exist is left out."""
    place = {name: number for number, name in enumerate(names)}
    return Found(tuple(sorted(variants, key=lambda variant: place[variant.public_id])), dict(held), tuple(rates))


def shipping_price(*, rates: Sequence[ShippingRate], seller: int, country: str, currency: str) -> Money | None:
    """The seller's flat price; None when they do not ship there in this currency."""
    mine = {rate.country: rate for rate in rates if rate.seller_id == seller and rate.currency == currency}
    rate = mine.get(country) or mine.get("*")
    return Money(rate.price_minor, currency) if rate else None


def ships_to(connection: Connection | None) -> frozenset[str]:
    """The countries that the shop takes in an order, US territories by their own codes: all, unless it named some.

    The connection test and the hourly look fill the setting in.
    """
    named = str(connection.settings.get("countries") or "") if connection else ""
    everywhere = COUNTRIES | US_TERRITORIES
    return frozenset(named.split(",")) & everywhere if named else everywhere


def with_offers(lines: Mapping[str, int], offers: Sequence[str]) -> Basket:
    """Lines among which are the units of these offers. Raises Invalid where they are not what was agreed."""
    if not offers:
        return {"lines": dict(lines)}
    agreed = {offer.variant.public_id: offer.quantity for offer in _offers(offers)}
    if len(agreed) != len(set(offers)) or any(lines.get(name) != units for name, units in agreed.items()):
        raise Invalid(_NOT_AGREED)
    rest = {name: units for name, units in lines.items() if name not in agreed}
    return {"lines": rest, "offers": list(dict.fromkeys(offers))}


def offers_in(basket: Basket) -> dict[str, Offer]:
    """By the public id of what they are about. Raises Invalid for what is no offer."""
    names = basket.get("offers") or []
    found = {offer.variant.public_id: offer for offer in _offers(names)} if names else {}
    if len(found) != len(names):
        raise Invalid(_NOT_AGREED)
    if twice := found.keys() & basket["lines"].keys():
        title = found[next(iter(twice))].variant
        raise Invalid(f"“{title}” is in your cart at the agreed price already. Pay for it first, then buy more.")
    return found


def _offers(names: Sequence[str]) -> QuerySet[Offer]:
    return Offer.objects.select_related("variant__listing").filter(public_id__in=names).order_by("pk")


def _agreed(offer: Offer, variant: Variant, available: int | None, held: bool) -> PricedLine:
    """At the agreed price, or at the asking price when that has fallen below it since.

    The offer's own units are not missing.
    """
    left = available if available is None or not held else available + offer.quantity
    line = _line(variant, offer.quantity, left)
    if why := why_other_currency(offer):
        return PricedLine(variant, offer.quantity, line.unit_price, line.total, left, why, offer)
    price = min(offer.price, line.unit_price)
    problem = line.problem if offer.state == OfferState.ACCEPTED else "This offer is not open for payment any more."
    return PricedLine(variant, offer.quantity, price, price * offer.quantity, left, problem, offer)


def _line(variant: Variant, quantity: int, available: int | None, paused: str = "") -> PricedLine:
    problem = why_not_sold(variant) or paused
    if not problem and available is None:
        problem = "The shop has not confirmed its stock; try again in a few minutes."
    elif not problem and available is not None and available < quantity:
        problem = "This item is sold out." if available == 0 else f"Only {available} left."
    return PricedLine(variant, quantity, variant.price, variant.price * quantity, available, problem)


def variants_in(names: Iterable[str]) -> list[Variant]:
    place = {name: number for number, name in enumerate(names)}
    return sorted(_variants(list(place)), key=lambda variant: place[variant.public_id])


def _variants(names: list[str]) -> QuerySet[Variant]:
    found = Variant.objects.filter(public_id__in=names)
    return found.select_related("listing__seller", "listing__connection", "connection")


def _left(variant: Variant, held: Mapping[int, int], *, now: datetime) -> int | None:
    """Units that may be sold now; None is unknown."""
    row = None if variant.gone else getattr(variant, "stock", None)
    return left_of(row, held.get(variant.pk, 0), now=now)


def priced(
    *,
    basket: Basket,
    country: str | None,
    now: datetime,
    found: Found | None = None,
    kept: Mapping[int, int] | None = None,
) -> PricedBasket:
    """Raises Invalid for a basket that no page could have made (nothing in it, odd quantities, two currencies).
    `found` where it was looked up in this same request; `kept` are units by variant that the buyer holds already.
    """
    offers = offers_in(basket)
    names = [*basket["lines"], *offers]
    found = found or found_in(names, *ask(*questions(names)))
    if not found.variants:
        raise Invalid("Your cart is empty.")
    if any(not 0 < units <= MOST_UNITS for units in basket["lines"].values()):
        raise Invalid(f"Choose between 1 and {MOST_UNITS} units.")
    currencies = sorted({variant.listing.currency for variant in found.variants})
    if len(currencies) > 1:
        raise Invalid(f"One payment is in one currency: pay for what costs {' and '.join(currencies)} one by one.")
    holds = open_holds([offer.variant_id for offer in offers.values()]) if offers else {}
    parts: dict[tuple[int, int | None], list[PricedLine]] = {}
    for variant in found.variants:
        left, offer = _left(variant, found.held, now=now), offers.get(variant.public_id)
        if kept and left is not None:
            left += kept.get(variant.pk, 0)
        if offer is None:
            line = _line(variant, basket["lines"][variant.public_id], left, why_paused(variant))
        else:
            held = any(hold.cause == offer.hold_cause for hold in holds[variant.pk])
            line = _agreed(offer, variant, left, held)
        parts.setdefault((variant.listing.seller_id, variant.listing.connection_id), []).append(line)
    return _together([_part(lines, found.rates, country, alone=len(parts) == 1) for lines in parts.values()], country)


def _part(lines: list[PricedLine], rates: Sequence[ShippingRate], country: str | None, *, alone: bool) -> PricedPart:
    listing = lines[0].variant.listing
    items = sum((line.total for line in lines), Money.zero(listing.currency))
    shipping = None
    if country and country in ships_to(listing.connection):
        to = postal_country(country)
        shipping = shipping_price(rates=rates, seller=listing.seller_id, country=to, currency=listing.currency)
    problems = [f"{line.variant}: {line.problem}" for line in lines if line.problem]
    if country and shipping is None:
        problems.append(f"{'The seller' if alone else listing.seller.name} does not ship to this country.")
    return PricedPart(listing.seller, listing.connection, tuple(lines), items, shipping, tuple(problems))


def _together(parts: Sequence[PricedPart], country: str | None) -> PricedBasket:
    items = sum((part.items for part in parts), Money.zero(parts[0].items.currency))
    known = [part.shipping for part in parts if part.shipping is not None]
    shipping = sum(known, Money.zero(items.currency)) if len(known) == len(parts) else None
    facts = [fact for part in parts for fact in part.facts]
    return PricedBasket(
        tuple(parts),
        items,
        shipping,
        items + shipping if shipping is not None else None,
        tuple(problem for part in parts for problem in part.problems),
        hashlib.sha256("|".join(facts).encode()).hexdigest()[:24],
    )
