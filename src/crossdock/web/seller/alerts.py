"""Alerts: what a person must settle, each with the one button that does it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.alerts import Button
from crossdock.store.models import Alert, Seller
from crossdock.usecases.alerts import open_alerts, settle_alert
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it

RECENT = 30


@dataclass(frozen=True, slots=True)
class AlertView:
    """`url` is where the button leads; `post` says that pressing it does something at once. `how` is sent along when it settles the alert."""

    alert: Alert
    url: str
    post: bool = False
    how: str = ""


def _subject(alert: Alert) -> str:
    if alert.order is not None:
        return reverse("seller_order", args=[alert.order.public_id])
    if alert.listing is not None:
        return reverse("seller_listing", args=[alert.listing.public_id])
    if alert.connection is not None:
        return reverse("seller_shop", args=[alert.connection.public_id])
    return reverse("seller_alerts")


def view_of(alert: Alert) -> AlertView:
    """Where this alert's button leads; without its subject it leads to what there is."""
    order, shop = alert.order, alert.connection
    match alert.kind.button:
        case Button.CREATE_IN_SHOP if order is not None:
            return AlertView(alert, reverse("seller_order_create", args=[order.public_id]), post=True)
        case Button.REJECT_ORDER if order is not None:
            return AlertView(alert, reverse("seller_order_reject", args=[order.public_id]))
        case Button.ADD_TRACKING if order is not None:
            bare = order.shipments.filter(tracking_number="", undone_at=None).first()
            if bare is not None:
                return AlertView(alert, reverse("seller_parcel", args=[order.public_id, bare.pk]))
            return AlertView(alert, _subject(alert))
        case Button.RECONNECT if shop is not None:
            return AlertView(alert, reverse("seller_reconnect", args=[shop.public_id]))
        case Button.TEST_CONNECTION if shop is not None:
            return AlertView(alert, reverse("seller_shop_test", args=[shop.public_id]), post=True)
        case Button.LEAVE_IT:
            how = "Left archived."
            return AlertView(alert, reverse("seller_alert_settle", args=[alert.public_id]), post=True, how=how)
        case _:
            return AlertView(alert, _subject(alert))


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    settled = Alert.objects.filter(seller=seller, settled_at__isnull=False).select_related("order", "settled_by")
    context = {
        "alerts": [view_of(alert) for alert in open_alerts(seller=seller)],
        "settled": settled.order_by("-settled_at")[:RECENT],
    }
    return show(request, seller, "alerts", context, here="alerts")


@sellers_only
@require_POST
def settle(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    alert = get_object_or_404(Alert, public_id=public_id, seller=seller)
    how = typed(request.POST, "how", longest=200)
    actor = signed_in(request)
    try_it(request, lambda now: settle_alert(alert=alert, actor=actor, how=how, now=now), "Settled.")
    return redirect("seller_alerts")
