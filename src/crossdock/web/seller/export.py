"""A list of orders as CSV, read page by page. One row per order line, since that is what spreadsheets count."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.daily.filters import OrderFilter
from crossdock.domain.values import Money
from crossdock.store.models import Order, Seller
from crossdock.usecases.orders.daily.order_list import found_in
from crossdock.usecases.orders.queries import in_page, tracking_numbers
from crossdock.usecases.record.audit import exported
from crossdock.web import streams
from crossdock.web.people import signed_in
from crossdock.web.seller.daily.lists import chosen
from crossdock.web.seller.panel import sellers_only

PAGE = 1000
COLUMNS = (
    "order",
    "reference",
    "placed_at",
    "ship_by",
    "money",
    "parcels",
    "shop_copy",
    "shop_number",
    "buyer",
    "country",
    "sku",
    "title",
    "quantity",
    "unit_price",
    "currency",
    "order_total",
    "tracking",
)


def _rows(page: QuerySet[Order]) -> list[tuple[Any, ...]]:
    """The lines of a page of orders, ordered as these are: one statement."""
    numbers, rows = tracking_numbers(), in_page(page)
    return list(
        rows.order_by(*page.query.order_by, "lines__pk").values_list(
            "pk",
            "number",
            "reference",
            "placed_at",
            "ship_by",
            "money",
            "parcels",
            "copy__state",
            "copy__shop_number",
            "ship_to__name",
            "ship_to__country",
            "lines__sku",
            "lines__title",
            "lines__quantity",
            "lines__unit_price_minor",
            "currency",
            "total_minor",
            Subquery(numbers),
        )
    )


def _shown(row: tuple[Any, ...]) -> list[object]:
    _, number, reference, placed, ship_by, *rest = row
    *words, unit, currency, total, tracking = rest
    price = Money(unit, currency), currency, Money(total, currency)
    return [number, reference, placed.isoformat(), ship_by.isoformat(), *words, *price, tracking]


def _pages(seller: Seller, wanted: OrderFilter, now: datetime) -> Iterator[list[list[object]]]:
    after: int | None = None
    while True:
        rows = _rows(found_in(seller=seller, wanted=wanted, now=now, after=after)[:PAGE])
        yield [_shown(row) for row in rows if row[COLUMNS.index("title") + 1] is not None]
        if len({row[0] for row in rows}) < PAGE:
            return
        after = rows[-1][0]


@sellers_only
@require_safe
def as_csv(request: HttpRequest, seller: Seller) -> StreamingHttpResponse:
    """Sent page by page as it is read, so that its memory does not grow with it."""
    wanted, _ = chosen(request, seller)
    now = timezone.now()
    exported(
        actor=signed_in(request),
        what="orders as CSV",
        now=now,
        # What was searched for may be a buyer's name, and people are numbers in the audit log.
        detail={"seller": seller.public_id, "which": wanted.queue, "narrowed_by": list(wanted.parts)},
    )
    return streams.as_csv(request, f"orders-{wanted.queue}.csv", COLUMNS, _pages(seller, wanted, now))
