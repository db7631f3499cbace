"""Checkout sessions: made, read, changed, completed, canceled."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from crossdock.domain.currencies import CURRENCIES
from crossdock.store.models import AgentSession, ApiToken, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agent_sessions import (
    OnItsWay,
    begin_payment,
    cancel_session,
    change_session,
    email_in,
    open_session,
    payment_of,
    sessions_of,
    take_over,
)
from crossdock.usecases.checkout.basket import variants_in
from crossdock.usecases.errors import NotAllowed, Problem, Stale
from crossdock.web.agents.asked import IGNORED, Asked, Buyer, CompleteIn, CreateIn, Fulfillment, UpdateIn, checked
from crossdock.web.agents.entrance import for_agents
from crossdock.web.agents.messages import Message, error, info, warning
from crossdock.web.agents.once import HEADER, Answer, once, once_outside
from crossdock.web.agents.payment_handlers import document, token_in
from crossdock.web.agents.refusing import VERSIONS, Refusal, in_progress, not_found
from crossdock.web.agents.session_shape import Looked, look, name_in, selected, session_out, ship_to_in
from crossdock.web.live import confirmed
from crossdock.web.payments import answer_of, chosen_gateway, gateway_of, settled

View = Callable[..., HttpResponse]


def _spoken(view: View) -> View:
    """In a version that is spoken here; what the agent names its request by is given back."""

    @wraps(view)
    def answered(request: HttpRequest, agent: ApiToken, *args: Any, **kwargs: Any) -> HttpResponse:
        version = request.headers.get("API-Version", "")
        if version not in VERSIONS:
            code = "unsupported_api_version" if version else "missing_api_version"
            words = f"Send API-Version: {VERSIONS[0]}."
            raise Refusal(400, code, words, supported_versions=list(VERSIONS))
        response = view(request, agent, *args, **kwargs)
        for name in ("Request-Id", *((HEADER,) if request.method == "POST" else ())):
            if 0 < len(given := request.headers.get(name, "")) <= 255 and given.isprintable() and given.isascii():
                response[name] = given
        return response

    return answered


@for_agents(change=True, methods=("POST",))
@_spoken
def create(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    return once(request, agent, lambda body: _create(agent, checked(CreateIn, body)))


@for_agents(change=True, methods=("GET", "POST"))
@_spoken
def session(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    if request.method == "GET":
        return JsonResponse(session_out(look(_found(agent, id))))
    return once(request, agent, lambda body: _update(_found(agent, id), checked(UpdateIn, body)))


@for_agents(change=True, methods=("POST",))
@_spoken
def complete(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    return once_outside(
        request,
        agent,
        lambda body: _complete(agent, id, checked(CompleteIn, body)),
        lambda looked: (200, session_out(looked)),
    )


@for_agents(change=True, methods=("POST",))
@_spoken
def cancel(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    """An intent_trace says why; it is not kept."""
    return once(request, agent, lambda _: _cancel(_found(agent, id)))


@for_agents(change=False, methods=("GET",))
def handler(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    return JsonResponse(document(chosen_gateway()))


def _found(agent: ApiToken, id: str) -> AgentSession:
    found = sessions_of(agent).filter(public_id=id).first()
    if found is None:
        raise not_found()
    return found


def _create(agent: ApiToken, asked: CreateIn) -> Answer:
    currency = asked.currency.upper()
    if currency not in CURRENCIES:
        raise Refusal(400, "invalid", f"{asked.currency} is no currency of ISO 4217.", param="$.currency")
    units = asked.units
    assert units is not None, "CreateIn has items"
    more = _items(asked, units, currency)
    made = open_session(agent=agent, currency=currency, items=units, details=_details(asked), now=timezone.now())
    return 201, session_out(look(made, *more, *_ignored(asked)))


def _update(found: AgentSession, asked: UpdateIn) -> Answer:
    units = asked.units
    more = _items(asked, units, found.currency) if units is not None else []
    changed = change_session(session=found, items=units, details=_details(asked), now=timezone.now())
    looked = look(changed, *more, *_ignored(asked))
    if asked.selected_fulfillment_options is not None:
        _as_offered(asked, looked)
    return 200, session_out(looked)


def _as_offered(asked: UpdateIn, looked: Looked) -> None:
    """There is one way to ship each seller's items, which is chosen already; another one does not exist."""
    offered = {one["option_id"]: set(one["item_ids"]) for one in selected(looked.shown)}
    for number, one in enumerate(asked.selected_fulfillment_options or ()):
        where = f"$.selected_fulfillment_options[{number}]"
        if one.type != "shipping" or one.option_id not in offered:
            raise Refusal(400, "invalid", "There is no such fulfillment option.", param=f"{where}.option_id")
        if not set(one.item_ids) <= offered[one.option_id]:
            words = "This option ships its own seller's items alone."
            raise Refusal(400, "invalid", words, param=f"{where}.item_ids")


def _items(asked: CreateIn | UpdateIn, units: list[tuple[str, int]], currency: str) -> list[Message]:
    """Raises Refusal for what is none of ours, or is sold in another currency; a price that the agent thought was
    another one is said.
    """
    name = "line_items" if asked.line_items is not None else "items"
    known = {variant.public_id: variant for variant in variants_in(id for id, _ in units)}
    said: list[Message] = []
    for number, item in enumerate(asked.wanted or []):
        where, variant = f"$.{name}[{number}]", known.get(item.id)
        if variant is None:
            raise Refusal(400, "not_found", "There is no such item here.", param=f"{where}.id")
        if variant.listing.currency != currency:
            words = f"“{variant}” is sold in {variant.listing.currency}. One session is in one currency."
            raise Refusal(400, "unsupported", words, param=f"{where}.id")
        if item.unit_amount is not None and item.unit_amount != variant.price_minor:
            said.append(warning("price_change", f"“{variant}” costs {variant.price.words}.", f"{where}.unit_amount"))
    return said


def _details(asked: CreateIn | UpdateIn | CompleteIn) -> dict[str, Any]:
    """What is kept of the person: what a parcel and a receipt need."""
    kept: dict[str, Any] = {}
    buyer: Buyer | None = asked.buyer
    if buyer is not None:
        names = {"email", "first_name", "last_name", "full_name", "phone_number"}
        kept["buyer"] = buyer.model_dump(include=names, exclude_unset=True)
    to: Fulfillment | None = None if isinstance(asked, CompleteIn) else asked.fulfillment_details
    if to is not None:
        kept["fulfillment_details"] = to.model_dump(exclude_unset=True)
    return kept


def _ignored(asked: Asked) -> list[Message]:
    return [info(words, f"$.{key}") for key, words in IGNORED.items() if getattr(asked, key, None)]


def _cancel(found: AgentSession) -> Answer:
    """405 for what is over, as the protocol has it; a payment on its way is waited for."""
    try:
        gone = cancel_session(session=found, now=timezone.now())
    except NotAllowed as no:
        on_its_way = (intent := payment_of(found)) is not None and intent.state != IntentState.CAPTURED
        raise Refusal(409 if on_its_way else 405, "conflict", str(no)) from None
    return 200, session_out(look(gone, info("The checkout session was canceled.")))


def _complete(agent: ApiToken, id: str, asked: CompleteIn) -> Looked:
    """Pays once. Whatever crashed, came twice or lost its answer meets the payment that was begun, under the same id at
    the bank. One request at a time asks the shops and the bank for it: the one that began it, or who came long after.

    What keeps it from being paid is said in the session, which is not completed then; nothing was charged.
    """
    found, gateway = _found(agent, id), chosen_gateway()
    intent, more = payment_of(found), _ignored(asked)
    if intent is None:
        token_in(asked.payment_data, gateway)
        if asked.buyer is not None:
            found = change_session(session=found, items=None, details=_details(asked), now=timezone.now())
        looked = look(found, *more)
        if looked.status in ("canceled", "expired"):
            raise Refusal(409, "conflict", f"This session is {looked.status}; make a new one.")
        if looked.against:
            return looked
        if looked.shown.fingerprint != found.fingerprint:
            words = "The price changed since you were told it. Show the new total, then complete again."
            return look(found, *more, warning("price_change", words, "$.totals"))
        try:
            intent = _begin(looked, gateway.name)
        except OnItsWay as busy:
            raise in_progress(busy) from None
        except Stale as stale:
            return look(_found(agent, id), *more, error("conflict", str(stale)))
    elif intent.state == IntentState.CREATED:
        token_in(asked.payment_data, gateway_of(intent))
        try:
            intent = take_over(session=found, now=timezone.now())
        except OnItsWay as busy:
            raise in_progress(busy) from None
    if intent is not None and intent.state == IntentState.CREATED:
        more += _pay(intent, token_in(asked.payment_data, gateway_of(intent)))
    return look(_found(agent, id), *more)


def _begin(looked: Looked, gateway: str) -> PaymentIntent:
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


def _pay(intent: PaymentIntent, token: str) -> list[Message]:
    """What is to be said beside the session, which tells what came of it."""
    verdict = confirmed(intent, may_wait=False)
    if not verdict.go:
        return [error("out_of_stock" if verdict.left else "conflict", verdict.sentence)]
    answer = answer_of(gateway_of(intent).capture(intent.asked, token))
    try:
        settled(intent, answer)
    except Problem as problem:
        return [error("out_of_stock", str(problem))]
    return []
