"""A seller's first evening: where a shop stands on its way to the first sale, shadow mode, its report, going live."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.evening.steps import stands
from crossdock.store.models import Connection, Seller
from crossdock.usecases.catalogue.evening import report, shadow
from crossdock.usecases.catalogue.evening.facts import facts_of
from crossdock.usecases.record.rights import theirs
from crossdock.web.people import signed_in
from crossdock.web.seller import asking
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 25
FALLS = 50


def _shop(seller: Seller, public_id: str) -> Connection:
    rows = theirs(Connection, seller).select_related("party", "seller__owner")
    return get_object_or_404(rows, public_id=public_id)


def _per_second(shop: Connection) -> float:
    """What the shop's pace allows; 0 where its platform is not installed any more."""
    speaker = asking.platform(shop.platform)
    return speaker.manifest.pace.per_second if speaker else 0.0


@sellers_only
@require_safe
def evening(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop = _shop(seller, public_id)
    speaker = asking.platform(shop.platform)
    context = {
        "shop": shop,
        "label": speaker.manifest.label if speaker else shop.platform,
        "stands": stands(facts_of(connection=shop)),
        "why_no_shadow": "" if shop.shadow_since else shadow.why_no_shadow(shop),
        "run": report.run_of(shop),
    }
    return show(request, seller, "evening", context, here="shops")


@sellers_only
@require_safe
def seen(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The report of the time in shadow mode that lasts, or of the last one."""
    shop, now = _shop(seller, public_id), timezone.now()
    run = report.run_of(shop)
    if run is None:
        return redirect("seller_evening", public_id)
    after = number_after(request) or 0
    found = report.not_listed(shop, now=now, after=after, limit=PAGE + 1)
    context = {
        "shop": shop,
        "run": run,
        "report": report.kept_report(run) or report.report_of(run=run, per_second=_per_second(shop), now=now),
        "falls": report.falls_of(run, limit=FALLS),
        "most": FALLS,
        "missing": found[:PAGE],
        "next_after": found[PAGE - 1][0].pk if len(found) > PAGE else None,
    }
    return show(request, seller, "shadow", context, here="shops")


@sellers_only
@require_POST
def begin(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Our webhooks there go as well: while it is only looked at, nothing of ours is in it."""
    shop, actor = _shop(seller, public_id), signed_in(request)
    if not shop.shadow_since and not shadow.why_no_shadow(shop):
        left_behind = asking.say_goodbye(shop)
        if left_behind and shop.hooks:
            messages.error(request, f"Our webhooks could not be taken out of {shop.name}: {left_behind} Try again.")
            return redirect("seller_evening", public_id)
    said = f"{shop.name} is in shadow mode: it is only read."
    try_it(request, lambda now: shadow.begin_shadow(connection=shop, actor=actor, now=now), said)
    return redirect("seller_evening", public_id)


@sellers_only
@require_POST
def live(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop, actor = _shop(seller, public_id), signed_in(request)
    pace = _per_second(shop)
    said = f"{shop.name} is live. Make a test order next."
    try_it(request, lambda now: shadow.go_live(connection=shop, per_second=pace, actor=actor, now=now), said)
    return redirect("seller_evening", public_id)
