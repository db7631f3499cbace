"""Alerts: what a person must settle, each with the one button that does it; and how soon a mail tells of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.alerts import GROUPS, KINDS, AlertCode, MailChoice
from crossdock.store.models import Alert, Connection, Seller
from crossdock.usecases.record.alert_mail import choices_of, choose_mails
from crossdock.usecases.record.alerts import settle_alert, settle_alerts
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.alert_view import view_of
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 25
CHOICE_WORDS = {
    MailChoice.AT_ONCE: "At once",
    MailChoice.HOURLY: "Once an hour, in one mail",
    MailChoice.NEVER: "Never",
}


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Open or settled, of one kind or one shop; newest first."""
    settled = typed(request.GET, "show", longest=10) == "settled"
    code, shop = typed(request.GET, "code", longest=40), typed(request.GET, "shop", longest=14)
    mine = theirs(Alert, seller).filter(for_staff=False)
    found = mine.filter(settled_at__isnull=not settled).select_related("order", "connection", "listing", "settled_by")
    codes = sorted(set(found.values_list("code", flat=True)), key=lambda known: KINDS[AlertCode(known)].title)
    if code:
        found = found.filter(code=code)
    if shop:
        found = found.filter(connection__public_id=shop)
    after = number_after(request)
    rows = list((found if after is None else found.filter(pk__lt=after)).order_by("-pk")[: PAGE + 1])
    context = {
        "alerts": [view_of(alert) for alert in rows[:PAGE]],
        "settled": settled,
        "next_after": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "filtered": bool(code or shop),
        "code": code,
        "shop": shop,
        "codes": [(known, KINDS[AlertCode(known)].title) for known in codes],
        "shops": theirs(Connection, seller).order_by("name"),
        "any": mine.exists(),
    }
    return show(request, seller, "alerts", context, here="alerts")


def _alert(seller: Seller, public_id: str) -> Alert:
    rows = theirs(Alert, seller).select_related("order", "connection", "listing", "settled_by", "seller")
    return get_object_or_404(rows, public_id=public_id, for_staff=False)


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Where a mail's link leads.

    The sentence, what it was seen by, the button, and afterwards who settled it and how.
    """
    alert = _alert(seller, public_id)
    return show(request, seller, "alert", {"item": view_of(alert), "evidence": _evidence(alert)}, here="alerts")


def _evidence(alert: Alert) -> list[tuple[str, str]]:
    """What it was seen by, in words; ids that only programs need are left out."""
    named: list[tuple[str, str]] = []
    for name, value in alert.evidence.items():
        if name in ("command", "parcels", "endpoint", "variant", "order"):
            continue
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if words:
            named.append((name.replace("_", " ").capitalize(), words))
    return named


@sellers_only
@require_POST
def settle(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Back to the page on which it was pressed."""
    alert = _alert(seller, public_id)
    how = typed(request.POST, "how", longest=200)
    actor = signed_in(request)
    try_it(request, lambda now: settle_alert(alert=alert, actor=actor, how=how, now=now), "Settled.")
    return redirect(_back(request))


@sellers_only
@require_POST
def settle_many(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The ticked ones, with one sentence for all."""
    picked = {public_id for public_id in request.POST.getlist("pick") if public_id.isalnum()}
    how, actor = typed(request.POST, "how", longest=200), signed_in(request)
    mine = theirs(Alert, seller).select_related("seller").filter(for_staff=False, settled_at=None, public_id__in=picked)
    count = len(picked)
    if not picked:
        messages.error(request, "Tick the alerts that are settled.")
    else:
        said = f"{count} alert{'s' if count > 1 else ''} settled."
        try_it(request, lambda now: settle_alerts(alerts=mine, actor=actor, how=how, now=now), said)
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """The page on which it was pressed."""
    back = typed(request.POST, "back", longest=300)
    known = back.startswith("/seller/") and url_has_allowed_host_and_scheme(back, None)
    return back if known else reverse("seller_alerts")


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: HttpRequest, seller: Seller) -> HttpResponse:
    """At once, hourly or never for each group; one button goes back to what makes sense for most."""
    if request.method == "POST":
        sensible = typed(request.POST, "deed", longest=10) == "sensible"
        chosen: dict[str, str] = {} if sensible else {group: typed(request.POST, group, longest=20) for group in GROUPS}
        actor = signed_in(request)
        said = "Back to the sensible choice." if sensible else "Saved."
        if try_it(request, lambda now: choose_mails(seller=seller, choices=chosen, actor=actor, now=now), said):
            return redirect("seller_alert_mail")
    return show(request, seller, "alert_mail", _mail_page(seller), here="alerts")


def _mail_page(seller: Seller) -> dict[str, Any]:
    now = choices_of(seller=seller)
    return {
        "groups": [(group, title, about, now[group], sensible) for group, (title, about, sensible) in GROUPS.items()],
        "choices": list(CHOICE_WORDS.items()),
        "to": seller.owner.email,
        "differs": any(now[group] is not sensible for group, (_, _, sensible) in GROUPS.items()),
    }
