"""What staff did: every deed with who, when and to what. Rows are only ever added; nothing here changes one."""

from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import AuditEntry, User
from crossdock.usecases.record.queries import actions_done, deeds_with, people_with_deeds
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
    since, until = _day(filters["since"]), _day(filters["until"])
    found = deeds_with(
        who=filters["who"],
        action=filters["action"],
        text=filters["q"],
        since=since,
        until=until + timedelta(days=1) if until else None,
    )
    return filters, found


@staff_only(Right.AUDIT)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    filters, found = chosen(request)
    entries, next_after = page_of(request, found)
    context = {
        "entries": [(entry, _facts(entry)) for entry in entries],
        "next_after": next_after,
        "filters": filters,
        "people": people_with_deeds(),
        "actions": actions_done(),
        "filtered": any(filters.values()),
    }
    return show(request, "audit", context, here="audit")


def _facts(entry: AuditEntry) -> list[tuple[str, str]]:
    """The row's details in words: ("why", "phone call")."""
    detail = entry.detail if isinstance(entry.detail, dict) else {}
    return [(name.replace("_", " "), str(value)) for name, value in detail.items() if value not in ("", None)]
