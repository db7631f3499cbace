"""A seller's statement of a period: on a page, as a spreadsheet, as a PDF."""

from datetime import UTC, date, datetime, timedelta

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.currencies import NotMoney, minor_units
from crossdock.domain.earnings.balance import KIND_WORDS
from crossdock.store.models import Seller
from crossdock.usecases.money.balance import balances
from crossdock.usecases.money.statement import Line, Period, every, page_of, sums
from crossdock.usecases.record.audit import exported
from crossdock.web import streams
from crossdock.web.forms import typed, typed_day
from crossdock.web.people import signed_in
from crossdock.web.seller.earnings.balance import own_currency_first
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.browse import number_after

PAGE = 50
COLUMNS = ("at", "what", "order", "explained", "amount", "fee", "net", "currency")


def chosen(request: HttpRequest, seller: Seller) -> tuple[Period, date, date]:
    """The period with its first and last day, in UTC: this month where nothing else was asked for."""
    today = timezone.now().astimezone(UTC).date()
    first, last = typed_day(request.GET, "since"), typed_day(request.GET, "until")
    first = first or (last or today).replace(day=1)
    last = last or today
    if last < first:
        first, last = last, first
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    until = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return Period(_currency(request, seller), since, until), first, last


def _currency(request: HttpRequest, seller: Seller) -> str:
    code = typed(request.GET, "currency", longest=3).upper()
    try:
        minor_units(code)
    except NotMoney:
        return seller.currency
    return code


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    period, first, last = chosen(request, seller)
    found = page_of(seller=seller, period=period, before=number_after(request), limit=PAGE + 1)
    month = first.replace(day=1)
    earlier = month - timedelta(days=1)
    context = {
        "lines": found[:PAGE],
        "kinds": KIND_WORDS,
        "next_after": found[PAGE - 1].id if len(found) > PAGE else None,
        "sums": sums(seller=seller, period=period),
        "currency": period.currency,
        "currencies": [one.currency for one in own_currency_first(balances(seller, now=timezone.now()), seller)],
        "first": first,
        "last": last,
        "earlier": (earlier.replace(day=1), earlier),
    }
    return show(request, seller, "statement", context, here="money")


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.at.isoformat(),
        KIND_WORDS[line.kind].one,
        line.order.number if line.order else "",
        line.words,
        line.gross,
        line.fee,
        line.net,
        line.net.currency,
    )


def _told(request: HttpRequest, seller: Seller, what: str, period: Period) -> None:
    detail = {"seller": seller.public_id, "currency": period.currency}
    exported(actor=signed_in(request), what=what, now=timezone.now(), detail=detail)


def name_of(period: Period, first: date, last: date, kind: str) -> str:
    return f"statement-{period.currency}-{first.isoformat()}-{last.isoformat()}.{kind}"


@sellers_only
@require_safe
def as_csv(request: HttpRequest, seller: Seller) -> StreamingHttpResponse:
    period, first, last = chosen(request, seller)
    _told(request, seller, "statement as CSV", period)

    pages = (map(_row, page) for page in every(seller=seller, period=period))
    return streams.as_csv(request, name_of(period, first, last, "csv"), COLUMNS, pages)


@sellers_only
@require_safe
def as_pdf(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The sums of the period, and as many of its lines as a person reads; all of them are in the spreadsheet.

    What draws it is read with the first that is asked for: a web server at rest keeps nothing of it.
    """
    from crossdock.web.papers import statement as paper

    period, first, last = chosen(request, seller)
    _told(request, seller, "statement as PDF", period)
    found = page_of(seller=seller, period=period, before=None, limit=paper.MOST + 1)
    content = paper.statement(
        seller=seller.name, first=first, last=last, sums=sums(seller=seller, period=period), lines=found
    )
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name_of(period, first, last, "pdf")}"'
    return response
