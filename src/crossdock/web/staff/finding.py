"""The search box over everything, and sellers: who they are, how their shops do, what waits for them, what staff did
there.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.daily.filters import QUEUE_WORDS
from crossdock.domain.quality.score import DAYS, ENOUGH, Counts, Score
from crossdock.domain.roles import Right
from crossdock.domain.team.roles import in_words
from crossdock.store.models import User
from crossdock.usecases.accounts.queries import sellers_named, suspension_of
from crossdock.usecases.accounts.team import members_of
from crossdock.usecases.catalogue.queries import live_by_seller
from crossdock.usecases.catalogue.staff_search import MOST, look_up
from crossdock.usecases.money.balance import balances
from crossdock.usecases.orders.daily.order_list import in_queue, queues
from crossdock.usecases.record.queries import deeds_of_seller, open_by_seller
from crossdock.usecases.record.rights import team_roles
from crossdock.usecases.support.quality import scores
from crossdock.web.forms import typed
from crossdock.web.seller.health import healths_of
from crossdock.web.staff.panel import page_of, show, staff_only
from crossdock.web.staff.shops import label

LAST = 15


@staff_only(Right.LOOK)
@require_safe
def find(request: HttpRequest, staff: User) -> HttpResponse:
    """What is found; when it is one order or one seller alone, that page at once."""
    query = typed(request.GET, "q")
    found = look_up(text=query)
    if len(found.orders) == 1 and not found.sellers and not found.listings:
        return redirect("staff_order", found.orders[0].public_id)
    if len(found.sellers) == 1 and not found.orders and not found.listings:
        return redirect("staff_seller", found.sellers[0].public_id)
    return show(request, "find", {"query": query, "found": found, "most": MOST}, here="find")


@staff_only(Right.LOOK)
@require_safe
def sellers(request: HttpRequest, staff: User) -> HttpResponse:
    query = typed(request.GET, "q")
    page, next_after = page_of(request, sellers_named(query))
    ids = [seller.pk for seller in page]
    alerts, live = open_by_seller(ids), live_by_seller(ids)
    context = {
        "rows": [(seller, live.get(seller.pk, 0), alerts.get(seller.pk, 0)) for seller in page],
        "next_after": next_after,
        "query": query,
    }
    return show(request, "sellers", context, here="sellers")


@staff_only(Right.LOOK)
@require_safe
def quality(request: HttpRequest, staff: User) -> HttpResponse:
    query = typed(request.GET, "q")
    page, next_after = page_of(request, sellers_named(query))
    known = scores(page, now=timezone.now())
    context = {
        "rows": [(seller, known[seller.pk]) for seller in page],
        "next_after": next_after,
        "query": query,
        "measures": Score(Counts()).rates,
        "days": DAYS,
        "enough": ENOUGH,
    }
    return show(request, "quality", context, here="sellers")


@staff_only(Right.LOOK)
@require_safe
def seller(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    found = get_object_or_404(sellers_named(""), public_id=public_id)
    now = timezone.now()
    alerts = list(found.alerts.filter(settled_at=None).select_related("order", "connection").order_by("-pk")[:LAST])
    counts = queues(seller=found, now=now)
    context = {
        "seller": found,
        "suspension": suspension_of(found) if found.barred else None,
        "healths": [
            (health, label(health.shop.platform))
            for health in healths_of(found.connections.select_related("party").order_by("pk"), alerts)
        ],
        "alerts": alerts,
        "queues": [(words, counts[name]) for name, words in QUEUE_WORDS.items()],
        "orders": in_queue(seller=found, queue="all", now=now, limit=LAST),
        "balances": balances(found, now=now),
        "listings": live_by_seller([found.pk]).get(found.pk, 0),
        "tokens": found.tokens.filter(revoked_at=None).count(),
        "team": [(one, in_words(team_roles(one, found))) for one in members_of(found)],
        "deeds": deeds_of_seller(found)[:LAST],
    }
    return show(request, "seller", context, here="sellers")
