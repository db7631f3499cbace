"""A checkout session as the protocol writes it."""

from typing import Any

from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agents.acp import add_up, entry, order_out, totals
from crossdock.usecases.checkout.agents.order import agent_order, moment
from crossdock.usecases.checkout.agents.sessions import note_shown
from crossdock.usecases.checkout.basket import PricedBasket, PricedLine, PricedPart
from crossdock.web.agents.acp.messages import message
from crossdock.web.agents.acp.payment_handlers import handlers
from crossdock.web.agents.looking import Looked, Status, option_id
from crossdock.web.payments import chosen_gateway

_STATUS: dict[Status, str] = {
    "open": "not_ready_for_payment",
    "ready": "ready_for_payment",
    "paying": "complete_in_progress",
    "paid": "completed",
    "canceled": "canceled",
    "expired": "expired",
}


def session_out(looked: Looked) -> dict[str, Any]:
    """As it goes out; the agent was told these prices then, and no others are charged."""
    session, shown = looked.session, looked.shown
    if looked.paid is None:
        note_shown(session=session, fingerprint=shown.fingerprint)
    lines = [_line(line) for line in shown.lines]
    said = totals(shown.items, shown.shipping)
    add_up(said, lines)
    details = {key: value for key, value in session.details.items() if key in ("buyer", "fulfillment_details")}
    options = [option for part in shown.parts if (option := _option(part))]
    return {
        "id": session.public_id,
        "protocol": {"version": "2026-04-17"},
        "capabilities": {"payment": {"handlers": handlers(chosen_gateway())}},
        "status": _STATUS[looked.status],
        # What a session that is over would cost may be in another one by now.
        "currency": shown.items.currency.lower(),
        "line_items": lines,
        **details,
        "fulfillment_options": options,
        **({"selected_fulfillment_options": selected(shown)} if options else {}),
        "totals": said,
        "messages": [message(note) for note in (*looked.against, *looked.more)],
        "links": [],
        "created_at": moment(session.created_at),
        "updated_at": moment(session.updated_at),
        "expires_at": moment(session.expires_at),
        **_order(looked),
    }


def _order(looked: Looked) -> dict[str, Any]:
    if looked.came is None or looked.paid is None or looked.paid.state != IntentState.CAPTURED:
        return {}
    return {"order": order_out(agent_order(looked.session.public_id, looked.paid, looked.came))}


def _line(line: PricedLine) -> dict[str, Any]:
    """One of an item's units together; how many there are is not said."""
    listing = line.variant.listing
    available = {} if line.available is None else {"availability_status": "in_stock"}
    if line.available == 0:
        available = {"availability_status": "out_of_stock"}
    return {
        "id": line.variant.public_id,
        "item": {"id": line.variant.public_id, "name": str(line.variant), "unit_amount": line.unit_price.minor},
        "quantity": line.quantity,
        "name": str(line.variant),
        "unit_amount": line.unit_price.minor,
        "product_id": listing.public_id,
        "marketplace_seller_details": {"name": listing.seller.name},
        **available,
        "totals": [
            entry("items_base_amount", "Items", line.total),
            entry("subtotal", "Subtotal", line.total),
            entry("total", "Total", line.total),
        ],
    }


def _option(part: PricedPart) -> dict[str, Any] | None:
    """Each seller ships their own, at one price; None where it is not known."""
    if part.shipping is None:
        return None
    return {
        "type": "shipping",
        "id": option_id(part),
        "title": f"Shipping by {part.seller.name}",
        "totals": [entry("fulfillment", "Shipping", part.shipping), entry("total", "Total", part.shipping)],
    }


def selected(shown: PricedBasket) -> list[dict[str, Any]]:
    """There is one way for each seller's items, so it is chosen."""
    return [
        {
            "type": "shipping",
            "option_id": option_id(part),
            "item_ids": [line.variant.public_id for line in part.lines],
        }
        for part in shown.parts
        if part.shipping is not None
    ]
