"""What sellers' own programs are told: one command per event and receiver.

Written in the transaction of what happened, so nothing is told that did not happen.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from crossdock.domain.commands import CommandKind
from crossdock.domain.redact import redact_text
from crossdock.store.models import Alert, Command, Endpoint, Order
from crossdock.usecases.outbox.payloads import EVENT, SendEvent
from crossdock.usecases.outbox.queue import command_to, enqueue_all

ORDER_PLACED, ORDER_LANDED, ORDER_SHIPPED = "order.placed", "order.landed", "order.shipped"
ORDER_CANCELLED, ORDER_CREDITED = "order.cancelled", "order.credited"
CANCEL_ASKED, CANCEL_CLOSED = "order.cancel_requested", "order.cancel_request_closed"
RETURN_ASKED, RETURN_CLOSED = "order.return_requested", "order.return_closed"
ALERT_RAISED, ALERT_SETTLED = "alert.raised", "alert.settled"
EVENTS: dict[str, str] = {
    ORDER_PLACED: "An order was placed and paid",
    ORDER_LANDED: "An order stands in your shop",
    ORDER_SHIPPED: "A parcel left",
    ORDER_CANCELLED: "An order was cancelled or rejected",
    ORDER_CREDITED: "Money goes back to a buyer",
    CANCEL_ASKED: "A buyer asks to cancel an order: do not ship it yet",
    CANCEL_CLOSED: "The request was taken back, declined, or something was shipped",
    RETURN_ASKED: "A buyer asks to send something back, or withdrew after it was shipped",
    RETURN_CLOSED: "The return was received, declined, taken back, or refunded in your shop",
    ALERT_RAISED: "Something needs you",
    ALERT_SETTLED: "It is settled",
}
TEST = "test"
# Entries of an order's timeline that have a name outside. Credits are told where the books post them.
OF_TIMELINE = {
    "placed": ORDER_PLACED,
    "landed": ORDER_LANDED,
    "shipped": ORDER_SHIPPED,
    "rejected": ORDER_CANCELLED,
    "cancel_asked": CANCEL_ASKED,
    "cancel_closed": CANCEL_CLOSED,
    "return_asked": RETURN_ASKED,
    "return_closed": RETURN_CLOSED,
}


def receivers(sellers: Sequence[int]) -> QuerySet[Endpoint]:
    """Those that are told anything at all."""
    return Endpoint.objects.filter(seller_id__in=sellers, deleted_at=None, paused_at=None)


def event_commands(
    endpoints: Iterable[Endpoint], *, event: str, cause: str, data: dict[str, Any], now: datetime
) -> list[Command]:
    """To every receiver that wants it; not written yet.

    `cause` names what happened: the same one twice is one event, with the same id for every receiver and every try.
    """
    wanted = [endpoint for endpoint in endpoints if not endpoint.events or event in endpoint.events]
    if not wanted:
        return []
    said = {**data, "sentence": redact_text(data["sentence"])} if "sentence" in data else data
    return [_command(endpoint, event=event, cause=cause, data=said, now=now) for endpoint in wanted]


def send_to(*, endpoint: Endpoint, event: str, cause: str, data: dict[str, Any], now: datetime) -> None:
    """To this one, whatever it wants to hear."""
    enqueue_all([_command(endpoint, event=event, cause=cause, data=data, now=now)])


def _command(endpoint: Endpoint, *, event: str, cause: str, data: dict[str, Any], now: datetime) -> Command:
    """The body as it is signed and sent stands in the command."""
    event_id = f"evt_{hashlib.sha256(f'{event}:{cause}'.encode()).hexdigest()[:28]}"
    body = {"type": event, "timestamp": now.isoformat(timespec="seconds").replace("+00:00", "Z"), "data": data}
    return command_to(
        party_id=endpoint.party_id,
        cause=f"event:{event_id}:{endpoint.public_id}",
        subject=f"hook:{endpoint.public_id}:{event_id}",
        kind=CommandKind.SEND_EVENT,
        payload=EVENT.dump_python(SendEvent(endpoint.pk, event_id, body), mode="json"),
        now=now,
    )


def about_order(order: Order, sentence: str, more: dict[str, Any]) -> dict[str, Any]:
    """What is told of an order, as it is now."""
    return {"order": of_order(order), "sentence": sentence, **more}


def of_order(order: Order) -> dict[str, Any]:
    """Nothing about who bought: a program that may know asks the API with its token."""
    return {
        "id": order.public_id,
        "reference": order.reference,
        "number": order.number,
        "money": order.money,
        "parcels": order.parcels,
        "total": {"amount": str(order.total), "currency": order.currency},
        "credited": {"amount": str(order.credited), "currency": order.currency},
        "cancelled": order.cancelled_at is not None,
    }


def about_alert(alert: Alert) -> dict[str, Any]:
    """Raised once and settled once per row, however often its cause is seen."""
    return {
        "alert": {
            "id": alert.public_id,
            "code": alert.code,
            "title": alert.kind.title,
            "sentence": redact_text(alert.sentence),
            "button": alert.kind.button_label,
            "order": alert.order.public_id if alert.order else None,
            "connection": alert.connection.public_id if alert.connection else None,
            "listing": alert.listing.public_id if alert.listing else None,
            "settled_how": redact_text(alert.settled_how),
        }
    }
