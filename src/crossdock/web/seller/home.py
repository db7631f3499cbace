"""The panel's first page: how it stands in one sentence, what needs a person, what waits to be shipped."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.daily.filters import QUEUE_WORDS
from crossdock.store.models import Connection, Listing, Seller
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.catalogue.evening.facts import with_sold
from crossdock.usecases.orders.daily.order_list import queues
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.record.rights import theirs
from crossdock.web.seller.alert_view import view_of
from crossdock.web.seller.health import healths_of, summary
from crossdock.web.seller.panel import sellers_only, show

SHOWN_ALERTS = 8


@sellers_only
@require_safe
def home(request: HttpRequest, seller: Seller) -> HttpResponse:
    alerts = list(open_alerts(seller=seller))
    shops = theirs(Connection, seller).exclude(state=ConnectionState.DISCONNECTED)
    healths = healths_of(with_sold(shops).select_related("party").order_by("pk"), alerts)
    counts = queues(seller=seller, now=timezone.now())
    context = {
        "summary": summary(healths),
        "healths": healths,
        "alerts": [view_of(alert) for alert in alerts[:SHOWN_ALERTS]],
        "more_alerts": max(0, len(alerts) - SHOWN_ALERTS),
        "queues": [(name, words, counts[name]) for name, words in QUEUE_WORDS.items() if name != "all"],
        "listings": theirs(Listing, seller).count(),
    }
    return show(request, seller, "home", context, here="home")
