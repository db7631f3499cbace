"""Pasted tracking numbers: what would happen with each row, and doing it once.

Another seller's order is an unknown one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from crossdock.domain.orders import ParcelState
from crossdock.domain.pasted import PastedRow
from crossdock.domain.shipping import follow, plain
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Order, Seller, User
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.actions import change_tracking, ship_by_hand
from crossdock.usecases.orders.shippable import why_not_ship
from crossdock.usecases.record.rights import require


class Fate(StrEnum):
    SHIP = "ship"
    ADD = "add"
    DONE = "done"
    SAME = "same"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what becomes of it.

    SHIP and ADD are what would be done, DONE what was; SAME needs nothing, NOT cannot be done.
    """

    row: PastedRow
    fate: Fate
    sentence: str
    order: Order | None = None
    carrier: str = ""

    @property
    def good(self) -> bool:
        return self.fate in (Fate.SHIP, Fate.ADD)


def judge(*, seller: Seller, rows: Sequence[PastedRow]) -> list[Judged]:
    """One answer per row, in their order. Writes nothing."""
    seen: dict[int, PastedRow] = {}
    judged = []
    for row, fits in meant(seller=seller, rows=rows):
        if row.wrong or not fits:
            judged.append(Judged(row, Fate.NOT, row.wrong or "You have no order with this number."))
        elif len(fits) > 1:
            judged.append(Judged(row, Fate.NOT, _two(row, fits)))
        elif (before := seen.get(fits[0].pk)) is not None:
            judged.append(_again(row, before, fits[0]))
        else:
            seen[fits[0].pk] = row
            judged.append(_judged(row, fits[0]))
    return judged


def meant(*, seller: Seller, rows: Sequence[PastedRow]) -> list[tuple[PastedRow, list[Order]]]:
    """Each row with every order that its number can mean."""
    known = _orders(seller, rows)
    return [(row, _fitting(known, row)) for row in rows]


@dataclass(frozen=True, slots=True)
class _Known:
    """Orders by what a file may call them: our number and reference; the shop's number and id, which two shops may
    share.
    """

    here: dict[str, Order]
    there: dict[str, list[Order]]


def _orders(seller: Seller, rows: Iterable[PastedRow]) -> _Known:
    said = {row.order for row in rows if not row.wrong}
    words = {word.lower() for word in said}
    numbers = {int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 18}
    spelt = {spelling for word in said for spelling in (word, word.upper(), word.lower())}
    found = Order.objects.filter(
        Q(number__in=numbers)
        | Q(reference__in=spelt)
        | Q(copy__shop_number__in=spelt | {f"#{word}" for word in spelt})
        | Q(copy__shop_order_id__in=spelt),
        seller=seller,
    )
    here: dict[str, Order] = {}
    there: dict[str, list[Order]] = {}
    for order in found.select_related("seller__owner", "copy").prefetch_related("lines", "shipments"):
        here |= {str(order.number): order, order.reference.lower(): order}
        copy = getattr(order, "copy", None)
        for name in {copy.shop_number.lstrip("#").lower(), copy.shop_order_id.lower()} - {""} if copy else ():
            there.setdefault(name, []).append(order)
    return _Known(here, there)


def _fitting(known: _Known, row: PastedRow) -> list[Order]:
    """Every order that the row's number can mean. A column of the shop's numbers means no number of ours, unless the
    order has none there.
    """
    word = row.order.lower()
    here, there = known.here.get(word), known.there.get(word, [])
    if here is not None and row.of_shop and word == str(here.number):
        copy = getattr(here, "copy", None)
        here = None if there or (copy is not None and copy.shop_number) else here
    return [*there, *([here] if here is not None and here not in there else [])]


def _two(row: PastedRow, fits: Sequence[Order]) -> str:
    """What would be guessed is refused; the reference says which one is meant."""
    which = " or ".join(f"{order.reference} for order {order}" for order in fits)
    return f"{row.order} is the number of two orders, here and in your shop. Write {which}."


def _again(row: PastedRow, before: PastedRow, order: Order) -> Judged:
    if plain(before.tracking) == plain(row.tracking):
        return Judged(row, Fate.SAME, f"The same as line {before.place}.", order)
    return Judged(
        row,
        Fate.NOT,
        f"This order stands in line {before.place} with another number. Enter a second parcel on the order's page.",
        order,
    )


def _judged(row: PastedRow, order: Order) -> Judged:
    parcels = [parcel for parcel in order.shipments.all() if parcel.undone_at is None]
    carrier = follow(row.tracking, named=row.carrier, url="")[0]
    whose = carrier or "a carrier that we don't recognise: name it, or the buyer cannot follow the parcel"
    if order.cancelled_at is not None:
        return Judged(row, Fate.NOT, "The order is cancelled. Do not ship it.", order)
    if any(plain(parcel.tracking_number) == plain(row.tracking) for parcel in parcels):
        return Judged(row, Fate.SAME, "It is shipped with this number already.", order)
    if order.parcels == ParcelState.SHIPPED:
        bare = [parcel for parcel in parcels if not parcel.tracking_number]
        if len(bare) == 1:
            return Judged(
                row, Fate.ADD, f"It was shipped without a number; this one is added, with {whose}.", order, carrier
            )
        others = ", ".join(parcel.tracking_number for parcel in parcels if parcel.tracking_number)
        return Judged(
            row,
            Fate.NOT,
            f"It is shipped with another number already ({others}). Change that on the order's page.",
            order,
        )
    if why := why_not_ship(order):
        return Judged(row, Fate.NOT, why, order)
    rest = "The rest of it ships" if parcels else "It ships"
    return Judged(row, Fate.SHIP, f"{rest} with {whose}.", order, carrier)


def apply(*, seller: Seller, rows: Sequence[PastedRow], token: str, actor: User, now: datetime) -> list[Judged]:
    """Judged again, and the good rows done, each in its own transaction. The same `token` again ships nothing twice."""
    require(actor, seller, duty=Duty.ORDERS)
    return [_done(one, token, actor, now) if one.good else one for one in judge(seller=seller, rows=rows)]


def _done(one: Judged, token: str, actor: User, now: datetime) -> Judged:
    order, row = one.order, one.row
    assert order is not None, "what is good has an order"
    try:
        if one.fate is Fate.ADD:
            bare = order.shipments.filter(undone_at=None, tracking_number="").first()
            if bare is None:
                return replace(one, fate=Fate.NOT, sentence="It changed in the meantime. Look at the order.")
            change_tracking(shipment=bare, tracking=row.tracking, carrier=row.carrier, actor=actor, now=now)
            return replace(one, fate=Fate.DONE, sentence="The number is added, and the buyer is told.")
        ship_by_hand(
            order=order,
            lines=None,
            tracking=row.tracking,
            carrier=row.carrier,
            actor=actor,
            now=now,
            key=f"{token}-{order.pk}",
        )
    except Problem as problem:
        return replace(one, fate=Fate.NOT, sentence=str(problem))
    return replace(one, fate=Fate.DONE, sentence="Shipped, and the buyer is told.")
