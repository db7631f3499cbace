"""The page of a shop's reconciliation: how it went, what differs and why, and the one button for each, or for many
after a look at what will happen.
"""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.recount import TITLES, Cause, Decision
from crossdock.store.models import Connection, Difference, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.stock.differences import MOST, decide, decide_many, open_differences, told
from crossdock.usecases.stock.queries import decided_differences, recounts_of
from crossdock.usecases.stock.reconcile import EVERY, OUTAGE, ask_for_recount
from crossdock.web.forms import one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.seller import asking
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 25
RUNS = 10
TABS = {"": "To decide", "decided": "Decided", "own": "Our own orders"}
DONE = {
    Decision.SHOP: "The shop's count stays.",
    Decision.OURS: "Sent to your shop. The new count is read back in a moment.",
    Decision.ASIDE: "Set aside. It is not sold until you confirm its count.",
}
BUTTONS = {Decision.SHOP: "Take the shop's", Decision.OURS: "Take ours", Decision.ASIDE: "Set aside"}


def _shop(seller: Seller, public_id: str) -> Connection:
    return get_object_or_404(theirs(Connection, seller).select_related("party", "seller__owner"), public_id=public_id)


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop = _shop(seller, public_id)
    speaker = asking.platform(shop.platform)
    manifest = speaker.manifest if speaker else None
    tab, cause = one_of(request.GET, "show", TABS, ""), typed(request.GET, "why", longest=20)
    rows = _rows(shop, tab)
    if cause in set(Cause):
        rows = rows.filter(cause=cause)
    after = number_after(request)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PAGE + 1])
    runs = list(recounts_of(shop)[:RUNS])
    context = {
        "shop": shop,
        "rows": [told(row, manifest) for row in found[:PAGE]],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tab": tab,
        "tabs": list(TABS.items()),
        "why": cause,
        "causes": [(c.value, TITLES[c]) for c in Cause if c is not Cause.ECHO],
        "runs": runs,
        "running": next((run for run in runs if run.finished_at is None), None),
        "open_count": open_differences(connection=shop).count(),
        "every": int(EVERY.total_seconds() // 3600),
        "outage": int(OUTAGE.total_seconds() // 60),
        "buttons": BUTTONS,
        "most": MOST,
        "sweeps": manifest is not None and not manifest.counts_move_products,
    }
    return show(request, seller, "recounts", context, here="shops")


def _rows(shop: Connection, tab: str) -> "QuerySet[Difference]":
    if not tab:
        return open_differences(connection=shop)
    rows = decided_differences(shop)
    return rows.filter(cause=Cause.ECHO) if tab == "own" else rows.exclude(cause=Cause.ECHO)


@sellers_only
@require_POST
def start(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop, actor = _shop(seller, public_id), signed_in(request)
    try_it(
        request, lambda now: ask_for_recount(connection=shop, actor=actor, now=now), "Your shop is being compared now."
    )
    return redirect("seller_recounts", public_id)


@sellers_only
@require_POST
def decided(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """One difference by its button, or the ticked ones: these after a page that says what will happen."""
    shop, actor = _shop(seller, public_id), signed_in(request)
    speaker = asking.platform(shop.platform)
    manifest = speaker.manifest if speaker else None
    one, _, word = typed(request.POST, "one", longest=40).partition(":")
    if one.isdecimal() and word in set(Decision):
        row = get_object_or_404(Difference, pk=int(one), recount__connection=shop)
        try_it(
            request,
            lambda now: decide(difference=row, decision=Decision(word), manifest=manifest, actor=actor, now=now),
            DONE[Decision(word)],
        )
        return redirect("seller_recounts", public_id)
    ticked = [int(text) for text in request.POST.getlist("pick") if text.isdecimal()]
    word = typed(request.POST, "many", longest=10)
    rows = list(open_differences(connection=shop).filter(pk__in=ticked[: MOST + 1]))
    if not rows or word not in set(Decision):
        messages.info(request, "Tick the differences first, then choose what to do with them.")
        return redirect("seller_recounts", public_id)
    if "sure" not in request.POST:
        context = {
            "shop": shop,
            "word": word,
            "button": BUTTONS[Decision(word)],
            "rows": [told(row, manifest) for row in rows],
            "ours": word == Decision.OURS,
        }
        return show(request, seller, "recounts_preview", context, here="shops")
    try:
        left = decide_many(
            differences=rows, decision=Decision(word), manifest=manifest, actor=actor, now=timezone.now()
        )
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("seller_recounts", public_id)
    if len(rows) > len(left):
        messages.success(request, f"{len(rows) - len(left)} done. {DONE[Decision(word)]}")
    for row, why in left[:5]:
        messages.error(request, f"{row.variant}: {why}")
    return redirect("seller_recounts", public_id)
