"""An alert as pages show it: where its one button leads, and what settles it there."""

from dataclasses import dataclass

from django.urls import reverse

from crossdock.domain.alerts import AlertCode, Button
from crossdock.store.models import Alert, Listing, Order, Shipment
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.money.credits import why_not_ask
from crossdock.usecases.orders.actions import why_not_create
from crossdock.usecases.orders.reject import why_not_reject
from crossdock.usecases.outbox.queries import gave_up


@dataclass(frozen=True, slots=True)
class AlertView:
    """`url` is where the button leads; `post` says that pressing it does something at once.

    `how` is sent along when it settles the alert. `words` stand on the button where what it
    usually does cannot be done now.
    """

    alert: Alert
    url: str
    post: bool = False
    how: str = ""
    words: str = ""

    @property
    def label(self) -> str:
        return self.words or self.alert.kind.button_label

    @property
    def settle_url(self) -> str:
        return reverse("seller_alert_settle", args=[self.alert.public_id])

    @property
    def own_url(self) -> str:
        return reverse("seller_alert", args=[self.alert.public_id])


def subject_url(alert: Alert) -> str:
    """The page of what it is about."""
    if alert.order is not None:
        return reverse("seller_order", args=[alert.order.public_id])
    if alert.listing is not None:
        return reverse("seller_listing", args=[alert.listing.public_id])
    if alert.connection is not None:
        return reverse("seller_shop", args=[alert.connection.public_id])
    return reverse("seller_alert", args=[alert.public_id])


def view_of(alert: Alert) -> AlertView:
    """Where this alert's button leads; without its subject it leads to what there is."""
    order, shop = alert.order, alert.connection
    match alert.kind.button:
        case Button.CREATE_IN_SHOP if order is not None:
            if why_not_create(order):
                return AlertView(alert, subject_url(alert), words="See the order")
            return AlertView(alert, reverse("seller_order_create", args=[order.public_id]), post=True)
        case Button.REJECT_ORDER if order is not None:
            return _reject(alert, order)
        case Button.LIST_AGAIN if alert.listing is not None and _can_relist(alert.listing):
            url = reverse("seller_listing_state", args=[alert.listing.public_id])
            return AlertView(alert, f"{url}?to=relist", post=True)
        case Button.LOOK_AT_ORDER if alert.code == AlertCode.LABEL_UNUSED and "label" in alert.evidence:
            return AlertView(alert, reverse("seller_label", args=[alert.evidence["label"]]))
        case Button.LOOK_AT_ORDER if "return" in alert.evidence:
            return AlertView(alert, reverse("seller_return", args=[alert.evidence["return"]]))
        case Button.ADD_TRACKING if order is not None:
            parcel = _parcel(alert, order)
            if parcel is not None:
                return AlertView(alert, reverse("seller_parcel", args=[order.public_id, parcel.pk]))
            return AlertView(alert, subject_url(alert))
        case Button.SEND_AGAIN if (command := _dead(alert)) is not None:
            return AlertView(alert, reverse("seller_resend", args=[command]), post=True)
        case Button.RECONNECT if shop is not None:
            return AlertView(alert, reverse("seller_reconnect", args=[shop.public_id]))
        case Button.TEST_CONNECTION if shop is not None:
            return AlertView(alert, reverse("seller_shop_test", args=[shop.public_id]), post=True)
        case Button.CONFIRM_MONEY if shop is not None:
            return AlertView(alert, reverse("seller_shop_money", args=[shop.public_id]), post=True)
        case Button.LEAVE_IT:
            return AlertView(
                alert, reverse("seller_alert_settle", args=[alert.public_id]), post=True, how=alert.kind.seen
            )
        case Button.ASK_STAFF:
            return AlertView(alert, f"{reverse('seller_case_new')}?alert={alert.public_id}")
        case Button.APPEAL if alert.listing is not None:
            return AlertView(alert, reverse("seller_listing_appeal", args=[alert.listing.public_id]))
        case Button.SEE_PRICES:
            return AlertView(alert, reverse("seller_prices"))
        case Button.SEE_PAYOUTS:
            currency = alert.evidence.get("currency", alert.seller.currency)
            return AlertView(alert, reverse("seller_payout_account", args=[currency]))
        case Button.SEE_ENDPOINT if "endpoint" in alert.evidence:
            return AlertView(alert, reverse("seller_webhook", args=[alert.evidence["endpoint"]]))
        case Button.LOOK_AT_ORDER if order is not None and alert.code == AlertCode.REFUNDED_IN_SHOP:
            return AlertView(alert, _refund_url(alert, order))
        case _:
            return AlertView(alert, subject_url(alert))


def _can_relist(listing: Listing) -> bool:
    return listing.state == ListingState.ARCHIVED and not listing.gone_in_shop


def _reject(alert: Alert, order: Order) -> AlertView:
    """Once something was shipped, staff give the credit."""
    if not why_not_reject(order):
        return AlertView(alert, reverse("seller_order_reject", args=[order.public_id]))
    if not why_not_ask(order):
        return AlertView(alert, reverse("seller_order_credit", args=[order.public_id]), words="Ask for a credit")
    return AlertView(alert, subject_url(alert), words="See the order")


def _refund_url(alert: Alert, order: Order) -> str:
    """The buyer is credited by a reject while nothing was shipped; afterwards staff are asked for just that amount."""
    if not why_not_reject(order):
        return reverse("seller_order_reject", args=[order.public_id])
    if why_not_ask(order):
        return subject_url(alert)
    return f"{reverse('seller_order_credit', args=[order.public_id])}?refund={alert.evidence.get('refund', '')}"


def _parcel(alert: Alert, order: Order) -> Shipment | None:
    """The parcel that it asks about; the first without a number otherwise."""
    standing = order.shipments.filter(undone_at=None).order_by("pk")
    named = standing.filter(pk__in=alert.evidence.get("parcels", [])).first()
    return named or (standing.filter(tracking_number="").first() if alert.code == AlertCode.TRACKING_MISSING else None)


def _dead(alert: Alert) -> int | None:
    """The command, while it can be sent again."""
    pk = alert.evidence.get("command")
    return pk if pk and gave_up(pk) else None
