"""Connections, alerts and the rules of the day.

Connecting itself is done in the panel, since it needs its seller's sign-in.
"""

from collections.abc import Iterable
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router

from crossdock.domain.capability import Capability
from crossdock.domain.rules import RULES, Mode
from crossdock.store.models import Alert, Connection
from crossdock.usecases.record.alerts import settle_alert
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.queries import open_about
from crossdock.usecases.shops import pausing
from crossdock.usecases.stock.limits import push_fulfilments
from crossdock.web.api.people import actor_of, after_cursor, cursor_after, mine
from crossdock.web.api.problems import Refuse
from crossdock.web.api.shapes import ProblemOut
from crossdock.web.api.shop_shapes import AlertOut, AlertPage, ConnectionChange, ConnectionOut, RuleOut, SettleIn
from crossdock.web.seller.asking import platform
from crossdock.web.seller.health import Health, healths_of

router = Router()
PAGE = 50


def _shops(request: HttpRequest) -> QuerySet[Connection]:
    return mine(Connection, request).select_related("seller__owner", "party").order_by("pk")


def _shop(shop: Connection) -> dict[str, Any]:
    (said,) = _told([shop])
    return said


def _told(shops: Iterable[Connection]) -> list[dict[str, Any]]:
    """A fixed number of statements, however many shops there are."""
    rows = list(shops)
    return [_in_words(health) for health in healths_of(rows, open_about(rows))]


def _in_words(health: Health) -> dict[str, Any]:
    """Never the credentials, nor the settings they come with."""
    shop = health.shop
    return ConnectionOut(
        id=shop.public_id,
        seller=shop.seller.slug,
        platform=shop.platform,
        name=shop.name,
        address=shop.address,
        currency=shop.currency,
        state=shop.state,
        sentence=shop.state_sentence,
        health=health.word,
        health_sentence=health.sentence,
        push_fulfilments=shop.push_fulfilments if _pushes(shop) else None,
        checks=shop.checks,
        checked_at=shop.checked_at,
        last_read_at=shop.last_read_at,
        last_delivery_at=shop.last_delivery_at,
    ).model_dump(mode="json")


def _pushes(shop: Connection) -> bool:
    speaker = platform(shop.platform)
    return speaker is not None and speaker.manifest.can(Capability.FULFILMENT_WRITE)


def _one_shop(request: HttpRequest, id: str) -> Connection:
    return get_object_or_404(_shops(request), public_id=id)


@router.get("/connections", response=list[ConnectionOut], url_name="connections", tags=["connections"])
def shops(request: HttpRequest) -> list[dict[str, Any]]:
    return _told(_shops(request))


@router.get(
    "/connections/{str:id}", response={200: ConnectionOut, 404: ProblemOut}, url_name="connection", tags=["connections"]
)
def shop(request: HttpRequest, id: str) -> dict[str, Any]:
    return _shop(_one_shop(request, id))


@router.patch(
    "/connections/{str:id}",
    response={200: ConnectionOut, 404: ProblemOut, 409: ProblemOut},
    url_name="connection_change",
    tags=["connections"],
)
def change(request: HttpRequest, id: str, data: ConnectionChange) -> dict[str, Any]:
    """Its other settings are on its page."""
    shop = _one_shop(request, id)
    if not _pushes(shop):
        raise Refuse("not-allowed", "No shipments can be entered in shops of this platform.")
    push_fulfilments(connection=shop, on=data.push_fulfilments, actor=actor_of(request))
    return _shop(_one_shop(request, id))


@router.post("/connections/{str:id}/pause", response=ConnectionOut, url_name="connection_pause", tags=["connections"])
def pause(request: HttpRequest, id: str) -> dict[str, Any]:
    """Its listings stop selling; orders placed before wait. Pausing twice is pausing once."""
    pausing.pause(connection=_one_shop(request, id), actor=actor_of(request), now=timezone.now())
    return _shop(_one_shop(request, id))


@router.post("/connections/{str:id}/resume", response=ConnectionOut, url_name="connection_resume", tags=["connections"])
def resume(request: HttpRequest, id: str) -> dict[str, Any]:
    pausing.resume(connection=_one_shop(request, id), actor=actor_of(request), now=timezone.now())
    return _shop(_one_shop(request, id))


@router.get(
    "/policy/rules", response=list[RuleOut], url_name="rules", tags=["policy"], summary="S1 to S9 as they hold today"
)
def rules(request: HttpRequest) -> list[RuleOut]:
    """Staff switch them, on the policy page."""
    return [
        RuleOut(
            id=rule.id,
            title=rule.title,
            sentence=rule.lifted if lifted(rule=rule.id) and rule.lifted else rule.sentence,
            mode="lifted" if lifted(rule=rule.id) else "as-described",
            can_be_lifted=Mode.LIFTED in rule.built,
        )
        for rule in RULES
    ]


def _alerts(request: HttpRequest) -> QuerySet[Alert]:
    return (
        mine(Alert, request)
        .filter(for_staff=False)
        .select_related("seller", "order", "connection", "listing")
        .order_by("-pk")
    )


def _alert(alert: Alert) -> dict[str, Any]:
    return AlertOut(
        id=alert.public_id,
        code=alert.code,
        title=alert.kind.title,
        sentence=alert.sentence,
        button=alert.kind.button,
        seller=alert.seller.slug,
        order=alert.order.public_id if alert.order else None,
        connection=alert.connection.public_id if alert.connection else None,
        listing=alert.listing.public_id if alert.listing else None,
        times=alert.times,
        raised_at=alert.raised_at,
        last_at=alert.last_at,
        settled_at=alert.settled_at,
        settled_how=alert.settled_how,
    ).model_dump(mode="json")


@router.get("/alerts", response=AlertPage, url_name="alerts", tags=["alerts"])
def alerts(
    request: HttpRequest, cursor: str | None = None, state: Literal["open", "settled", "all"] = "open"
) -> dict[str, Any]:
    found = _alerts(request)
    if state != "all":
        found = found.filter(settled_at__isnull=state == "open")
    after = after_cursor(cursor)
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: PAGE + 1])
    following = cursor_after(page[PAGE - 1].pk) if len(page) > PAGE else None
    return {"items": [_alert(alert) for alert in page[:PAGE]], "next": following}


@router.post(
    "/alerts/{str:id}/settle", response={200: AlertOut, 404: ProblemOut}, url_name="alert_settle", tags=["alerts"]
)
def settle(request: HttpRequest, id: str, data: SettleIn) -> dict[str, Any]:
    """The first to settle is kept."""
    alert = get_object_or_404(_alerts(request), public_id=id)
    settle_alert(alert=alert, actor=actor_of(request), how=data.how, now=timezone.now())
    return _alert(get_object_or_404(_alerts(request), public_id=id))
