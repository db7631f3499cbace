"""An order as the Universal Commerce Protocol writes it: what is given back is negative, and the totals stay those of
what was bought.
"""

from collections.abc import Mapping
from typing import Any

from crossdock.domain.values import Money
from crossdock.usecases.checkout.agents.order import AgentOrder, Back, BoughtLine, Sent, moment
from crossdock.usecases.checkout.basket import PricedLine


def entry(kind: str, words: str, amount: Money) -> dict[str, Any]:
    return {"type": kind, "display_text": words, "amount": amount.minor}


def totals(items: Money, shipping: Money | None) -> list[dict[str, Any]]:
    """All but the total add up to it. Prices hold all taxes, so there is no line for them. Without shipping, which
    needs a country, the total is of the items alone.
    """
    found = [entry("subtotal", "Subtotal", items)]
    if shipping is not None:
        found.append(entry("fulfillment", "Shipping", shipping))
    return [*found, entry("total", "Total", items if shipping is None else items + shipping)]


def add_up(said: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """Raises ValueError where a total is not the sum of what stands above it; nothing of it goes out then."""
    of_lines = sum(one["amount"] for line in lines for one in line["totals"] if one["type"] == "total")
    by = {kind: [one["amount"] for one in said if one["type"] == kind] for kind in ("subtotal", "total")}
    above = sum(one["amount"] for one in said if one["type"] != "total")
    if by["subtotal"] != [of_lines] or by["total"] != [above] or min(one["amount"] for one in said) < 0:
        raise ValueError("The totals do not add up.")


def line_out(line: PricedLine) -> dict[str, Any]:
    return {
        "id": line.variant.public_id,
        "item": {"id": line.variant.public_id, "title": str(line.variant), "price": line.unit_price.minor},
        "quantity": line.quantity,
        "totals": [entry("subtotal", "Subtotal", line.total), entry("total", "Total", line.total)],
    }


def sold_by(number: int, line: PricedLine) -> dict[str, Any]:
    """The protocol has no field for the seller of a line, and the codes of what is only said are free."""
    name = line.variant.listing.seller.name
    return {"type": "info", "code": "seller", "path": f"$.line_items[{number}]", "content": f"Sold by {name}."}


def order_out(order: AgentOrder, ucp: Mapping[str, Any]) -> dict[str, Any]:
    """The whole order each time. Nothing of who bought is in it."""
    return {
        "ucp": dict(ucp),
        "id": order.id,
        "label": order.label or order.id,
        "checkout_id": order.session,
        "permalink_url": order.address,
        "currency": order.shown.items.currency,
        "line_items": [_line(one) for one in order.lines],
        "fulfillment": {"events": [_event(one) for one in order.sent]},
        "adjustments": [_adjustment(one) for one in order.back],
        "totals": totals(order.shown.items, order.shown.shipping),
        "messages": [sold_by(number, one.line) for number, one in enumerate(order.lines)],
    }


def _line(bought: BoughtLine) -> dict[str, Any]:
    quantity = {"original": bought.line.quantity, "total": bought.current, "fulfilled": bought.shipped}
    return {**line_out(bought.line), "quantity": quantity, "status": bought.status}


def _event(sent: Sent) -> dict[str, Any]:
    return {
        "id": sent.id,
        "occurred_at": moment(sent.at),
        "type": "shipped",
        "line_items": [{"id": id, "quantity": many} for id, many in sent.units.items()],
        **({"carrier": sent.carrier} if sent.carrier else {}),
        **({"tracking_number": sent.number} if sent.number else {}),
        **({"tracking_url": sent.link} if sent.link else {}),
    }


def _adjustment(back: Back) -> dict[str, Any]:
    units = [{"id": id, "quantity": -many} for id, many in back.units.items()]
    return {
        "id": back.id,
        "type": back.kind,
        "occurred_at": moment(back.at),
        "status": back.state,
        **({"line_items": units} if units else {}),
        "totals": [{"type": "total", "display_text": "Refunded", "amount": -back.amount.minor}],
        "description": back.words,
    }
