"""An order and amounts as the Agentic Commerce Protocol writes them. Its schema checks no sum, so what goes out is
checked here.
"""

from collections.abc import Mapping
from typing import Any

from crossdock.domain.values import Money
from crossdock.usecases.checkout.agents.order import AgentOrder, Back, BoughtLine, Sent, moment


def entry(kind: str, words: str, amount: Money) -> dict[str, Any]:
    return {"type": kind, "display_text": words, "amount": amount.minor}


def totals(items: Money, shipping: Money | None) -> list[dict[str, Any]]:
    """Prices hold all taxes, so there is no line for them. Without shipping, which needs a country, the total is of the
    items alone.
    """
    found = [entry("items_base_amount", "Items", items), entry("subtotal", "Subtotal", items)]
    if shipping is not None:
        found.append(entry("fulfillment", "Shipping", shipping))
    return [*found, entry("total", "Total", items if shipping is None else items + shipping)]


def add_up(said: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """Raises ValueError where a total is not the sum of what stands above it; nothing of it goes out then."""
    by = {one["type"]: one["amount"] for one in said}
    of_lines = sum(one["amount"] for line in lines for one in line["totals"] if one["type"] == "total")
    if by["items_base_amount"] != of_lines or by["subtotal"] != of_lines:
        raise ValueError("The items do not add up.")
    if by["total"] != by["subtotal"] + by.get("fulfillment", 0) or min(by.values()) < 0 or len(by) != len(said):
        raise ValueError("The totals do not add up.")


def order_out(order: AgentOrder) -> dict[str, Any]:
    """The whole order each time."""
    said = totals(order.shown.items, order.shown.shipping)
    if order.given_back.minor:
        said.append(entry("amount_refunded", "Refunded", order.given_back))
    return {
        "type": "order",
        "id": order.id,
        "checkout_session_id": order.session,
        "order_number": order.label,
        "permalink_url": order.address,
        "status": order.status,
        "line_items": [_line(one) for one in order.lines],
        "fulfillments": [_fulfillment(one) for one in order.sent],
        "adjustments": [_adjustment(one) for one in order.back],
        "totals": said,
    }


def _line(bought: BoughtLine) -> dict[str, Any]:
    line = bought.line
    return {
        "id": line.variant.public_id,
        "title": str(line.variant),
        "product_id": line.variant.listing.public_id,
        "quantity": {"ordered": line.quantity, "current": bought.current, "fulfilled": bought.shipped},
        "unit_price": line.unit_price.minor,
        "subtotal": line.total.minor,
        "status": bought.status,
    }


def _items(units: Mapping[str, int]) -> dict[str, Any]:
    return {"line_items": [{"id": id, "quantity": many} for id, many in units.items()]} if units else {}


def _adjustment(back: Back) -> dict[str, Any]:
    return {
        "id": back.id,
        "type": back.kind,
        "occurred_at": moment(back.at),
        "status": back.state,
        **_items(back.units),
        "amount": back.amount.minor,
        "currency": back.amount.currency.lower(),
        "description": back.words,
        **({"reason": back.reason} if back.reason else {}),
    }


def _fulfillment(sent: Sent) -> dict[str, Any]:
    return {
        "id": sent.id,
        "type": "shipping",
        "status": "shipped",
        **_items(sent.units),
        **({"carrier": sent.carrier} if sent.carrier else {}),
        **({"tracking_number": sent.number} if sent.number else {}),
        **({"tracking_url": sent.link} if sent.link else {}),
        "events": [{"id": f"{sent.id}_shipped", "type": "shipped", "occurred_at": moment(sent.at)}],
    }
