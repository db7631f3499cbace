"""A checkout session as the protocol writes it: what it costs now, what stands against it, and once it is paid what
came of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from crossdock.domain.places import COUNTRIES, postal_country
from crossdock.domain.values import Address
from crossdock.store.models import AgentSession, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.store.together import ask
from crossdock.usecases.checkout.agent_order import moment, order_out
from crossdock.usecases.checkout.agent_sessions import (
    Paid,
    basket_of,
    email_in,
    note_shown,
    paid_basket,
    payment_of,
)
from crossdock.usecases.checkout.agent_totals import add_up, entry, totals
from crossdock.usecases.checkout.basket import PricedBasket, PricedLine, PricedPart, found_in, priced, questions
from crossdock.web.agents.messages import Message, error, info, of_items, of_person
from crossdock.web.agents.payment_handlers import NONE, handlers
from crossdock.web.agents.refusing import Refusal
from crossdock.web.payments import chosen_gateway


@dataclass(frozen=True, slots=True)
class Looked:
    """A session as it stands now. `shown` is what it costs; `against` what keeps it from being paid."""

    session: AgentSession
    shown: PricedBasket
    against: Sequence[Message] = ()
    paid: PaymentIntent | None = None
    came: Paid | None = None
    more: Sequence[Message] = ()

    @property
    def status(self) -> str:
        session = self.session
        if self.paid is not None:
            return "completed" if self.paid.state == IntentState.CAPTURED else "complete_in_progress"
        if session.canceled_at is not None:
            return "canceled"
        if session.expires_at <= timezone.now():
            return "expired"
        return "not_ready_for_payment" if self.against else "ready_for_payment"


def look(session: AgentSession, *more: Message) -> Looked:
    """Priced now; a session that is paid, or may be, as it was priced then. Raises Invalid where it cannot be, and
    Refusal for an open one whose items are sold in another currency by now: its code would stand beside their amounts.
    """
    paid = payment_of(session)
    if paid is not None:
        found = paid_basket(paid)
        if paid.state != IntentState.CAPTURED:
            more = (*more, info(paid.sentence or "The bank is being asked; read this session again in a moment."))
        return Looked(session, found.basket, paid=paid, came=found, more=more)
    to, basket = ship_to_in(session.details), basket_of(session)
    country = (to.territory or to.country) if to and postal_country(to.country) in COUNTRIES else None
    known = found_in(basket["lines"], *ask(*questions(basket["lines"])))
    shown = priced(basket=basket, country=country, now=timezone.now(), found=known)
    looked = Looked(session, shown)
    if shown.items.currency != session.currency and looked.status not in ("canceled", "expired"):
        words = f"These items are sold in {shown.items.currency} by now, and this session is in {session.currency}."
        raise Refusal(409, "conflict", f"{words} Nothing was charged; make a new session.")
    against = [*of_items(shown, country), *of_person(email_in(session.details), to)]
    if not handlers(chosen_gateway()):
        against.append(error("unsupported", NONE, "$.capabilities.payment", "requires_buyer_review"))
    why = session.intent.sentence if session.intent is not None else ""
    if why and why not in [one["content"] for one in more]:
        more = (*more, error("payment_declined", why, resolution="requires_buyer_input"))
    return replace(looked, against=against, more=more)


def name_in(details: dict[str, Any]) -> str:
    buyer, to = details.get("buyer", {}), details.get("fulfillment_details", {})
    both = f"{buyer.get('first_name', '')} {buyer.get('last_name', '')}".strip()
    return str(buyer.get("full_name") or both or to.get("name") or to.get("address", {}).get("name") or "")


def ship_to_in(details: dict[str, Any]) -> Address | None:
    to = details.get("fulfillment_details", {})
    found = to.get("address")
    if not found:
        return None
    return Address(
        name=found["name"],
        line1=found["line_one"],
        line2=found.get("line_two", ""),
        city=found["city"],
        region=found["state"].upper() if len(found["state"]) <= 3 else found["state"],
        country=found["country"].upper(),
        postal_code=found["postal_code"],
        company=found.get("company", ""),
        phone=to.get("phone_number", ""),
    )


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
        "status": looked.status,
        # What a session that is over would cost may be in another one by now.
        "currency": shown.items.currency.lower(),
        "line_items": lines,
        **details,
        "fulfillment_options": options,
        **({"selected_fulfillment_options": selected(shown)} if options else {}),
        "totals": said,
        "messages": [*looked.against, *looked.more],
        "links": [],
        "created_at": moment(session.created_at),
        "updated_at": moment(session.updated_at),
        "expires_at": moment(session.expires_at),
        **_order(looked),
    }


def _order(looked: Looked) -> dict[str, Any]:
    if looked.came is None or looked.paid is None or looked.paid.state != IntentState.CAPTURED:
        return {}
    return {"order": order_out(looked.session.public_id, looked.paid, looked.came)}


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


def option_id(part: PricedPart) -> str:
    """The same for the same seller's same shop."""
    whose = f"{part.seller.pk}:{part.connection.pk if part.connection else ''}"
    return "shipping_" + hashlib.sha256(whose.encode()).hexdigest()[:12]


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
