"""What the marketplace took, kept, gave back and paid out in a period, from the books: figures that lead to their rows,
and the same as CSV. Days are days in the marketplace's time zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.due.zones import place_of
from crossdock.domain.earnings.report import FIGURES, Report, Sum
from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.money.reports.journal import Posting, every, of_figure
from crossdock.usecases.money.reports.report import report
from crossdock.usecases.money.statement import Period
from crossdock.usecases.record.audit import exported
from crossdock.web import streams
from crossdock.web.forms import typed, typed_day
from crossdock.web.staff.panel import PAGE, show, staff_only
from crossdock.web.storefront.browse import number_after

MOST_DAYS = 366
JOURNAL = (
    *("transfer", "at", "kind", "explained", "order", "account", "seller", "seller_name", "currency", "debit"),
    "credit",
)
COLUMNS = ("from", "to", "currency", "group", "figure", "count", "amount")


@dataclass(frozen=True, slots=True)
class Days:
    """From the beginning of `first` to the end of `last`, in the marketplace's time zone."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return self._begin(self.first)

    @property
    def until(self) -> datetime:
        return self._begin(self.last + timedelta(days=1))

    @property
    def trouble(self) -> str:
        """Why no report is made of them."""
        too_long = (self.last - self.first).days >= MOST_DAYS
        return f"A report is of at most {MOST_DAYS} days. Choose fewer." if too_long else ""

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(settings.CONFIG.time_zone))


def chosen(request: HttpRequest) -> Days:
    """This month where nothing else was asked for."""
    today = timezone.now().astimezone(ZoneInfo(settings.CONFIG.time_zone)).date()
    first, last = typed_day(request.GET, "since"), typed_day(request.GET, "until")
    first = first or (last or today).replace(day=1)
    last = last or max(today, first)
    return Days(min(first, last), max(first, last))


def around(days: Days) -> dict[str, object]:
    """What the choice of a period shows."""
    earlier = days.first.replace(day=1) - timedelta(days=1)
    place = place_of(settings.CONFIG.time_zone)
    return {"days": days, "earlier": Days(earlier.replace(day=1), earlier), "place": place, "trouble": days.trouble}


def _grouped(sums: tuple[Sum, ...]) -> list[tuple[str, list[Sum]]]:
    return [(group, list(rows)) for group, rows in groupby(sums, lambda one: one.figure.group)]


@staff_only(Right.REPORTS)
@require_safe
def page(request: HttpRequest, staff: User) -> HttpResponse:
    days = chosen(request)
    found = [] if days.trouble else report(since=days.since, until=days.until)
    wanted = typed(request.GET, "currency", longest=3).upper()
    shown = next((one for one in found if one.currency == wanted), found[0] if found else None)
    context = {
        **around(days),
        "report": shown,
        "currencies": [one.currency for one in found],
        "groups": _grouped(shown.sums) if shown else [],
    }
    return show(request, "earnings/report", context, here="reports", status=422 if days.trouble else 200)


@staff_only(Right.REPORTS)
@require_safe
def rows(request: HttpRequest, staff: User, key: str) -> HttpResponse:
    """What a figure is the sum of."""
    figure, days = FIGURES.get(key), chosen(request)
    if figure is None:
        raise Http404
    period = Period(typed(request.GET, "currency", longest=3).upper(), days.since, days.until)
    found = (
        [] if days.trouble else of_figure(figure=figure, period=period, before=number_after(request), limit=PAGE + 1)
    )
    context = {
        **around(days),
        "figure": figure,
        "currency": period.currency,
        "rows": [(row, row.amount if figure.sign > 0 else -row.amount) for row in found[:PAGE]],
        "next_after": found[PAGE - 1].id if len(found) > PAGE else None,
    }
    return show(request, "earnings/report_rows", context, here="reports", status=422 if days.trouble else 200)


def _rows(days: Days, one: Report) -> Iterator[tuple[object, ...]]:
    of = (days.first, days.last, one.currency)
    for sum_ in one.sums:
        yield *of, sum_.figure.group, sum_.figure.title, sum_.count, sum_.amount
    yield *of, "Disputes", "Disputes lost", *one.lost
    for held in one.open:
        yield *of, "Open at the end", held.title, None, held.amount


@staff_only(Right.REPORTS)
@require_safe
def as_csv(request: HttpRequest, staff: User) -> HttpResponse | StreamingHttpResponse:
    """All currencies, one after the other."""
    days = chosen(request)
    if days.trouble:
        return show(request, "earnings/report", around(days), here="reports", status=422)
    detail = {"since": days.first.isoformat(), "until": days.last.isoformat()}
    exported(actor=staff, what="report as CSV", now=timezone.now(), detail=detail)
    found = report(since=days.since, until=days.until)
    name = f"report-{days.first}-{days.last}.csv"
    return streams.as_csv(request, name, COLUMNS, (_rows(days, one) for one in found))


def _side(row: Posting) -> tuple[object, ...]:
    """What an account gains is a debit. A seller's account is named by the seller's public id beside it."""
    seller, sides = row.seller, (row.amount, None) if row.amount.minor > 0 else (None, -row.amount)
    return (
        row.transfer,
        row.at.isoformat(),
        row.cause.partition(":")[0],
        row.words,
        row.order.number if row.order else "",
        "seller" if row.account.startswith("seller:") else row.account,
        seller.public_id if seller else "",
        seller.name if seller else "",
        row.amount.currency,
        *sides,
    )


@staff_only(Right.BOOKS)
@require_safe
def journal(request: HttpRequest, staff: User) -> HttpResponse | StreamingHttpResponse:
    """Each posting of the days, for a bookkeeper: in each currency debits and credits come to the same."""
    days = chosen(request)
    if days.trouble:
        return show(request, "earnings/report", around(days), here="reports", status=422)
    detail = {"since": days.first.isoformat(), "until": days.last.isoformat()}
    exported(actor=staff, what="books as CSV", now=timezone.now(), detail=detail)

    pages = (map(_side, page) for page in every(since=days.since, until=days.until))
    return streams.as_csv(request, f"books-{days.first}-{days.last}.csv", JOURNAL, pages)
