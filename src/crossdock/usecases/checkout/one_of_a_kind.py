"""A unit with a certificate of its own is sold once, in whichever shop it is listed: while somebody pays for it, it is
not sold in the seller's other shops; once it is paid, every other listing of it ends, whoever's it is.

Carts without such a unit ask nothing more for it.
"""

from collections.abc import Iterable, Mapping, Sequence

from crossdock.domain.goods import same_unit
from crossdock.domain.mails.orders import SOLD_ELSEWHERE
from crossdock.domain.stock import HoldState
from crossdock.store.models import Order, PaymentIntent, Reservation, Variant
from crossdock.usecases.checkout.basket import PricedLine
from crossdock.usecases.checkout.parts import Part, parts_of, units_of
from crossdock.usecases.errors import Stale
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import locked
from crossdock.usecases.stock.single_units import end_listing, is_one_of_a_kind, same_units

_OTHERS = "others"


def same_units_of(lines: Iterable[PricedLine]) -> dict[int, Variant]:
    """What else is the same unit as one of these lines, in anybody's listings, by variant: it is locked with them."""
    single = [line.variant for line in lines if is_one_of_a_kind(line.variant)]
    found = same_units(single, seller_only=False) if single else {}
    return {other.pk: other for some in found.values() for other in some}


class Appeared(Exception):
    """Another listing of the unit was imported after it was looked for and before its rows were locked. Begin again."""


def noted(lines: Iterable[PricedLine], beside: Mapping[int, Variant]) -> dict[str, list[int]]:
    """As the intent keeps it, so that all are locked in one order when it is paid; nothing where no line is one of a
    kind.
    """
    return {_OTHERS: sorted(beside)} if any(is_one_of_a_kind(line.variant) for line in lines) else {}


def others_of(intent: PaymentIntent) -> list[int]:
    return list(intent.basket.get(_OTHERS, []))


def look_again(intent: PaymentIntent) -> None:
    """What is the same unit by now: a listing may have come since the checkout began. Before the rows are locked."""
    if _OTHERS in intent.basket:
        intent.basket[_OTHERS] = sorted({*others_of(intent), *_by_now(intent)})


def none_appeared(intent: PaymentIntent) -> None:
    """Under the locks, for which an import that brings one more waits. Raises Appeared."""
    if _OTHERS in intent.basket and not _by_now(intent) <= {*others_of(intent)}:
        raise Appeared


def _by_now(intent: PaymentIntent) -> set[int]:
    lines = Variant.objects.filter(pk__in=units_of(parts_of(intent))).select_related("listing")
    single = [variant for variant in lines if is_one_of_a_kind(variant)]
    found = same_units(single, seller_only=False) if single else {}
    return {other.pk for some in found.values() for other in some}


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
        raise Stale(SOLD_ELSEWHERE)


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
                end_listing(row, variant, by_seller[variant.listing.seller_id], told=told)
