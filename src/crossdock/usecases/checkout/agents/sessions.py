"""Checkout sessions of agents. Nothing is held and nothing is charged before `begin_payment`, which writes the payment
and its session's name for it in one transaction; so whoever asks again meets the same payment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.retention import SESSION_LIVES
from crossdock.domain.values import Address, Money
from crossdock.store.models import AgentSession, ApiToken, Order, PaymentIntent, Seller, Variant
from crossdock.store.models.money import IntentState
from crossdock.usecases.accounts.buyers import buyer_of
from crossdock.usecases.checkout.basket import Basket, PricedBasket, PricedLine, PricedPart
from crossdock.usecases.checkout.checkout import PAGE_WAITS, open_checkout
from crossdock.usecases.checkout.gone import given_back
from crossdock.usecases.checkout.parts import parts_of, units_of
from crossdock.usecases.errors import NotAllowed, Stale
from crossdock.usecases.record.agent_news import payment_key

_OVER = (IntentState.DECLINED, IntentState.ABANDONED)


class OnItsWay(NotAllowed):
    """Another request asks the bank for this payment right now."""


def sessions_of(agent: ApiToken) -> QuerySet[AgentSession]:
    """Another agent's are not found."""
    return AgentSession.objects.filter(token=agent).select_related("intent")


def session_behind(agent: ApiToken, order: str, *, protocol: str) -> AgentSession | None:
    """Of this agent's, the one that was paid by the payment of this public id."""
    return sessions_of(agent).filter(intent__public_id=order, protocol=protocol).first()


def basket_of(session: AgentSession) -> Basket:
    return {"lines": dict(session.items)}


def payment_of(session: AgentSession) -> PaymentIntent | None:
    """The payment that paid it, or that may have; one that surely did not is none."""
    intent = session.intent
    return None if intent is None or intent.state in _OVER else intent


def email_in(details: dict[str, Any]) -> str:
    """The buyer's own; else the one for the parcel."""
    buyer, fulfillment = details.get("buyer", {}), details.get("fulfillment_details", {})
    return str(buyer.get("email") or fulfillment.get("email") or "")


def _found_by(details: dict[str, Any]) -> dict[str, Any]:
    """With the address in small letters by which a person's erasure finds them."""
    email = email_in(details).lower()
    return {**details, "email": email} if email else details


def open_session(
    *,
    agent: ApiToken,
    protocol: str,
    currency: str,
    items: Sequence[tuple[str, int]],
    details: dict[str, Any],
    now: datetime,
) -> AgentSession:
    return AgentSession.objects.create(
        token=agent,
        protocol=protocol,
        currency=currency,
        items=[list(item) for item in items],
        details=_found_by(details),
        created_at=now,
        updated_at=now,
        expires_at=now + SESSION_LIVES,
    )


def change_session(
    *,
    session: AgentSession,
    now: datetime,
    items: Sequence[tuple[str, int]] | None,
    details: dict[str, Any],
    whole: bool = False,
) -> AgentSession:
    """What is given takes the place of what was; `whole`: of all that was. Raises NotAllowed once it is paid, on its
    way, or over.
    """
    with transaction.atomic():
        row = _still_open(session, now=now)
        if items is not None:
            row.items = [list(item) for item in items]
        row.details = _found_by(details if whole else {**row.details, **details})
        row.updated_at, row.expires_at = now, now + SESSION_LIVES
        row.save(update_fields=["items", "details", "updated_at", "expires_at"])
    return row


def cancel_session(*, session: AgentSession, now: datetime) -> AgentSession:
    """Raises NotAllowed once it is paid, on its way, or over."""
    with transaction.atomic():
        row = _still_open(session, now=now, expired_too=True)
        row.canceled_at = row.updated_at = now
        row.save(update_fields=["canceled_at", "updated_at"])
    return row


def note_shown(*, session: AgentSession, fingerprint: str) -> None:
    """The prices that the agent was told."""
    if session.fingerprint != fingerprint:
        AgentSession.objects.filter(pk=session.pk).update(fingerprint=fingerprint)
        session.fingerprint = fingerprint


def begin_payment(
    *, session: AgentSession, email: str, name: str, ship_to: Address, gateway: str, shown: PricedBasket, now: datetime
) -> PaymentIntent:
    """The payment, with its units held; the one before where that may still have been paid. One that is CREATED is the
    caller's alone to ask the shops and the bank for. Raises OnItsWay, and a Problem where it cannot be bought as it was
    shown.
    """
    with transaction.atomic():
        row = _locked(session)
        if (earlier := payment_of(row)) is not None:
            return _taken_over(row, earlier, now=now)
        _require_open(row, now=now)
        if (row.items, row.details) != (session.items, session.details):
            raise Stale("The session was changed while it was being paid; look at it and complete it again.")
        row.tries, row.updated_at = row.tries + 1, now
        row.intent = open_checkout(
            buyer=buyer_of(email=email, name=name),
            basket=basket_of(row),
            ship_to=ship_to,
            key=payment_key(row),
            fingerprint=row.fingerprint,
            gateway=gateway,
            now=now,
            shown=shown,
        )
        row.save(update_fields=["tries", "updated_at", "intent"])
        return row.intent


def take_over(*, session: AgentSession, now: datetime) -> PaymentIntent | None:
    """The payment as it stands; one that is CREATED is the caller's from now on, since whoever had it died. None where
    it came to nothing meanwhile. Raises OnItsWay.
    """
    with transaction.atomic():
        row = _locked(session)
        found = payment_of(row)
        return found and _taken_over(row, found, now=now)


def _taken_over(row: AgentSession, intent: PaymentIntent, *, now: datetime) -> PaymentIntent:
    """The session's time of change says since when somebody has it: nothing else changes it while a payment is open."""
    if intent.state == IntentState.CREATED:
        if now - max(row.updated_at, intent.created_at) < PAGE_WAITS:
            raise OnItsWay("This session is being paid right now; ask again in a moment.")
        row.updated_at = now
        row.save(update_fields=["updated_at"])
    return intent


def _locked(session: AgentSession) -> AgentSession:
    """Its payment is read by a question of its own, after the lock: a join would bring what stood there before the
    wait, so a payment that was begun meanwhile would be none.
    """
    return AgentSession.objects.select_for_update(no_key=True).get(pk=session.pk)


def _still_open(session: AgentSession, *, now: datetime, expired_too: bool = False) -> AgentSession:
    row = _locked(session)
    if (intent := payment_of(row)) is not None:
        paid = intent.state == IntentState.CAPTURED
        raise NotAllowed("This session is paid." if paid else "This session's payment is on its way; read it again.")
    _require_open(row, now=row.created_at if expired_too else now)
    return row


def _require_open(row: AgentSession, *, now: datetime) -> None:
    if row.canceled_at is not None:
        raise NotAllowed("This session was canceled; make a new one.")
    if row.expires_at <= now:
        raise NotAllowed("This session expired; make a new one.")


@dataclass(frozen=True, slots=True)
class Paid:
    """What a payment is for, as it was priced when it was begun. `back` says by part why its money goes back, and
    `returned` has the numbers of those whose money is back.
    """

    basket: PricedBasket
    back: tuple[str, ...]
    returned: frozenset[int]


def orders_of(intent: PaymentIntent) -> list[Order]:
    """The orders of a payment with all that came of them since."""
    rows = Order.objects.filter(intent=intent).select_related("seller").order_by("pk")
    return list(rows.prefetch_related("lines__variant", "shipments__lines__line__variant", "credits"))


def paid_basket(intent: PaymentIntent) -> Paid:
    parts = parts_of(intent)
    variants = Variant.objects.select_related("listing__seller", "listing__connection").in_bulk(units_of(parts))
    sellers = Seller.objects.in_bulk([part.seller for part in parts])
    currency, priced = intent.currency, []
    for part in parts:
        lines = tuple(
            PricedLine(variants[pk], units, Money(price, currency), Money(price * units, currency), None, "")
            for pk, units, price in part.lines
        )
        connection = lines[0].variant.listing.connection
        items, shipping = Money(part.items_minor, currency), Money(part.shipping_minor, currency)
        priced.append(PricedPart(sellers[part.seller], connection, lines, items, shipping, ()))
    items = sum((part.items for part in priced), Money.zero(currency))
    shipping = Money(intent.amount_minor, currency) - items
    whole = PricedBasket(tuple(priced), items, shipping, items + shipping, (), "")
    back = tuple(part.back for part in parts)
    return Paid(whole, back, given_back(intent, [part for part in parts if part.back]))
