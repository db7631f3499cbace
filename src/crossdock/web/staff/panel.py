"""What every page for staff shares: who may see it, what surrounds it, and how a table goes on to its next page.

To sellers, buyers and visitors these addresses do not exist: a refusal would tell them what there is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from crossdock.domain.roles import Right
from crossdock.usecases.record.rights import holds, is_staff, rights_of, who_may
from crossdock.usecases.support.dashboard import counts
from crossdock.web.people import signed_in
from crossdock.web.signin.factor import owed
from crossdock.web.storefront.browse import number_after

View = Callable[..., HttpResponseBase]
_Row = TypeVar("_Row", bound=Model)
PAGE = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the side navigation, for who has the right. `count` names what desk.counts() counts for it."""

    here: str
    url_name: str
    icon: str
    words: str
    right: Right
    count: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)


NAVIGATION = (
    Entry("home", "staff_home", "clock", "Needs attention", Right.LOOK),
    Entry("cases", "staff_cases", "talk", "Cases", Right.CASES, "cases"),
    Entry("credits", "staff_credits", "refresh", "Credits", Right.CREDIT, "credits"),
    Entry("disputes", "staff_disputes", "warn", "Lost disputes", Right.DECIDE, "disputes"),
    Entry("reports", "staff_reports", "coin", "Reports", Right.REPORTS),
    Entry("moderation", "staff_moderation", "info", "Reported listings", Right.MODERATE, "listings"),
    Entry("ratings", "staff_ratings", "star", "Ratings", Right.MODERATE, "ratings"),
    Entry("approvals", "staff_approvals", "person", "New sellers", Right.APPROVE, "approvals"),
    Entry("find", "staff_find", "search", "Look up", Right.LOOK),
    Entry("sellers", "staff_sellers", "person", "Sellers", Right.LOOK),
    Entry("shops", "staff_shops", "link", "Connections", Right.SHOPS, "ill"),
    Entry("commands", "staff_commands", "truck", "Commands", Right.SHOPS, "dead"),
    Entry("inbox", "staff_inbox", "mail", "Inbox", Right.WORK, "unread"),
    Entry("quarantine", "staff_quarantine", "lock", "Quarantine", Right.WORK, "quarantined"),
    Entry("alerts", "staff_alerts", "warn", "Alerts", Right.ALERTS, "staff_alerts"),
    Entry("risk", "staff_risk", "info", "Risk", Right.RISK, "held"),
    Entry("tokens", "staff_tokens", "link", "API tokens", Right.TOKENS, "agents"),
    Entry("policy", "staff_policy", "lock", "Rules", Right.RULES),
    Entry("commission", "staff_commission_rules", "coin", "Commission", Right.RULES),
    Entry("taxonomy", "staff_taxonomy", "cart", "Attributes", Right.CATALOGUE),
    Entry("pages", "staff_pages", "info", "Pages", Right.PAGES),
    Entry("brand", "staff_brand", "shop", "Name and look", Right.PAGES),
    Entry("audit", "staff_audit", "info", "Audit log", Right.AUDIT),
    Entry("retention", "staff_retention", "clock", "Kept how long", Right.AUDIT),
    Entry("people", "staff_people", "person", "People’s data", Right.PRIVACY),
    Entry("roles", "staff_roles", "person", "Roles", Right.LOOK),
)


def staff_only(right: Right) -> Callable[[View], View]:
    """Gives the view the member of staff, who has the right and used a second factor. Nobody is sent to the sign-in;
    staff of other roles read who may; to everybody else there is no such page.
    """

    def guard(view: View) -> View:
        @never_cache
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            staff = signed_in(request)
            if not is_staff(staff):
                raise Http404
            first = owed(request)
            if first:
                return redirect(first)
            if not holds(staff, right):
                return show(request, "not_yours", {"sentence": who_may(right, staff)}, here="", status=403)
            return view(request, staff, *args, **kwargs)

        guarded.right = right  # type: ignore[attr-defined]
        return guarded

    return guard


def show(request: HttpRequest, template: str, context: dict[str, Any], *, here: str, status: int = 200) -> HttpResponse:
    """`here` is the entry of the side navigation that is lit. `may` has what this person may, for a page's buttons."""
    waiting, may = counts(now=timezone.now()), rights_of(signed_in(request))
    navigation = [(entry, waiting.get(entry.count, 0)) for entry in NAVIGATION if entry.right in may]
    around = {"here": here, "navigation": navigation, "waiting": waiting, "may": may}
    return render(request, f"staff/{template}.html", {**around, **context}, status=status)


def page_of(request: HttpRequest, rows: QuerySet[_Row], *, size: int = PAGE) -> tuple[list[_Row], int | None]:
    """The page that the address asks for, newest first, and where the next one starts (parts/pager.html)."""
    after = number_after(request)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
