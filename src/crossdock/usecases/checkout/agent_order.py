"""What a payment came to, as one order of the protocol: the marketplace is whom the buyer paid. Beneath it is an order
for each seller, and what one of them refuses stands in the adjustments with that seller's name.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.orders import ParcelState
from crossdock.domain.values import Money
from crossdock.store.models import AgentSession, Credit, Order, OrderLine, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agent_sessions import Paid, orders_of, paid_basket
from crossdock.usecases.checkout.agent_totals import entry, totals
from crossdock.usecases.checkout.basket import PricedLine

_STATUS = {
    CreditState.GRANTED: "pending",
    CreditState.REFUNDED: "completed",
    CreditState.FAILED: "failed",
}
_KIND = {CreditKind.REJECT: "cancellation", CreditKind.LINES: "cancellation", CreditKind.RETURN: "return"}


@dataclass(frozen=True, slots=True)
class OrderNews:
    """What an agent's program is to be told now; without `body` nothing, and `why`. `told` is a digest of the order as
    the agent knows it then, and the same for as long as the order says the same.
    """

    told: str
    body: dict[str, Any] | None = None
    why: str = ""


def order_news(*, session: int, now: datetime) -> OrderNews:
    """Of a session's order, whole, as it is now."""
    row = AgentSession.objects.select_related("token", "intent").filter(pk=session).first()
    if row is None or row.intent is None or row.intent.state != IntentState.CAPTURED:
        return OrderNews(row.told if row else "", why="There is no order to tell of.")
    token = row.token
    if not settings.AGENTS or token.revoked_at is not None or (token.expires_at and token.expires_at <= now):
        return OrderNews(row.told, why="Its token holds no longer, so it is told nothing.")
    order = order_out(row.public_id, row.intent, paid_basket(row.intent))
    told = hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()
    if told == row.told:
        return OrderNews(told, why="It knows that already.")
    return OrderNews(told, {"type": "order_update" if row.told else "order_create", "data": order})


def order_out(session: str, intent: PaymentIntent, paid: Paid) -> dict[str, Any]:
    """The whole order each time."""
    orders, shown = orders_of(intent), paid.basket
    bought = {line.variant_id: (order, line) for order in orders for line in order.lines.all()}
    adjustments = [*_returned(intent, paid), *(one for order in orders for one in _credited(order))]
    given_back = sum(one["amount"] for one in adjustments if one["status"] != "failed")
    said = totals(shown.items, shown.shipping)
    if given_back:
        said.append(entry("amount_refunded", "Refunded", Money(given_back, intent.currency)))
    return {
        "type": "order",
        "id": intent.public_id,
        "checkout_session_id": session,
        "order_number": ", ".join(order.reference for order in orders),
        "permalink_url": f"{settings.BASE_URL}/checkout/paid/{intent.public_id}/",
        "status": _status(orders),
        "line_items": [_line(line, bought.get(line.variant.pk)) for line in shown.lines],
        "fulfillments": [one for order in orders for one in _parcels(order)],
        "adjustments": adjustments,
        "totals": said,
    }


def _status(orders: Sequence[Order]) -> str:
    going = [order for order in orders if order.cancelled_at is None]
    if not going:
        return "canceled"
    if all(order.parcels == ParcelState.SHIPPED for order in going):
        return "shipped"
    begun = len(going) < len(orders) or any(order.parcels != ParcelState.UNSHIPPED for order in going)
    return "processing" if begun else "confirmed"


def _line(line: PricedLine, bought: tuple[Order, OrderLine] | None) -> dict[str, Any]:
    """Without a line of an order its seller's part came to nothing; of a cancelled one what was sent stays."""
    current = shipped = 0
    if bought is not None:
        order, row = bought
        shipped = row.shipped
        current = row.kept if order.cancelled_at is None else shipped
    status = "removed" if not current else "fulfilled" if shipped >= current else "partial" if shipped else "processing"
    return {
        "id": line.variant.public_id,
        "title": str(line.variant),
        "product_id": line.variant.listing.public_id,
        "quantity": {"ordered": line.quantity, "current": current, "fulfilled": shipped},
        "unit_price": line.unit_price.minor,
        "subtotal": line.total.minor,
        "status": status,
    }


def _returned(intent: PaymentIntent, paid: Paid) -> Iterable[dict[str, Any]]:
    for number, (part, why) in enumerate(zip(paid.basket.parts, paid.back, strict=True)):
        if why and part.total is not None:
            yield {
                "id": f"{intent.public_id}-{number}",
                "type": "cancellation",
                "occurred_at": moment(intent.settled_at or intent.created_at),
                "status": "completed" if number in paid.returned else "pending",
                "line_items": [{"id": line.variant.public_id, "quantity": line.quantity} for line in part.lines],
                "amount": part.total.minor,
                "currency": intent.currency.lower(),
                "description": f"{part.seller.name}: {why}",
                "reason": "not_available",
            }


def _credited(order: Order) -> Iterable[dict[str, Any]]:
    for credit in order.credits.all():
        if (status := _STATUS.get(CreditState(credit.state))) is not None:
            units = _units(credit, order)
            yield {
                "id": credit.public_id,
                "type": _KIND.get(CreditKind(credit.kind), "refund"),
                "occurred_at": moment(credit.granted_at or credit.asked_at),
                "status": status,
                **({"line_items": units} if units else {}),
                "amount": credit.amount_minor,
                "currency": credit.currency.lower(),
                "description": f"{order.seller.name}: {credit.reason}",
                **({"reason": order.cancel_reason} if order.cancel_reason else {}),
            }


def _units(credit: Credit, order: Order) -> list[dict[str, Any]]:
    """Which units it is for, where it is for units."""
    by_line = {line.pk: line for line in order.lines.all()}
    named = _named(credit)
    if credit.kind == CreditKind.REJECT:
        # All that was left, beside what was rejected line by line before.
        before = [_named(other) for other in order.credits.all() if other.kind == CreditKind.LINES]
        named = {pk: line.quantity - sum(each.get(pk, 0) for each in before) for pk, line in by_line.items()}
    return [
        {"id": by_line[pk].variant.public_id, "quantity": units}
        for pk, units in named.items()
        if units > 0 and pk in by_line
    ]


def _named(credit: Credit) -> dict[int, int]:
    return {one["line"]: one["units"] for one in credit.lines if "units" in one}


def _parcels(order: Order) -> Iterable[dict[str, Any]]:
    for parcel in order.shipments.all():
        if parcel.undone_at is None:
            at = moment(parcel.shipped_at)
            inside = [{"id": one.line.variant.public_id, "quantity": one.quantity} for one in parcel.lines.all()]
            link = parcel.tracking_url if parcel.tracking_url.startswith(("http://", "https://")) else ""
            yield {
                "id": f"parcel_{parcel.pk}",
                "type": "shipping",
                "status": "shipped",
                **({"line_items": inside} if inside else {}),
                **({"carrier": parcel.carrier} if parcel.carrier else {}),
                **({"tracking_number": parcel.tracking_number} if parcel.tracking_number else {}),
                **({"tracking_url": link} if link else {}),
                "events": [{"id": f"parcel_{parcel.pk}_shipped", "type": "shipped", "occurred_at": at}],
            }


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
