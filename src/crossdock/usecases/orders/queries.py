"""What is read of orders and their copies in shops. Nothing here writes."""

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import OuterRef, QuerySet

from crossdock.store.models import Fulfilment, Order, Shipment, ShopCopy


def whole_orders() -> QuerySet[Order]:
    """With all that one page about an order shows."""
    rows = Order.objects.select_related("seller__owner", "buyer", "connection__party", "intent", "thread")
    return rows.prefetch_related("lines", "shipments__lines__line")


def bare_orders() -> QuerySet[Order]:
    """With who is concerned."""
    return Order.objects.select_related("seller__owner", "buyer", "intent", "connection__party")


def copy_of(order: Order) -> ShopCopy | None:
    return ShopCopy.objects.select_related("connection").filter(order=order).first()


def bought_orders() -> QuerySet[Order]:
    """With all that a buyer sees of one."""
    rows = Order.objects.select_related("seller", "intent", "cancel_request", "withdrawal", "thread")
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
