"""Connections over all sellers: which do not work, since when, and whether it is the shop or its whole platform; pause
and resume with a trace.
"""

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.roles import Right
from crossdock.kit import discover
from crossdock.kit.called import not_called
from crossdock.store.models import Connection, User
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.outbox.queries import calls_of, dead_by_party, deliveries_of, unfinished_of
from crossdock.usecases.parties.quarantine import in_words, standing
from crossdock.usecases.record.queries import deeds_of_shop
from crossdock.usecases.shops import pausing
from crossdock.usecases.shops.health import not_working
from crossdock.usecases.shops.incidents import incidents_now
from crossdock.usecases.shops.news import lags
from crossdock.usecases.shops.queries import shops_with, whole_shops
from crossdock.web.forms import typed
from crossdock.web.seller.health import health_of, healths_of
from crossdock.web.seller.panel import try_it
from crossdock.web.staff.commands import rows_of
from crossdock.web.staff.inbox import news_words
from crossdock.web.staff.panel import page_of, show, staff_only

# "ill" is no state of its own: usecases/shops/health.py says which shops they are.
STATES = {
    "ill": ("Needs attention", Q()),
    "active": ("Active", Q(state=ConnectionState.ACTIVE)),
    "needs_reauth": ("Sign in again", Q(state=ConnectionState.NEEDS_REAUTH)),
    "paused": ("Paused", Q(state=ConnectionState.PAUSED)),
    "disconnected": ("Disconnected", Q(state=ConnectionState.DISCONNECTED)),
    "all": ("All", Q()),
}
LAST = 15


def label(platform: str) -> str:
    """The platform as people call it; its folder's name when it is not installed any more."""
    speaker = discover.connectors().get(platform)
    return speaker.manifest.label if speaker else platform


def status_url(platform: str) -> str:
    speaker = discover.connectors().get(platform)
    return speaker.manifest.status_url if speaker else ""


@staff_only(Right.SHOPS)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    state, platform, query = (
        typed(request.GET, "state", longest=12),
        typed(request.GET, "platform", longest=40),
        typed(request.GET, "q"),
    )
    if state not in STATES:
        state = "all"
    ill = not_working(now=timezone.now())
    only = list(ill) if state == "ill" else None
    found = shops_with(which=STATES[state][1], platform=platform, query=query, only=only)
    shops, next_after = page_of(request, found)
    dead = dead_by_party(shop.party_id for shop in shops)
    context = {
        "incidents": [
            (incident, label(incident.platform), status_url(incident.platform))
            for incident in incidents_now(now=timezone.now())
        ],
        "not_called": not_called(settings.PUBLIC_URL),
        "packages": sorted((package.words, label(name)) for name, package in discover.packages().items()),
        "broken": discover.broken(),
        "rows": [
            (health, label(health.shop.platform), dead.get(health.shop.party_id, 0))
            for health in healths_of(shops, known=ill)
        ],
        "next_after": next_after,
        "state": state,
        "tabs": [(name, words) for name, (words, _) in STATES.items()],
        "platform": platform,
        "platforms": sorted((name, speaker.manifest.label) for name, speaker in discover.connectors().items()),
        "query": query,
    }
    return show(request, "shops", context, here="shops")


def _shop(public_id: str) -> Connection:
    return get_object_or_404(whole_shops(), public_id=public_id)


@staff_only(Right.SHOPS)
@require_safe
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    shop = _shop(public_id)
    alerts = list(shop.alerts.filter(settled_at=None).select_related("order", "connection").order_by("-pk")[:LAST])
    health = health_of(shop, alerts)
    news_lag, order_lag = lags(connection_id=shop.pk, now=timezone.now())
    deliveries = deliveries_of(shop.party)[:LAST]
    context = {
        "shop": shop,
        "health": health,
        "news_lag": news_lag,
        "order_lag": order_lag,
        "label": label(shop.platform),
        "alerts": alerts,
        "quarantined": in_words(standing(connection_id=shop.pk).select_related("order")),
        "streams": [(row, health.is_late(row.stream)) for row in shop.cursors.order_by("pk")],
        "commands": rows_of(list(unfinished_of(shop.party)[:LAST])),
        "deliveries": [(delivery, news_words(delivery.news)) for delivery in deliveries],
        "calls": calls_of(shop.party)[:LAST],
        "deeds": deeds_of_shop(shop)[:LAST],
    }
    return show(request, "shop", context, here="shops")


@staff_only(Right.WORK)
@require_POST
def pause(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    shop, why = _shop(public_id), typed(request.POST, "why", longest=300)
    if shop.state != ConnectionState.ACTIVE:
        messages.info(request, "Only a shop that is active can be paused.")
        return redirect("staff_shop", public_id)
    said = f"{shop.name} is paused, and its seller is told."
    try_it(request, lambda now: pausing.pause(connection=shop, actor=staff, now=now, why=why), said)
    return redirect("staff_shop", public_id)


@staff_only(Right.WORK)
@require_POST
def resume(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    shop = _shop(public_id)
    if shop.state != ConnectionState.PAUSED:
        messages.info(request, "It is not paused.")
        return redirect("staff_shop", public_id)
    said = f"{shop.name} is resumed. Everything is being read again, and what waited is sent."
    try_it(request, lambda now: pausing.resume(connection=shop, actor=staff, now=now), said)
    return redirect("staff_shop", public_id)
