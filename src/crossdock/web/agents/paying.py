"""A session is paid once, or called off. Whatever crashed, came twice or lost its answer meets the payment that was
begun, under the same id at the bank.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone

from crossdock.kit.gateway import Gateway
from crossdock.store.models import AgentSession, ApiToken, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agents.sessions import (
    OnItsWay,
    begin_payment,
    cancel_session,
    change_session,
    email_in,
    payment_of,
    sessions_of,
    take_over,
)
from crossdock.usecases.errors import NotAllowed, Problem, Stale
from crossdock.web.agents.looking import Looked, look, name_in, ship_to_in
from crossdock.web.agents.notes import Note
from crossdock.web.agents.refusing import Refusal, in_progress, not_found
from crossdock.web.live import confirmed
from crossdock.web.payments import answer_of, chosen_gateway, gateway_of, settled


def session_of(agent: ApiToken, id: str, *, protocol: str) -> AgentSession:
    """Raises Refusal for another agent's, and for one of another protocol."""
    found = sessions_of(agent).filter(public_id=id, protocol=protocol).first()
    if found is None:
        raise not_found()
    return found


def complete(
    found: AgentSession,
    *,
    agent: ApiToken,
    token_for: Callable[[Gateway], str],
    details: dict[str, Any] | None = None,
    more: Sequence[Note] = (),
) -> Looked:
    """One request at a time asks the shops and the bank: the one that began the payment, or who came long after.
    `token_for` reads what to pay with, and may raise Refusal; `details` are taken over first.

    What keeps it from being paid is said in the session, which is not completed then; nothing was charged.
    """
    gateway, intent = chosen_gateway(), payment_of(found)
    if intent is None:
        token_for(gateway)
        if details is not None:
            found = change_session(session=found, items=None, details=details, now=timezone.now())
        looked = look(found, *more)
        if looked.status in ("canceled", "expired"):
            raise Refusal(409, "conflict", f"This session is {looked.status}; make a new one.", outcome=True)
        if looked.against:
            return looked
        if looked.shown.fingerprint != found.fingerprint:
            words = "The price changed since you were told it. Show the new total, then complete again."
            return look(found, *more, Note("warning", "price_change", words, "totals"))
        try:
            intent = begin(looked, gateway.name)
        except OnItsWay as busy:
            raise in_progress(busy) from None
        except Stale as stale:
            return look(_again(agent, found), *more, Note("error", "conflict", str(stale)))
    elif intent.state == IntentState.CREATED:
        token_for(gateway_of(intent))
        try:
            intent = take_over(session=found, now=timezone.now())
        except OnItsWay as busy:
            raise in_progress(busy) from None
    if intent is not None and intent.state == IntentState.CREATED:
        more = (*more, *_pay(intent, token_for(gateway_of(intent))))
    return look(_again(agent, found), *more)


def _again(agent: ApiToken, found: AgentSession) -> AgentSession:
    """As it stands by now."""
    return sessions_of(agent).get(pk=found.pk)


def begin(looked: Looked, gateway: str) -> PaymentIntent:
    details = looked.session.details
    ship_to = ship_to_in(details)
    assert ship_to is not None, "nothing is missing"
    return begin_payment(
        session=looked.session,
        email=email_in(details),
        name=name_in(details),
        ship_to=ship_to,
        gateway=gateway,
        shown=looked.shown,
        now=timezone.now(),
    )


def _pay(intent: PaymentIntent, token: str) -> list[Note]:
    """What is to be said beside the session, which tells what came of it."""
    verdict = confirmed(intent, may_wait=False)
    if not verdict.go:
        return [Note("error", "out_of_stock" if verdict.left else "conflict", verdict.sentence)]
    answer = answer_of(gateway_of(intent).capture(intent.asked, token))
    try:
        settled(intent, answer)
    except Problem as problem:
        return [Note("error", "out_of_stock", str(problem))]
    return []


def cancel(found: AgentSession, *, over: int = 409) -> AgentSession:
    """Raises Refusal: `over` is its status for what is paid or over already; a payment on its way is waited for."""
    try:
        return cancel_session(session=found, now=timezone.now())
    except NotAllowed as no:
        on_its_way = (intent := payment_of(found)) is not None and intent.state != IntentState.CAPTURED
        raise Refusal(409 if on_its_way else over, "conflict", str(no), outcome=True) from None
