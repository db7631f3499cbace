"""What is read of orders and their copies in shops. Nothing here writes."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import OuterRef, Q, QuerySet

from crossdock.domain.orders import ParcelState
from crossdock.store.models import Fulfilment, Order, OrderLine, Shipment, ShopCopy, TimelineEntry, User
from crossdock.usecases.record.rights import bought_by


def whole_orders() -> QuerySet[Order]:
    """With all that one page about an order shows."""
    rows = Order.objects.select_related("seller__owner", "buyer", "connection__party", "intent", "thread")
    return rows.prefetch_related("lines", "shipments__lines__line")


def bare_orders() -> QuerySet[Order]:
    """With who is concerned."""
    return Order.objects.select_related("seller__owner", "buyer", "intent", "connection__party")


def copy_of(order: Order) -> ShopCopy | None:
    return ShopCopy.objects.select_related("connection").filter(order=order).first()


def story_of(order: Order) -> list[TimelineEntry]:
    """Oldest first; what somebody of the seller's team did has their name as `by_name`, the owner's own none."""
    entries = list(order.timeline.all())
    others = {entry.evidence["by"] for entry in entries if "by" in entry.evidence} - {order.seller.owner_id}
    named = {person.pk: str(person) for person in User.objects.filter(pk__in=others)} if others else {}
    for entry in entries:
        entry.by_name = named.get(entry.evidence.get("by"), "")
    return entries


def bought_orders() -> QuerySet[Order]:
    """With all that a buyer sees of one."""
    rows = Order.objects.select_related("seller", "intent", "cancel_request", "withdrawal", "thread", "rating")
    return rows.prefetch_related("lines", "shipments__lines__line", "shipments__label")


def in_page(page: QuerySet[Order]) -> QuerySet[Order]:
    """The same orders, to be read with other columns."""
    return Order.objects.filter(pk__in=page.values("pk"))


def tracking_numbers() -> QuerySet[Shipment, Any]:
    """Of one order, as a column beside it."""
    rows = Shipment.objects.filter(order=OuterRef("pk")).exclude(tracking_number="").order_by().values("order")
    return rows.annotate(all=StringAgg("tracking_number", " ", order_by="pk")).values("all")


def parcels_there() -> QuerySet[Shipment]:
    return Shipment.objects.select_related("order__connection")


def written_parcels(parcels: Iterable[Shipment]) -> dict[int, Fulfilment]:
    """By parcel, those that are to stand in the shop."""
    return Fulfilment.objects.in_bulk([parcel.pk for parcel in parcels])


# What a buyer can look through, and what is in it.
LISTS: Mapping[str, tuple[str, Q]] = {
    "all": ("All", Q()),
    "open": (
        "Not shipped yet",
        Q(cancelled_at=None, parcels__in=[ParcelState.UNSHIPPED, ParcelState.PARTLY_SHIPPED]),
    ),
    "shipped": ("Shipped", Q(cancelled_at=None, parcels=ParcelState.SHIPPED)),
    "cancelled": ("Cancelled", Q(cancelled_at__isnull=False)),
}


def bought(*, buyer: User, which: str, words: str, after: int | None, limit: int) -> list[Order]:
    """The newest first; keyset by the last row's id. `which` is one of LISTS.

    The words are an order's number, a tracking number, or stand in what was bought or the seller's name, accents aside.
    """
    found = bought_by(Order, buyer).filter(LISTS[which][1])
    if text := words.strip().removeprefix("#"):
        found = found.filter(_matches(buyer, text))
    if after is not None:
        found = found.filter(pk__lt=after)
    rows = found.select_related("seller", "cancel_request", "thread").prefetch_related("lines")
    return list(rows.order_by("-pk")[:limit])


# How far back is looked for addresses, and how many are offered.
_BACK, _ADDRESSES = 30, 5


def sent_to(*, buyer: User) -> list[tuple[str, dict[str, str]]]:
    """Where their last orders went, each address once, newest first: an order's public id, fields of Address."""
    found: dict[tuple[tuple[str, str], ...], str] = {}
    rows = bought_by(Order, buyer).order_by("-pk").values_list("public_id", "ship_to")
    for public_id, ship_to in rows[:_BACK]:
        # Of an erased one nothing is left to send to.
        if ship_to.get("line1"):
            found.setdefault(tuple(sorted(ship_to.items())), public_id)
    return [(public_id, dict(fields)) for fields, public_id in found.items()][:_ADDRESSES]


def _matches(buyer: User, text: str) -> Q:
    """What is looked for is looked for in this buyer's orders alone."""
    mine = bought_by(Order, buyer)
    lines = OrderLine.objects.filter(title__unaccent__icontains=text, order__in=mine)
    parcels = Shipment.objects.filter(tracking_number__iexact=text, undone_at=None, order__in=mine)
    named = Q(pk__in=lines.values("order")) | Q(pk__in=parcels.values("order"))
    named |= Q(seller__name__unaccent__icontains=text)
    return named | Q(number=int(text)) if text.isdecimal() and len(text) < 18 else named
