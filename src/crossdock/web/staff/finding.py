"""The search box over everything, and sellers: who they are, how their shops do, what waits for them, what staff did
there.
"""

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import Alert, AuditEntry, Entry, Listing, Seller, User
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue.staff_search import MOST, look_up
from crossdock.usecases.orders.actions import in_queue, queues
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import typed
from crossdock.web.seller.health import healths_of
from crossdock.web.seller.home import QUEUE_WORDS
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
    rows = Seller.objects.select_related("owner")
    if query:
        rows = rows.filter(Q(name__icontains=query) | Q(owner__email__icontains=query))
    page, next_after = page_of(request, rows)
    ids = [seller.pk for seller in page]
    alerts = dict(Alert.objects.filter(seller__in=ids, settled_at=None).values_list("seller").annotate(n=Count("pk")))
    live = dict(
        Listing.objects.filter(seller__in=ids, state=ListingState.LIVE).values_list("seller").annotate(n=Count("pk"))
    )
    context = {
        "rows": [(seller, live.get(seller.pk, 0), alerts.get(seller.pk, 0)) for seller in page],
        "next_after": next_after,
        "query": query,
    }
    return show(request, "sellers", context, here="sellers")


@staff_only(Right.LOOK)
@require_safe
def seller(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    found = get_object_or_404(Seller.objects.select_related("owner"), public_id=public_id)
    now = timezone.now()
    alerts = list(found.alerts.filter(settled_at=None).select_related("order", "connection").order_by("-pk")[:LAST])
    counts = queues(seller=found, now=now)
    payable = Entry.objects.filter(account=f"seller:{found.pk}").values("currency").annotate(owed=Sum("amount_minor"))
    about = Q(detail__seller=found.public_id) | Q(
        detail__shop__in=list(found.connections.values_list("public_id", flat=True))
    )
    context = {
        "seller": found,
        "healths": [
            (health, label(health.shop.platform))
            for health in healths_of(found.connections.select_related("party").order_by("pk"), alerts)
        ],
        "alerts": alerts,
        "queues": [(words, counts[name]) for name, words in QUEUE_WORDS.items()],
        "orders": in_queue(seller=found, queue="all", now=now, limit=LAST),
        "payable": [(-row["owed"], row["currency"]) for row in payable.order_by("currency")],
        "listings": theirs(Listing, found).filter(state=ListingState.LIVE).count(),
        "tokens": found.tokens.filter(revoked_at=None).count(),
        "deeds": AuditEntry.objects.filter(about).select_related("actor").order_by("-pk")[:LAST],
    }
    return show(request, "seller", context, here="sellers")
