"""A queue as CSV, read page by page. One row per order line, since that is what spreadsheets count."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.store.models import Order, Seller
from crossdock.usecases.orders.actions import in_queue
from crossdock.web.seller.orders import chosen
from crossdock.web.seller.panel import sellers_only

PAGE = 500
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


# Without it a spreadsheet takes UTF-8 for the system's old encoding, and "Zoë" for "ZoÃ«".
MARK = "\ufeff"
# What a spreadsheet runs (owasp.org/www-community/attacks/CSV_Injection), and digits that it would round, shorten or
# strip of their zeros: it keeps fifteen, shows eleven, and reads "12E5" as a number.
_RUNS = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SPOILS = re.compile(r"\d{12,}|0\d+|\d+[eE]\d+", re.ASCII)


def plain(text: object) -> str:
    """A text that a spreadsheet shows as it is: an apostrophe keeps it text, and pasted back here it is taken off."""
    words = str(text)
    return f"'{words}" if _RUNS.match(words) or _SPOILS.fullmatch(words) else words


def as_download(lines: Iterable[str], name: str) -> HttpResponse:
    """A CSV file of these lines, headings first."""
    response = HttpResponse(MARK + "".join(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rows(order: Order) -> Iterator[tuple[object, ...]]:
    copy = getattr(order, "copy", None)
    tracking = " ".join(parcel.tracking_number for parcel in order.shipments.all() if parcel.tracking_number)
    for line in order.lines.all():
        yield (
            order.number,
            order.reference,
            order.placed_at.isoformat(),
            order.ship_by.isoformat(),
            order.money,
            order.parcels,
            copy.state if copy else "",
            copy.shop_number if copy else "",
            order.ship_to["name"],
            order.ship_to["country"],
            line.sku,
            line.title,
            line.quantity,
            line.unit_price,
            order.currency,
            order.total,
            tracking,
        )


def _lines(seller: Seller, queue: str, query: str) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    after: int | None = None
    now = timezone.now()
    while True:
        page = in_queue(seller=seller, queue=queue, now=now, query=query, after=after, limit=PAGE)
        text = io.StringIO()
        writer = csv.writer(text)
        for order in page:
            for line in order.lines.all():
                line.order = order
            writer.writerows([plain(value) for value in row] for row in _rows(order))
        yield text.getvalue()
        if len(page) < PAGE:
            return
        after = page[-1].pk


@sellers_only
@require_safe
def as_csv(request: HttpRequest, seller: Seller) -> HttpResponse:
    queue, query = chosen(request)
    return as_download(_lines(seller, queue, query), f"orders-{queue}.csv")
