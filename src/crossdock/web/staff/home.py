"""Staff's first page: what needs a person now, as numbers that lead to the rows."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.roles import Right
from crossdock.kit.called import not_called
from crossdock.store.models import User
from crossdock.usecases.record.audit_log import staff_deeds
from crossdock.usecases.record.rights import holds
from crossdock.usecases.shops.incidents import incidents_now
from crossdock.usecases.support.dashboard import counts
from crossdock.web.staff.panel import show, staff_only
from crossdock.web.staff.shops import label, status_url

LAST_DEEDS = 8


@dataclass(frozen=True, slots=True)
class Need:
    """One number of the page. `what` says when it is none of staff's business any more."""

    count: int
    words: str
    what: str
    url: str
    right: Right


# What `counts` counts, its words, what that means, the page with the rows, and who has it on theirs.
_TABLE: tuple[tuple[str, str, str, str, Right], ...] = (
    ("cases", "Cases", "A seller waits for our answer.", "staff_cases", Right.CASES),
    ("credits", "Credits to decide", "Asked for, or waiting for a second person.", "staff_credits", Right.CREDIT),
    (
        "disputes",
        "Lost disputes to decide",
        "Who bears them? The seller's money is held.",
        "staff_disputes",
        Right.DECIDE,
    ),
    ("listings", "Listings to look at", "Reported, or their seller appeals.", "staff_moderation", Right.MODERATE),
    (
        "ratings",
        "Ratings to look at",
        "Somebody says that they are against the terms.",
        "staff_ratings",
        Right.MODERATE,
    ),
    (
        "failed_credits",
        "Refunds refused",
        "The bank did not take them; the buyer waits.",
        "staff_credits?which=failed",
        Right.CREDIT,
    ),
    ("held", "Orders held for their risk", "They are not sent to the shop until you decide.", "staff_risk", Right.RISK),
    (
        "dead",
        "Commands that gave up",
        "Send them again, or settle what they were about.",
        "staff_commands?state=dead",
        Right.SHOPS,
    ),
    (
        "ill",
        "Shops that need attention",
        "No answer, a sign-in that ended, a late reading, or something that cannot be read.",
        "staff_shops?state=ill",
        Right.SHOPS,
    ),
    ("unread", "Deliveries unread", "They wait longer than five minutes.", "staff_inbox?which=unread", Right.WORK),
    (
        "quarantined",
        "Causes in quarantine",
        "Rows, orders or answers that could not be read.",
        "staff_quarantine",
        Right.WORK,
    ),
    ("agents", "Shopping agents told nothing", "Mend, then resume.", "staff_tokens", Right.TOKENS),
    (
        "staff_alerts",
        "Alerts for staff",
        "Only we can settle them; their sellers don't see them.",
        "staff_alerts?which=staff",
        Right.ALERTS,
    ),
)


def needs(waiting: dict[str, int]) -> list[Need]:
    """In the order in which somebody waits for an answer."""
    return [
        Need(waiting.get(count, 0), words, what, _address(page), right) for count, words, what, page, right in _TABLE
    ]


def _address(page: str) -> str:
    """Of a name in the addresses, with what is asked of it."""
    name, mark, asked = page.partition("?")
    return f"{reverse(name)}{mark}{asked}"


@staff_only(Right.LOOK)
@require_safe
def home(request: HttpRequest, staff: User) -> HttpResponse:
    now = timezone.now()
    waiting = counts(now=now)
    found = [need for need in needs(waiting) if holds(staff, need.right)]
    context = {
        "needs": [need for need in found if need.count],
        "calm": [need for need in found if not need.count],
        "incidents": [
            (incident, label(incident.platform), status_url(incident.platform)) for incident in incidents_now(now=now)
        ],
        "not_called": not_called(settings.PUBLIC_URL),
        "open_alerts": waiting["alerts"],
        "deeds": staff_deeds(limit=LAST_DEEDS),
    }
    return show(request, "home", context, here="home")
