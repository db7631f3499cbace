"""A platform's privacy requests.

Traces that may name people go: delivery bodies, recorded calls, addresses of finished orders. Books and counts stay.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import (
    AgentSession,
    AuditTopic,
    Call,
    Command,
    Connection,
    Delivery,
    Exchange,
    IdempotentReply,
    Label,
    Order,
)
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.store.vault import seal
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.timeline import tell
from crossdock.usecases.risk.trace import forget

NOBODY = {"name": "Erased", "line1": "", "city": "", "country": ""}


def erase_buyer(*, connection_id: int, shop_order_ids: Sequence[str], now: datetime) -> int:
    """Forget who bought these orders in what we keep for the shop.

    An order that still has to be shipped keeps its address until it is. Returns how many.
    """
    with transaction.atomic():
        shop = Connection.objects.select_related("party").get(pk=connection_id)
        orders = Order.objects.select_for_update(no_key=True, of=("self",)).filter(
            copy__connection=shop, copy__shop_order_id__in=list(shop_order_ids)
        )
        erased = 0
        for order in orders.order_by("pk"):
            if order.cancelled_at is None and order.parcels != "shipped":
                tell(
                    order=order,
                    now=now,
                    source="shop",
                    kind="privacy_waits",
                    sentence="The shop asked to erase the buyer; done once the order is shipped.",
                )
                continue
            order.ship_to = {**NOBODY, "country": order.ship_to["country"]}
            order.save(update_fields=["ship_to"])
            _forget_copies(order)
            forget(orders=[order.pk])
            Command.objects.filter(subject=order.reference).exclude(
                state__in=[CommandState.WAITING, CommandState.IN_FLIGHT]
            ).update(payload={})
            tell(
                order=order,
                now=now,
                source="shop",
                kind="privacy",
                sentence="The buyer's address was erased at the shop's request.",
            )
            erased += 1
        _forget_traces(shop)
        _audit("erase_buyer", shop, {"orders": erased}, now=now)
    return erased


def data_requested(*, connection_id: int, request: str, shop_order_ids: Sequence[str], now: datetime) -> None:
    """A buyer asks what is kept about them.

    Our staff answer the shop's owner by hand, within the platform's time; the seller is not asked anything here.
    """
    shop = Connection.objects.select_related("seller__owner").get(pk=connection_id)
    orders = Order.objects.filter(copy__connection=shop, copy__shop_order_id__in=list(shop_order_ids)).order_by("pk")
    numbers = [f"#{number}" for number in orders.values_list("number", flat=True)]
    about = f"orders {', '.join(numbers)}" if numbers else "no order that we know of"
    raise_alert(
        code=AlertCode.DATA_REQUEST,
        seller=shop.seller,
        connection=shop,
        key=f"shop:{shop.pk}:{request}",
        for_staff=True,
        now=now,
        evidence={"request": request, "orders": numbers},
        sentence=(
            f"A buyer of {shop.name} asks through {shop.platform} what is kept about them: {about}. Send the shop's"
            " owner what we hold, then settle this."
        ),
    )


def erase_shop(*, connection_id: int, now: datetime) -> None:
    """Forget the shop: keys, deliveries, recorded calls, settings. Orders keep what the books must keep."""
    with transaction.atomic():
        shop = (
            Connection.objects.select_for_update(no_key=True, of=("self",))
            .select_related("party")
            .get(pk=connection_id)
        )
        shop.state, shop.state_sentence = ConnectionState.DISCONNECTED, "Erased at the platform's request."
        shop.secrets, shop.settings, shop.checks, shop.hooks = seal({}), {}, [], {}
        shop.save()
        _forget_traces(shop)
        _audit("erase_shop", shop, {}, now=now)


def _forget_copies(order: Order) -> None:
    """The address also stands in what was to be paid, on labels, and in answers of the API that are kept for a repeat
    (which then is worked out anew).
    """
    intent = order.intent
    if intent is not None:
        intent.basket = {**intent.basket, "ship_to": order.ship_to}
        intent.save(update_fields=["basket"])
    for label in Label.objects.filter(order=order):
        label.wanted = {**label.wanted, "ship_to": order.ship_to}
        label.save(update_fields=["wanted"])
        label.documents.all().delete()
    forget_replies([order.reference])


def forget_replies(references: Sequence[str]) -> None:
    """What the API answered about these orders and keeps for a repeat, which then is worked out anew."""
    about = Q(body__reference__in=references) | Q(body__order__reference__in=references)
    for reference in references:
        about |= Q(body__others__contains=[{"reference": reference}])
    sessions = AgentSession.objects.filter(intent__orders__reference__in=references)
    about |= Q(body__id__in=list(sessions.values_list("public_id", flat=True)))
    IdempotentReply.objects.filter(about).delete()


def _forget_traces(shop: Connection) -> None:
    """Handled deliveries lose body and news; one that still waits keeps its ids, which name nobody, and loses its
    body.
    """
    Delivery.objects.filter(party=shop.party).update(body=b"")
    Delivery.objects.filter(party=shop.party, handled_at__isnull=False).update(news={})
    Exchange.objects.filter(party=shop.party).delete()
    Call.objects.filter(party=shop.party).delete()


def _audit(action: str, shop: Connection, detail: dict[str, int], *, now: datetime) -> None:
    subject = f"connection {shop.public_id}"
    note(actor=None, action=action, subject=subject, now=now, detail=detail, topic=AuditTopic.SYSTEM)
