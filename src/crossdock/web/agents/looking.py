"""A checkout session as it stands now: what it costs, what stands against it, and once it is paid what came of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.utils import timezone

from crossdock.domain.places import COUNTRIES, postal_country
from crossdock.domain.values import Address
from crossdock.store.models import AgentSession, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.store.together import ask
from crossdock.usecases.checkout.agents.sessions import Paid, basket_of, email_in, paid_basket, payment_of
from crossdock.usecases.checkout.basket import PricedBasket, PricedPart, found_in, priced, questions
from crossdock.web.agents.means import NONE, offered
from crossdock.web.agents.notes import Note, of_items, of_person
from crossdock.web.agents.refusing import Refusal
from crossdock.web.payments import chosen_gateway

Status = Literal["open", "ready", "paying", "paid", "canceled", "expired"]


@dataclass(frozen=True, slots=True)
class Looked:
    """`shown` is what it costs; `against` what keeps it from being paid, `more` what else is to be said."""

    session: AgentSession
    shown: PricedBasket
    against: Sequence[Note] = ()
    paid: PaymentIntent | None = None
    came: Paid | None = None
    more: Sequence[Note] = ()

    @property
    def status(self) -> Status:
        session = self.session
        if self.paid is not None:
            return "paid" if self.paid.state == IntentState.CAPTURED else "paying"
        if session.canceled_at is not None:
            return "canceled"
        if session.expires_at <= timezone.now():
            return "expired"
        return "open" if self.against else "ready"


def look(session: AgentSession, *more: Note) -> Looked:
    """Priced now; a session that is paid, or may be, as it was priced then. Raises Invalid where it cannot be, and
    Refusal for an open one whose items are sold in another currency by now: its code would stand beside their amounts.
    """
    paid = payment_of(session)
    if paid is not None:
        found = paid_basket(paid)
        if paid.state != IntentState.CAPTURED:
            words = paid.sentence or "The bank is being asked; read this session again in a moment."
            more = (*more, Note("info", "", words))
        return Looked(session, found.basket, paid=paid, came=found, more=more)
    to, basket = ship_to_in(session.details), basket_of(session)
    country = (to.territory or to.country) if to and postal_country(to.country) in COUNTRIES else None
    known = found_in(basket["lines"], *ask(*questions(basket["lines"])))
    shown = priced(basket=basket, country=country, now=timezone.now(), found=known)
    looked = Looked(session, shown)
    if shown.items.currency != session.currency and looked.status not in ("canceled", "expired"):
        words = f"These items are sold in {shown.items.currency} by now, and this session is in {session.currency}."
        raise Refusal(409, "conflict", f"{words} Nothing was charged; make a new session.", outcome=True)
    against = [*of_items(shown, country), *of_person(email_in(session.details), to)]
    if not offered(chosen_gateway()):
        against.append(Note("error", "no_means", NONE, "means"))
    why = session.intent.sentence if session.intent is not None else ""
    if why and why not in [one.words for one in more]:
        more = (*more, Note("error", "declined", why))
    return replace(looked, against=against, more=more)


def option_id(part: PricedPart) -> str:
    """Of the one way that a part is shipped; the same for the same seller's same shop."""
    whose = f"{part.seller.pk}:{part.connection.pk if part.connection else ''}"
    return "shipping_" + hashlib.sha256(whose.encode()).hexdigest()[:12]


def name_in(details: dict[str, Any]) -> str:
    buyer, to = details.get("buyer", {}), details.get("fulfillment_details", {})
    both = f"{buyer.get('first_name', '')} {buyer.get('last_name', '')}".strip()
    return str(buyer.get("full_name") or both or to.get("name") or to.get("address", {}).get("name") or "")


def ship_to_in(details: dict[str, Any]) -> Address | None:
    """None where no address was given; of one that is not whole yet what is missing is empty."""
    to = details.get("fulfillment_details", {})
    found = to.get("address")
    if not found:
        return None
    state = found.get("state", "")
    return Address(
        name=found.get("name", ""),
        line1=found.get("line_one", ""),
        line2=found.get("line_two", ""),
        city=found.get("city", ""),
        region=state.upper() if len(state) <= 3 else state,
        country=found.get("country", "").upper(),
        postal_code=found.get("postal_code", ""),
        company=found.get("company", ""),
        phone=to.get("phone_number", ""),
    )
