"""Parcels, whoever said that they left: by hand, with a label, or in the shop (shop_parcels.py). The order's page, the
buyer's mail and timeline, and what is left to ship follow from them.

Everything here runs under the order's lock, which the caller holds.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import Parcel
from crossdock.domain.mails import orders as mails
from crossdock.domain.mails.words import Fact, Joined, Words, lines, paragraphs
from crossdock.domain.orders import (
    ParcelState,
    parcel_state,
)
from crossdock.domain.parcels import LONGEST_NUMBER, Told
from crossdock.domain.requests.cancels import CancelDeed
from crossdock.domain.shipping import follow
from crossdock.store.models import Order, OrderLine, Shipment, ShipmentLine
from crossdock.usecases.orders.asked import close_request
from crossdock.usecases.orders.parcel_alerts import ask_about_parcels
from crossdock.usecases.record.telling import Telling

TOLD: TypeAdapter[dict[str, Told]] = TypeAdapter(dict[str, Told])
Units = Mapping[OrderLine, int]


def ship(
    *,
    order: Order,
    parcel_id: str,
    source: str,
    units: Units,
    tracking: str,
    carrier: str,
    url: str,
    shipped_at: datetime,
    told: Telling,
) -> Shipment:
    """A parcel left. One that was undone before comes back under its id."""
    parcel = Parcel(parcel_id, (), tracking, carrier, url, shipped_at)
    shipment = enter(order, parcel, units, source=source, told=told)
    announce(order, [(shipment, units)], told=told)
    return shipment


def enter(order: Order, parcel: Parcel, units: Units, *, source: str, told: Telling) -> Shipment:
    carrier, url = follow(parcel.tracking_number, named=parcel.carrier, url=parcel.tracking_url)
    before = next((s for s in order.shipments.all() if parcel.parcel_id in (s.parcel_id, *s.there)), None)
    shipment = before or Shipment(order=order, parcel_id=parcel.parcel_id or uuid.uuid4().hex, heard_at=told.now)
    # Times count from it, so no shop's word makes it earlier than the order.
    left_at = max(parcel.shipped_at or told.now, order.placed_at)
    shipment.source, shipment.undone_at, shipment.shipped_at = source, None, left_at
    shipment.tracking_number = parcel.tracking_number[:LONGEST_NUMBER]
    shipment.carrier, shipment.tracking_url = carrier[:80], url
    if source == "shop":
        remember(shipment, parcel)
    shipment.save()
    add_units(shipment, units)
    set_parcels(order)
    number = numbered(shipment) or "no tracking number"
    told.tell(
        order=order,
        source=source,
        kind="shipped" if units else "tracking",
        public=True,
        sentence=f"Shipped: {number}." if units else f"One more tracking number: {number}.",
        evidence={"parcel": parcel.parcel_id},
    )
    if units:
        close_request(order=order, deed=CancelDeed.SHIP, actor=None, told=told)
    return shipment


def remember(shipment: Shipment, parcel: Parcel) -> None:
    """What the shop says of it now; the caller saves."""
    shipment.there = TOLD.dump_python(told_of(shipment) | {parcel.parcel_id: Told.of(parcel)}, mode="json")


def told_of(shipment: Shipment) -> dict[str, Told]:
    """The fulfilments in the shop that are this parcel, by their id, as they were last read."""
    return TOLD.validate_python(shipment.there)


def numbered(shipment: Shipment) -> str:
    """ "UPS 1Z..." as people read it; empty without a number."""
    number = shipment.tracking_number
    return f"{shipment.carrier} {number}".strip() if number else ""


def add_units(shipment: Shipment, units: Units) -> None:
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=shipment, line=line, quantity=n) for line, n in units.items()
    )
    for line, n in units.items():
        line.shipped += n
        line.save(update_fields=["shipped"])


def announce(order: Order, made: Sequence[tuple[Shipment, Units]], *, told: Telling) -> None:
    """What follows from parcels that left together. A parcel without units has only a number to tell: it goes into the
    mail of the one before it.
    """
    ask_about_parcels(order=order, told=told)
    if order.parcels == ParcelState.SHIPPED:
        told.settle_by_fact(how="The order was shipped.", codes=(AlertCode.HIGH_RISK,), order=order)
    together: list[tuple[Shipment, Units, list[Shipment]]] = []
    for shipment, units in made:
        if units or not together:
            together.append((shipment, units, []))
        else:
            together[-1][2].append(shipment)
    for shipment, units, more in together:
        _mail_shipped(order, shipment, units, more, told=told)


def _mail_shipped(order: Order, shipment: Shipment, units: Units, more: Sequence[Shipment], *, told: Telling) -> None:
    numbers = lines(*(tracked_by(numbered(each), each.tracking_url) for each in (shipment, *more)))
    if not units:
        if shipment.tracking_number:
            _mail_number(order, shipment, paragraphs(mails.ONE_MORE_NUMBER, numbers), told=told)
        return
    told.write_letter(
        cause=f"shipped:{order.reference}:{shipment.pk}",
        order=order,
        letter=mails.SHIPPED.letter(
            number=order.number, seller=order.seller.name, what=words_of(units), tracking=numbers
        ),
    )


def tracked_by(number: str, link: str) -> Joined:
    """A parcel's number, and below it where it can be followed."""
    return lines(mails.TRACKED_BY.of(number=number or mails.NO_NUMBER), link)


def words_of(units: Units) -> str:
    return ", ".join(f"{n} × {line.title}" for line, n in units.items())


def _mail_number(order: Order, shipment: Shipment, news: Fact, *, told: Telling) -> None:
    """Once for what the buyer can read: number, carrier and link."""
    shown = "\n".join((shipment.tracking_number, shipment.carrier, shipment.tracking_url))
    digest = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    told.write_letter(
        cause=f"tracking:{order.reference}:{shipment.pk}:{digest}",
        order=order,
        letter=mails.TRACKING.letter(number=order.number, news=news),
    )


def set_parcels(order: Order) -> None:
    """The parcels axis, from the lines as they are now."""
    lines = list(order.lines.all())
    order.parcels = parcel_state(
        [line.kept for line in lines], [line.shipped for line in lines], cancelled=order.cancelled_at is not None
    )
    order.save(update_fields=["parcels"])


def renumber(
    *,
    order: Order,
    shipment: Shipment,
    tracking: str,
    carrier: str,
    url: str,
    source: str,
    told: Telling,
    quiet: bool = False,
) -> None:
    """The same parcel has another number, carrier or link; the buyer is told once what is new, unless it is `quiet`."""
    before = (shipment.tracking_number, shipment.carrier, shipment.tracking_url)
    number = tracking[:LONGEST_NUMBER]
    named, link = follow(tracking, named=carrier, url=url)
    shipment.tracking_number, shipment.carrier, shipment.tracking_url = number, named[:80], link
    shipment.save(update_fields=["tracking_number", "carrier", "tracking_url"])
    ask_about_parcels(order=order, told=told)
    if quiet or before == (shipment.tracking_number, shipment.carrier, shipment.tracking_url):
        return
    words = _news_of(shipment, before[0])
    told.tell(order=order, source=source, kind="tracking", sentence=str(words), public=True)
    if number:
        link = f"{shipment.carrier} {shipment.tracking_url}".rstrip()
        _mail_number(order, shipment, lines(words, link), told=told)


def _news_of(shipment: Shipment, before: str) -> Words:
    number = shipment.tracking_number
    if number == before:
        return mails.NUMBER_NOW.of(number=numbered(shipment) or mails.NO_NUMBER)
    if not number:
        return mails.NUMBER_TAKEN_BACK.of(before=before)
    if before:
        return mails.NUMBER_CHANGED.of(before=before, number=number)
    return mails.NUMBER_GIVEN.of(number=number)


def undo_shipment(*, order: Order, parcel_id: str, source: str, sentence: str, told: Telling) -> None:
    """A parcel did not leave after all. The caller looks after the count of an own listing."""
    shipment = order.shipments.get(parcel_id=parcel_id)
    shipment.undone_at = told.now
    shipment.save(update_fields=["undone_at"])
    take_out(shipment)
    ask_about_parcels(order=order, told=told)
    set_parcels(order)
    told.tell(order=order, source=source, kind="unshipped", sentence=sentence, public=True)


def take_out(shipment: Shipment) -> Counter[int]:
    """Its units, which nobody has shipped any more."""
    units = Counter[int]()
    for part in shipment.lines.select_related("line"):
        units[part.line_id] += part.quantity
        part.line.shipped = max(0, part.line.shipped - part.quantity)
        part.line.save(update_fields=["shipped"])
    shipment.lines.all().delete()
    return units
