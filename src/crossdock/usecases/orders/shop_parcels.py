"""What a fresh snapshot of the shop's order says of parcels. One parcel is one on both sides: what was entered here and
is then found in the shop is bound to it, and told once.

Everything here runs under the order's lock, which the caller holds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from crossdock.domain.events import Parcel
from crossdock.domain.orders import OrderEvent, OrderShipped, ParcelRepacked, ParcelUndone, TrackingChanged
from crossdock.domain.parcels import Bond, Ours, Standing, Told, dealt, twin
from crossdock.domain.shipping import follow, plain
from crossdock.store.models import Fulfilment, Order, Shipment
from crossdock.usecases.orders.parcel_alerts import ask_about_parcels
from crossdock.usecases.orders.parcels import (
    Units,
    add_units,
    announce,
    enter,
    remember,
    renumber,
    set_parcels,
    take_out,
    told_of,
    undo_shipment,
    words_of,
)
from crossdock.usecases.orders.shop_lines import ours_of
from crossdock.usecases.record.telling import Telling


def known_parcels(order: Order) -> dict[str, Told | None]:
    """Every parcel of the shop that was ever seen; None for those that were undone."""
    known: dict[str, Told | None] = {}
    for shipment in order.shipments.order_by("undone_at"):
        for parcel_id, told in told_of(shipment).items():
            known[parcel_id] = None if shipment.undone_at else told
    return known


def take_parcels(*, order: Order, bonds: Sequence[Bond], news: Sequence[OrderEvent], told: Telling) -> None:
    """What a fresh snapshot says of parcels, together: of two that are one, the order in which they stand there does
    not matter.
    """
    gone = {event.parcel_id for event in news if isinstance(event, ParcelUndone)}
    fresh = [event.parcel for event in news if isinstance(event, OrderShipped)]
    fresh = [parcel for parcel in fresh if not _same_here(order, parcel, bonds, gone, told=told)]
    for parcel_id in sorted(gone):
        _gone_there(order, parcel_id, told=told)
    _shipped_there(order, fresh, bonds, told=told)
    for event in news:
        match event:
            case ParcelRepacked(parcel):
                _repacked(order, _holding(order, parcel.parcel_id), parcel, bonds, told=told)
            case TrackingChanged(parcel):
                _renumbered(order, _holding(order, parcel.parcel_id), parcel, told=told)


def _holding(order: Order, parcel_id: str) -> Shipment:
    return next(s for s in order.shipments.filter(undone_at=None) if parcel_id in s.there)


def _same_here(order: Order, parcel: Parcel, bonds: Sequence[Bond], gone: set[str], *, told: Telling) -> bool:
    """Whether a parcel here is the one that was just found in the shop; then it is bound to it."""
    ours, lines = ours_of(order), {line.pk: line for line in order.lines.all()}
    new = dealt(parcel.lines, bonds, ours)
    named = dealt(parcel.lines, bonds, [_unshipped(one) for one in ours]) if parcel.lines else {}
    rows = {shipment.pk: shipment for shipment in order.shipments.filter(undone_at=None)}
    standing = [
        Standing(row.pk, row.tracking_number, _units_of(row), frozenset(row.there) - gone) for row in rows.values()
    ]
    key = twin(parcel, standing, named=named, new=new)
    if key is None:
        return False
    shipment = rows[key]
    for row in order.shipments.exclude(pk=key):
        if parcel.parcel_id in row.there:
            row.there.pop(parcel.parcel_id)
            row.save(update_fields=["there"])
    ended = gone & set(shipment.there)
    gone -= ended
    shipment.there = {id_: told for id_, told in shipment.there.items() if id_ not in ended}
    remember(shipment, parcel)
    shipment.save(update_fields=["there"])
    held = _units_of(shipment)
    more = {lines[key]: min(n, new.get(key, 0)) for key, units in named.items() if (n := units - held.get(key, 0)) > 0}
    more = {line: n for line, n in more.items() if n > 0}
    if more:
        add_units(shipment, more)
        _holds_now(order, shipment, source="shop", told=told)
    _show(order, shipment, parcel, told=told)
    return True


def _unshipped(one: Ours) -> Ours:
    return replace(one, left=one.units)


def _units_of(shipment: Shipment) -> dict[int, int]:
    units = Counter[int]()
    for part in shipment.lines.all():
        units[part.line_id] += part.quantity
    return dict(units)


def _show(order: Order, shipment: Shipment, parcel: Parcel, *, told: Telling) -> None:
    """What the shop says now is shown. What it leaves out of a parcel that was entered here stays as it is, and what
    it adds by itself to one that we wrote there (a link) is no news.
    """
    number, carrier, url, quiet = parcel.tracking_number, parcel.carrier, parcel.tracking_url, False
    if shipment.source != "shop" and (not number or plain(number) == plain(shipment.tracking_number)):
        number = shipment.tracking_number
        carrier = follow(number, named=carrier, url="")[0] or shipment.carrier
        url = url or (shipment.tracking_url if carrier == shipment.carrier else "")
        written = Fulfilment.objects.filter(shipment=shipment, sent_at__isnull=False, equal_at=None)
        quiet = written.exists()
    renumber(
        order=order,
        shipment=shipment,
        tracking=number,
        carrier=carrier,
        url=url,
        source="shop",
        told=told,
        quiet=quiet,
    )


def _gone_there(order: Order, parcel_id: str, *, told: Telling) -> None:
    shipment = _holding(order, parcel_id)
    there = told_of(shipment)
    alone = set(there) == {parcel_id}
    if alone and (shipment.source == "shop" or there[parcel_id].number):
        undo_shipment(
            order=order,
            parcel_id=shipment.parcel_id,
            source="shop",
            sentence="The shop took a shipment back.",
            told=told,
        )
        return
    # Another fulfilment there is this parcel as well; or it left from here, and the shop never named its number.
    shipment.there = {id_: value for id_, value in shipment.there.items() if id_ != parcel_id}
    shipment.save(update_fields=["there"])


def _shipped_there(order: Order, parcels: Sequence[Parcel], bonds: Sequence[Bond], *, told: Telling) -> None:
    if not parcels:
        return
    made: list[tuple[Shipment, Units]] = []
    ours = ours_of(order)
    # A number alone is one more of what was sent; where nothing was, nobody is told of it.
    sent = any(dealt(parcel.lines, bonds, ours) for parcel in parcels) or any(one.left < one.units for one in ours)
    for parcel in sorted(parcels, key=lambda each: not dealt(each.lines, bonds, ours)):
        lines = {line.pk: line for line in order.lines.all()}
        units = {lines[key]: n for key, n in dealt(parcel.lines, bonds, ours_of(order)).items()}
        # Neither units nor a number: nothing that anybody could be told.
        if units or (sent and parcel.tracking_number):
            made.append((enter(order, parcel, units, source="shop", told=told), units))
    if made:
        announce(order, made, told=told)


def _renumbered(order: Order, shipment: Shipment, parcel: Parcel, *, told: Telling) -> None:
    remember(shipment, parcel)
    shipment.save(update_fields=["there"])
    _show(order, shipment, parcel, told=told)


def _repacked(order: Order, shipment: Shipment, parcel: Parcel, bonds: Sequence[Bond], *, told: Telling) -> None:
    """The seller corrected what is in it."""
    remember(shipment, parcel)
    shipment.save(update_fields=["there"])
    named = [told.lines for told in told_of(shipment).values()]
    if not all(named):
        return
    before = take_out(shipment)
    lines = {line.pk: line for line in order.lines.all()}
    units = dealt([pair for lines_there in named for pair in lines_there or ()], bonds, ours_of(order))
    add_units(shipment, {lines[key]: n for key, n in units.items()})
    if units != before:
        _holds_now(order, shipment, source="shop", told=told)


def _holds_now(order: Order, shipment: Shipment, *, source: str, told: Telling) -> None:
    set_parcels(order)
    ask_about_parcels(order=order, told=told)
    units = {part.line: part.quantity for part in shipment.lines.select_related("line")}
    name = f"The parcel {shipment.tracking_number}" if shipment.tracking_number else "A parcel"
    told.tell(
        order=order,
        source=source,
        kind="tracking",
        public=True,
        sentence=f"{name} holds {words_of(units) or 'nothing'} now.",
    )
