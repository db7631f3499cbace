"""What staff did: every deed with who, when and to what. Rows are only ever added; nothing here changes one."""

from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import AuditEntry, Order, Seller, User
from crossdock.web.forms import typed
from crossdock.web.staff.panel import page_of, show, staff_only


def _day(text: str) -> datetime | None:
    """Midnight UTC of a day in the address; nonsense is no day."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day and 1900 < day.year < 9999 else None


def chosen(request: HttpRequest) -> tuple[dict[str, str], QuerySet[AuditEntry]]:
    """The filters in the address and what they leave. Days are days in UTC, the last one included."""
    filters = {name: typed(request.GET, name, longest=100) for name in ("who", "action", "q", "since", "until")}
    found = AuditEntry.objects.select_related("actor")
    if filters["who"].isdecimal() and len(filters["who"]) < 19:
        found = found.filter(actor=int(filters["who"]))
    if filters["action"]:
        found = found.filter(action=filters["action"])
    if filters["q"]:
        found = found.filter(_about(filters["q"]))
    since, until = _day(filters["since"]), _day(filters["until"])
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until + timedelta(days=1))
    return filters, found


def _about(text: str) -> Q:
    """The subject's own words, or the order or seller that the row's ids name."""
    about = Q(subject__icontains=text) | Q(detail__path__icontains=text)
    number = text.lstrip("#")
    if number.isdecimal() and len(number) < 19:
        about |= Q(detail__order__in=list(Order.objects.filter(number=int(number)).values_list("public_id", flat=True)))
    sellers = Seller.objects.filter(name__iexact=text).values_list("public_id", flat=True)
    return about | Q(detail__seller__in=list(sellers[:20]))


@staff_only(Right.AUDIT)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    filters, found = chosen(request)
    entries, next_after = page_of(request, found)
    context = {
        "entries": [(entry, _facts(entry)) for entry in entries],
        "next_after": next_after,
        "filters": filters,
        "people": User.objects.filter(pk__in=AuditEntry.objects.exclude(actor=None).values("actor")).order_by("email"),
        "actions": AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct(),
        "filtered": any(filters.values()),
    }
    return show(request, "audit", context, here="audit")


def _facts(entry: AuditEntry) -> list[tuple[str, str]]:
    """The row's details in words: ("why", "phone call")."""
    detail = entry.detail if isinstance(entry.detail, dict) else {}
    return [(name.replace("_", " "), str(value)) for name, value in detail.items() if value not in ("", None)]
