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


def needs(waiting: dict[str, int]) -> list[Need]:
    """In the order in which somebody waits for an answer."""

    def need(name: str, words: str, what: str, url: str, right: Right) -> Need:
        return Need(waiting.get(name, 0), words, what, url, right)

    commands, shops, inbox, alerts = (reverse(f"staff_{name}") for name in ("commands", "shops", "inbox", "alerts"))
    credits = reverse("staff_credits")
    return [
        need("cases", "Cases", "A seller waits for our answer.", reverse("staff_cases"), Right.CASES),
        need("credits", "Credits to decide", "Asked for, or waiting for a second person.", credits, Right.CREDIT),
        need(
            "disputes",
            "Lost disputes to decide",
            "Who bears them? The seller's money is held.",
            reverse("staff_disputes"),
            Right.DECIDE,
        ),
        need(
            "listings",
            "Listings to look at",
            "Reported, or their seller appeals.",
            reverse("staff_moderation"),
            Right.MODERATE,
        ),
        need(
            "failed_credits",
            "Refunds refused",
            "The bank did not take them; the buyer waits.",
            f"{credits}?which=failed",
            Right.CREDIT,
        ),
        need(
            "held",
            "Orders held for their risk",
            "They are not sent to the shop until you decide.",
            reverse("staff_risk"),
            Right.RISK,
        ),
        need(
            "dead",
            "Commands that gave up",
            "Send them again, or settle what they were about.",
            f"{commands}?state=dead",
            Right.SHOPS,
        ),
        need(
            "ill",
            "Shops that need attention",
            "No answer, a sign-in that ended, a late reading, or something that cannot be read.",
            f"{shops}?state=ill",
            Right.SHOPS,
        ),
        need("unread", "Deliveries unread", "They wait longer than five minutes.", f"{inbox}?which=unread", Right.WORK),
        need(
            "quarantined",
            "Causes in quarantine",
            "Rows, orders or answers that could not be read.",
            reverse("staff_quarantine"),
            Right.WORK,
        ),
        need("agents", "Shopping agents told nothing", "Mend, then resume.", reverse("staff_tokens"), Right.TOKENS),
        need(
            "staff_alerts",
            "Alerts for staff",
            "Only we can settle them; their sellers don't see them.",
            f"{alerts}?which=staff",
            Right.ALERTS,
        ),
    ]


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
