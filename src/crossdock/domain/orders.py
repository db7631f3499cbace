"""An order on three axes (money, parcels, the shop's copy), and what a fresh look at the shop's copy means for it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from crossdock.domain.commands import CreateOrder, Done
from crossdock.domain.events import Parcel, Refund, ShopOrder, ShopOrderState
from crossdock.domain.parcels import Told, one_number_each


class MoneyState(StrEnum):
    PAID = "paid"
    PARTLY_CREDITED = "partly_credited"
    CREDITED = "credited"


class ParcelState(StrEnum):
    UNSHIPPED = "unshipped"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class CopyState(StrEnum):
    """The order-landed guarantee: intended -> sent -> acknowledged -> equal. The others say what stands in the way."""

    NONE = "none"
    INTENDED = "intended"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    EQUAL = "equal"
    DIFFERS = "differs"
    REFUSED = "refused"
    MISSING = "missing"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the shop's copy is not what was placed here."""

    what: str
    here: str
    there: str

    @property
    def sentence(self) -> str:
        return f"{self.what}: {self.here} here, {self.there} in the shop"


def as_found(seen: ShopOrder) -> Done:
    """An order of ours that an earlier try made, as it was read just now."""
    return Done(seen.shop_id, seen.number, seen.url, stock_taken=seen.stock_taken, already=True)


def differences(
    command: CreateOrder, copy: ShopOrder, *, at_our_price: bool, articles: Mapping[str, str] | None = None
) -> tuple[Difference, ...]:
    """Lines and quantities must be equal always; the total only where the platform takes our price.

    `articles` says which variant was sold in a line there, whatever the shop says of it now.
    """
    here = Counter[str]()
    names: dict[str, str] = {}
    for line in command.lines:
        here[line.variant_id] += line.quantity
        names[line.variant_id] = line.sku or line.title
    there = Counter[str]()
    for seen in copy.lines:
        variant = (articles or {}).get(seen.line_id, seen.variant_id)
        there[variant] += seen.quantity
        names.setdefault(variant, seen.sku or variant or "a product that was deleted")
    found = [
        Difference(f"Units of {names[variant]}", str(here[variant]), str(there[variant]))
        for variant in sorted(here.keys() | there.keys())
        if here[variant] != there[variant]
    ]
    if at_our_price and command.total != copy.total:
        found.append(Difference("Total", f"{command.total.words}", f"{copy.total.words}"))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class OrderCancelledThere:
    note: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class OrderReopenedThere:
    """It was cancelled there, and is seen open: either somebody opened it again, or the snapshot is an old one."""


@dataclass(frozen=True, slots=True)
class OrderShipped:
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class TrackingChanged:
    """Its number, its carrier or its link is another one than before."""

    parcel: Parcel


@dataclass(frozen=True, slots=True)
class ParcelRepacked:
    """The same parcel holds other units than before."""

    parcel: Parcel


@dataclass(frozen=True, slots=True)
class ParcelUndone:
    parcel_id: str


@dataclass(frozen=True, slots=True)
class RefundSeen:
    refund: Refund


ParcelEvent = OrderShipped | TrackingChanged | ParcelRepacked | ParcelUndone
OrderEvent = OrderCancelledThere | OrderReopenedThere | ParcelEvent | RefundSeen


@dataclass(frozen=True, slots=True)
class Known:
    """What this side already knows of the copy: parcels by their id there, as they were last read (None when undone);
    refund ids; whether it is cancelled there.
    """

    parcels: Mapping[str, Told | None]
    refunds: frozenset[str]
    cancelled: bool


def news(known: Known, copy: ShopOrder) -> tuple[OrderEvent, ...]:
    """What is new in a fresh snapshot.

    Deciding by differences makes deliveries doubled, late or out of order harmless.
    """
    parcels = one_number_each(copy.parcels)
    there = {parcel.parcel_id: parcel for parcel in parcels}
    # What was taken back first: its units may be in another parcel of the same snapshot.
    events: list[OrderEvent] = [
        ParcelUndone(id_)
        for id_, told in known.parcels.items()
        if told is not None and (there[id_].cancelled if id_ in there else copy.state is not ShopOrderState.GONE)
    ]
    for parcel in parcels:
        before = known.parcels.get(parcel.parcel_id)
        if parcel.cancelled:
            continue
        if before is None:
            events.append(OrderShipped(parcel))
            continue
        now = Told.of(parcel)
        if before.lines is not None and now.lines and before.lines != now.lines:
            events.append(ParcelRepacked(parcel))
        if (before.number, before.carrier, before.url) != (now.number, now.carrier, now.url):
            events.append(TrackingChanged(parcel))
    # One of 0.00 only put units back. One with a key is the trace of units that we took out ourselves, whether or not
    # its answer ever reached us.
    events += [
        RefundSeen(refund)
        for refund in {refund.refund_id: refund for refund in copy.refunds}.values()
        if refund.refund_id not in known.refunds and not refund.key and refund.amount.minor > 0
    ]
    if copy.state is not ShopOrderState.OPEN and not known.cancelled:
        events.append(OrderCancelledThere(copy.cancel_note, gone=copy.state is ShopOrderState.GONE))
    if copy.state is ShopOrderState.OPEN and known.cancelled:
        events.append(OrderReopenedThere())
    return tuple(events)


def parcel_state(ordered: Iterable[int], shipped: Iterable[int], *, cancelled: bool) -> ParcelState:
    """The parcels axis from units per line."""
    pairs = list(zip(ordered, shipped, strict=True))
    if pairs and all(done >= units for units, done in pairs):
        return ParcelState.SHIPPED
    if cancelled:
        return ParcelState.CANCELLED
    return ParcelState.PARTLY_SHIPPED if any(done for _, done in pairs) else ParcelState.UNSHIPPED
