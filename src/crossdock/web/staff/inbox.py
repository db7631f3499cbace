"""The inbox over all sellers: what shops and gateways delivered, whether it was looked at, and what came of it.

Bodies are never shown.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.outbox.queries import deliveries_in, matching
from crossdock.usecases.support.dashboard import unread
from crossdock.web.forms import typed
from crossdock.web.staff.panel import page_of, show, staff_only

WHICH = {"unread": "Unread", "waiting": "Waiting", "doubled": "Came twice", "noted": "With a note", "all": "All"}


def news_words(news: Mapping[str, Any]) -> str:
    """ "order 1043, counts": what the delivery made us look at again."""
    looks = news.get("looks", []) if isinstance(news, Mapping) else []
    words = [f"{look.get('kind', '?')} {look.get('entity_id', '')}".replace("_", " ").strip() for look in looks[:6]]
    return ", ".join(words)


@staff_only(Right.WORK)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which, query = typed(request.GET, "which", longest=10), typed(request.GET, "q")
    if which not in WHICH:
        which = "all"
    now = timezone.now()
    found = unread(now=now) if which == "unread" else deliveries_in(which)
    if query:
        found = matching(found, query)
    deliveries, next_after = page_of(request, found.select_related("party__connection__seller").defer("body"))
    context = {
        "deliveries": [(delivery, news_words(delivery.news)) for delivery in deliveries],
        "next_after": next_after,
        "which": which,
        "tabs": list(WHICH.items()),
        "query": query,
    }
    return show(request, "inbox", context, here="inbox")
