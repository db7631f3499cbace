"""A unit with a certificate of its own is sold once, in whichever shop it is listed: while somebody pays for it, it is
not sold in the seller's other shops; once it is paid, every other listing of it ends, whoever's it is.

Carts without such a unit ask nothing more for it.
"""

from collections.abc import Iterable, Mapping, Sequence

from crossdock.domain.alerts import AlertCode
from crossdock.domain.goods import certificate, same_unit
from crossdock.domain.stock import HoldState
from crossdock.store.models import Order, PaymentIntent, Reservation, Variant, VariantStock
from crossdock.usecases.checkout.basket import PricedLine
from crossdock.usecases.checkout.parts import Part
from crossdock.usecases.errors import Stale
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.linked import is_one_of_a_kind, same_units
from crossdock.usecases.stock.reservations import locked, record

_OTHERS = "others"


def same_units_of(lines: Iterable[PricedLine]) -> dict[int, Variant]:
    """What else is the same unit as one of these lines, in anybody's listings, by variant: it is locked with them."""
    single = [line.variant for line in lines if is_one_of_a_kind(line.variant)]
    found = same_units(single, seller_only=False) if single else {}
    return {other.pk: other for some in found.values() for other in some}


def noted(beside: Mapping[int, Variant]) -> dict[str, list[int]]:
    """As the intent keeps it, so that all are locked in one order when it is paid."""
    return {_OTHERS: sorted(beside)} if beside else {}


def others_of(intent: PaymentIntent) -> list[int]:
    return list(intent.basket.get(_OTHERS, []))


def not_twice(lines: Sequence[PricedLine], beside: Mapping[int, Variant], held: Mapping[int, int]) -> None:
    """Under their locks. Raises Stale where another listing of the same seller has sold the unit just now. What another
    seller's buyer holds keeps nobody away, since anybody can type a number.
    """
    mine, sellers = {line.variant.pk for line in lines}, {line.variant.listing.seller_id for line in lines}
    for pk, variant in beside.items():
        if pk in mine:
            raise Stale(f"“{variant}” is in your cart twice, in two listings: there is one of it only. Take one out.")
        if held.get(pk) and variant.listing.seller_id in sellers:
            raise Stale(f"“{variant}” was just sold in another listing: there is one of it only.")


def not_meanwhile(intent: PaymentIntent, part: Part) -> None:
    """Raises Stale where the hold ran out before the payment came and another listing has sold the unit since."""
    others = Reservation.objects.filter(variant__in=others_of(intent), variant__listing__seller=part.seller)
    if others_of(intent) and others.exclude(state=HoldState.ENDED).exists():
        raise Stale("It was just sold in another listing: there is one of it only.")


def end_elsewhere(
    *, intent: PaymentIntent, sold: Mapping[int, Variant], orders: Sequence[Order], told: Telling
) -> None:
    """In the transaction of the orders, where all these rows are locked. `sold` by variant."""
    single = [variant for variant in sold.values() if is_one_of_a_kind(variant)]
    if not single:
        return
    by_seller = {order.seller_id: order for order in orders}
    for pk, row in locked(others_of(intent), "variant__listing__seller").items():
        for variant in single:
            if pk not in sold and same_unit(variant.facts, row.variant.facts):
                _end(row, variant, by_seller[variant.listing.seller_id], told=told)


def _end(row: VariantStock, sold: Variant, order: Order, *, told: Telling) -> None:
    other, number = row.variant, certificate(sold.facts)[0]
    place = other.connection.name if other.connection else "your listings made by hand"
    if other.listing.seller_id == order.seller_id:
        where = sold.connection.name if sold.connection else "a listing made by hand"
        why = f"Sold as order #{order.number}"
        sentence = (
            f"“{other}”, certificate {number}, was sold from {where} as order #{order.number}. Its listing from"
            f" {place} ended here at once. Take it off there as well, so that nobody buys it there."
        )
    else:
        why = "Another seller sold this certificate"
        sentence = (
            f"Another seller sold a unit with the certificate {number}, which “{other}” from {place} names as well. It"
            " is not sold here until you have looked at yours and confirmed its count."
        )
    row.aside_why = why
    row.save(update_fields=["aside_why"])
    record(variant_id=row.pk, now=told.now, kind="set_aside", cause=why.lower())
    told.raise_alert(
        code=AlertCode.SOLD_ELSEWHERE,
        seller=other.listing.seller,
        listing=other.listing,
        connection=other.connection,
        key=f"variant:{row.pk}",
        evidence={"certificate": number, "variant": other.public_id},
        sentence=sentence,
    )
