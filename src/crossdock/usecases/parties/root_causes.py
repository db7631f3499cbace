"""Root causes: one dead key explains two hundred waiting orders. While its alert is open it counts them, and they
raise none of their own.

What is still wrong a while after the root cause ended has a cause of its own, and is told then.
"""

from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from crossdock.domain.alerts import ROOT_CAUSES, AlertCode
from crossdock.domain.orders import CopyState
from crossdock.store.models import Alert, Connection, ShopCopy
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.record.alerts import raise_alert, reword_alert, settle_by_fact

NOT_LANDED_AFTER = timedelta(minutes=15)
UNREACHABLE_AFTER = timedelta(minutes=10)
# Per round; the rest is told a minute later.
_AT_ONCE = 500


def waiting_orders(*, connection_id: int) -> int:
    """Orders that are not in their shop yet and still should be."""
    return _waiting().filter(connection_id=connection_id).count()


def _waiting() -> QuerySet[ShopCopy]:
    open_ones = ShopCopy.objects.filter(state__in=[CopyState.INTENDED, CopyState.SENT], order__cancelled_at=None)
    return open_ones.exclude(order__risk_hold__cleared_at=None, order__risk_hold__isnull=False)


def explained(*, connection_id: int | None) -> bool:
    """An open alert about the shop says why nothing gets there."""
    return connection_id is not None and _roots().filter(connection_id=connection_id).exists()


def _roots() -> QuerySet[Alert]:
    return Alert.objects.filter(code__in=ROOT_CAUSES, order=None, settled_at=None)


def tell_root(*, code: AlertCode, shop: Connection, now: datetime) -> None:
    """Raise it, or see it again, with how many orders wait for its end.

    `shop` comes with its party and its seller's owner.
    """
    waiting = waiting_orders(connection_id=shop.pk)
    raise_alert(
        code=code,
        seller=shop.seller,
        connection=shop,
        now=now,
        sentence=_sentence(code, shop, waiting),
        evidence={"orders_waiting": waiting},
    )


def _sentence(code: AlertCode, shop: Connection, waiting: int) -> str:
    orders = "1 order waits and is" if waiting == 1 else f"{waiting or 'No'} orders wait and are"
    if code is AlertCode.SIGN_IN_AGAIN:
        return f"{shop.name}: {shop.state_sentence} Its listings are not sold until you reconnect. {orders} sent then."
    since = f" since {shop.party.failing_since:%H:%M} UTC" if shop.party.failing_since else ""
    return f"{shop.name} has not answered{since}: {shop.party.last_error} {orders} sent when it is back."


def late_copies(*, now: datetime) -> int:
    """The order-landed guarantee's deadline.

    One alert per root cause, else one per order. Returns how many orders are late.
    """
    late = _late(now=now)
    by_shop = dict(late.values_list("connection").annotate(n=Count("pk")).order_by("connection"))
    shops = Connection.objects.select_related("party", "seller__owner").filter(pk__in=by_shop)
    alone = [shop.pk for shop in shops if not _of_the_shop(shop, by_shop[shop.pk], now=now)]
    _reword(now=now)
    _stock_not_taken(now=now)
    named = Alert.objects.filter(code=AlertCode.ORDER_NOT_LANDED, settled_at=None, order=OuterRef("order"))
    unnamed = late.filter(connection__in=alone).exclude(Exists(named))
    for copy in unnamed.select_related("order__seller__owner", "connection__party").order_by("intended_at")[:_AT_ONCE]:
        why = (
            copy.connection.state_sentence or copy.connection.party.last_error or "Your shop has not confirmed it yet."
        )
        raise_alert(
            code=AlertCode.ORDER_NOT_LANDED,
            seller=copy.order.seller,
            order=copy.order,
            connection=copy.connection,
            now=now,
            sentence=(
                f"Order {copy.order} is not in {copy.connection.name} yet. {why} It is sent as soon as possible;"
                " nothing is sent twice."
            ),
        )
    return sum(by_shop.values())


def _late(*, now: datetime) -> QuerySet[ShopCopy]:
    """The time counts from the end of what stopped the shop, if something did: what waited is sent first."""
    ended = (
        Alert.objects.filter(connection=OuterRef("connection"), code__in=ROOT_CAUSES, order=None)
        .exclude(settled_at=None)
        .order_by()
        .values("connection")
        .annotate(at=Max("settled_at"))
        .values("at")
    )
    since = Greatest(F("intended_at"), Coalesce(Subquery(ended), F("intended_at")))
    late = _waiting().filter(intended_at__lt=now - NOT_LANDED_AFTER).annotate(since=since)
    # An open root cause needs no patience: it is counted at once.
    return late.filter(Q(since__lt=now - NOT_LANDED_AFTER) | ~Q(connection__state=ConnectionState.ACTIVE))


def _of_the_shop(shop: Connection, late: int, *, now: datetime) -> bool:
    """Whether the shop itself explains its late orders; then one alert says so, and is raised again if somebody
    settled it too early.
    """
    if _roots().filter(connection=shop).exists():
        return True
    failing = shop.party.failing_since
    if shop.state == ConnectionState.NEEDS_REAUTH:
        tell_root(code=AlertCode.SIGN_IN_AGAIN, shop=shop, now=now)
    elif shop.state == ConnectionState.ACTIVE and failing is not None and now - failing > UNREACHABLE_AFTER:
        tell_root(code=AlertCode.SHOP_UNREACHABLE, shop=shop, now=now)
    elif shop.state == ConnectionState.PAUSED:
        orders = "1 order is" if late == 1 else f"{late} orders are"
        raise_alert(
            code=AlertCode.ORDER_NOT_LANDED,
            seller=shop.seller,
            connection=shop,
            key=f"paused:{shop.pk}",
            now=now,
            evidence={"orders_waiting": late},
            sentence=f"{orders} not in {shop.name}: {shop.state_sentence} What waits is sent when the shop is resumed.",
        )
    else:
        return False
    return True


def _reword(*, now: datetime) -> None:
    """Open root causes tell how many orders wait now."""
    for alert in _roots().select_related("connection__party", "connection__seller"):
        shop = alert.connection
        if shop is None:
            continue
        waiting = waiting_orders(connection_id=shop.pk)
        if waiting != alert.evidence.get("orders_waiting") and (shop.state_sentence or shop.party.last_error):
            sentence = _sentence(AlertCode(alert.code), shop, waiting)
            reword_alert(alert=alert, sentence=sentence, evidence={**alert.evidence, "orders_waiting": waiting})
    resumed = Alert.objects.filter(code=AlertCode.ORDER_NOT_LANDED, order=None, settled_at=None)
    for alert in resumed.exclude(connection__state=ConnectionState.PAUSED).select_related("connection"):
        settle_by_fact(
            now=now,
            how="The shop is not paused any more.",
            codes=(AlertCode.ORDER_NOT_LANDED,),
            connection=alert.connection,
        )


def _stock_not_taken(*, now: datetime) -> None:
    """The order stands there, and the shop still does not say that its units left the stock: it may sell them to
    somebody else.
    """
    named = Alert.objects.filter(code=AlertCode.STOCK_NOT_TAKEN, order=OuterRef("order"))
    bare = ShopCopy.objects.filter(
        state=CopyState.EQUAL,
        stock_taken=False,
        equal_at__lt=now - NOT_LANDED_AFTER,
        order__cancelled_at=None,
        order__parcels="unshipped",
    ).exclude(Exists(named))
    for copy in bare.select_related("order__seller__owner", "connection")[:_AT_ONCE]:
        raise_alert(
            code=AlertCode.STOCK_NOT_TAKEN,
            seller=copy.order.seller,
            order=copy.order,
            connection=copy.connection,
            now=now,
            sentence=(
                f"Order {copy.order} stands in {copy.connection.name} as {copy.shop_number or copy.shop_order_id}, but"
                " the shop did not take its units out of the stock. They stay unsold here; check the count there."
            ),
        )
