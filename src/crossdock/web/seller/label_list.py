"""All labels that a seller bought: by state, period and number, with what they cost, and as a spreadsheet."""

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from crossdock.store.models import Label, Seller
from crossdock.usecases.labels.label_list import LISTS, cost_of, every, in_list
from crossdock.usecases.record.audit import exported
from crossdock.web import streams
from crossdock.web.forms import one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.browse import number_after

PAGE = 40
COLUMNS = (
    "order",
    "reference",
    "bought_at",
    "state",
    "carrier",
    "service",
    "tracking",
    "price",
    "currency",
    "insured",
    "ship_to",
    "country",
    "delivered_at",
    "voided_at",
)


def _chosen(request: HttpRequest) -> dict[str, object]:
    """Nonsense in the address chooses nothing."""
    return {
        "which": one_of(request.GET, "show", LISTS, "all"),
        "query": typed(request.GET, "q"),
        "since": _day(request, "since"),
        "until": _day(request, "until", after=1),
    }


def _day(request: HttpRequest, name: str, *, after: int = 0) -> datetime | None:
    try:
        day = parse_date(typed(request.GET, name, longest=10))
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=after) if day else None
    except (ValueError, OverflowError):
        return None


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    chosen = _chosen(request)
    rows = in_list(seller=seller, **chosen)  # type: ignore[arg-type]
    after = number_after(request)
    found = list((rows if after is None else rows.filter(pk__lt=after))[: PAGE + 1])
    context = {
        "labels": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "costs": cost_of(rows),
        "count": rows.count(),
        "tabs": [(name, words) for name, (words, _) in LISTS.items()],
        "chosen": chosen,
        "since": typed(request.GET, "since", longest=10),
        "until": typed(request.GET, "until", longest=10),
        "filtered": chosen["which"] != "all" or bool(chosen["query"] or chosen["since"] or chosen["until"]),
    }
    return show(request, seller, "labels", context, here="labels")


@sellers_only
@require_safe
def as_csv(request: HttpRequest, seller: Seller) -> StreamingHttpResponse:
    exported(actor=signed_in(request), what="labels as CSV", now=timezone.now(), detail={"seller": seller.public_id})
    found = every(in_list(seller=seller, **_chosen(request)))  # type: ignore[arg-type]
    return streams.as_csv(request, "labels.csv", COLUMNS, [map(_row, found)])


def _row(label: Label) -> tuple[object, ...]:
    moments = [at.isoformat() if at else "" for at in (label.bought_at, label.delivered_at, label.voided_at)]
    return (
        label.order.number,
        label.order.reference,
        moments[0],
        label.state,
        label.carrier,
        label.service,
        label.tracking_number,
        label.price,
        label.currency,
        label.insured or None,
        label.order.ship_to["name"],
        label.order.ship_to["country"],
        *moments[1:],
    )
