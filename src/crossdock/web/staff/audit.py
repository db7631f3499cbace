"""The audit log: what staff did and what happened to accounts, by whom and when. Nothing here changes a row."""

from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import AuditEntry, AuditTopic, User
from crossdock.usecases.record import audit_log
from crossdock.web.forms import typed, typed_day
from crossdock.web.staff.panel import page_of, show, staff_only


def _day(request: HttpRequest, name: str) -> datetime | None:
    """Midnight UTC of a day in the address."""
    day = typed_day(request.GET, name)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def chosen(request: HttpRequest) -> tuple[dict[str, str], QuerySet[AuditEntry]]:
    """The filters in the address and what they leave. Days are days in UTC, the last one included."""
    names = ("who", "topic", "action", "q", "since", "until")
    filters = {name: typed(request.GET, name, longest=100) for name in names}
    who, until = filters["who"], _day(request, "until")
    wanted = audit_log.Wanted(
        who=int(who) if who.isdecimal() and len(who) < 19 else None,
        topic=filters["topic"],
        action=filters["action"],
        about=filters["q"],
        since=_day(request, "since"),
        before=until + timedelta(days=1) if until else None,
    )
    return filters, audit_log.rows(wanted)


@staff_only(Right.AUDIT)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    filters, found = chosen(request)
    entries, next_after = page_of(request, found)
    context = {
        "entries": [(entry, _who(entry), _subject(entry), _facts(entry)) for entry in entries],
        "next_after": next_after,
        "filters": filters,
        "people": audit_log.doers(),
        "topics": AuditTopic.choices,
        "actions": audit_log.actions(),
        "filtered": any(filters.values()),
    }
    return show(request, "audit", context, here="audit")


def _who(entry: AuditEntry) -> str:
    """An account that is gone stays a number."""
    if entry.actor_id is None:
        return "nobody signed in" if entry.topic == AuditTopic.ACCOUNT else "by itself"
    return str(entry.actor) if entry.actor else f"account {entry.actor_id}"


def _subject(entry: AuditEntry) -> str:
    return entry.person.email if entry.person_id and entry.person else entry.subject


def _facts(entry: AuditEntry) -> list[tuple[str, str]]:
    """The row's details in words: ("why", "phone call")."""
    detail = entry.detail if isinstance(entry.detail, dict) else {}
    return [(name.replace("_", " "), str(value)) for name, value in detail.items() if value not in ("", None)]
