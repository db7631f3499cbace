"""Checkout sessions: made, read, changed, completed, canceled."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from crossdock.domain.currencies import CURRENCIES
from crossdock.store.models import AgentSession, ApiToken, Variant
from crossdock.usecases.checkout.agents.sessions import change_session, open_session
from crossdock.usecases.checkout.basket import variants_in
from crossdock.web.agents.acp.asked import IGNORED, Asked, Buyer, CompleteIn, CreateIn, Fulfillment, UpdateIn
from crossdock.web.agents.acp.payment_handlers import paid_with
from crossdock.web.agents.acp.session_shape import selected, session_out
from crossdock.web.agents.acp.speech import ACP, VERSIONS
from crossdock.web.agents.body import checked
from crossdock.web.agents.entrance import for_agents
from crossdock.web.agents.looking import Looked, look
from crossdock.web.agents.means import schemas
from crossdock.web.agents.notes import Note
from crossdock.web.agents.once import HEADER, Answer, once, once_outside
from crossdock.web.agents.paying import cancel as called_off
from crossdock.web.agents.paying import complete as paid
from crossdock.web.agents.paying import session_of
from crossdock.web.agents.refusing import Refusal
from crossdock.web.payments import chosen_gateway

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


@for_agents(ACP, change=True, methods=("POST",))
@_spoken
def create(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    return once(request, agent, lambda body: _create(agent, checked(CreateIn, body)), speech=ACP)


@for_agents(ACP, change=True, methods=("GET", "POST"))
@_spoken
def session(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    if request.method == "GET":
        return JsonResponse(session_out(look(_found(agent, id))))
    return once(request, agent, lambda body: _update(_found(agent, id), checked(UpdateIn, body)), speech=ACP)


@for_agents(ACP, change=True, methods=("POST",))
@_spoken
def complete(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    return once_outside(
        request,
        agent,
        lambda body: _complete(agent, id, checked(CompleteIn, body)),
        lambda looked: (200, session_out(looked)),
        speech=ACP,
    )


@for_agents(ACP, change=True, methods=("POST",))
@_spoken
def cancel(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    """An intent_trace says why; it is not kept."""
    return once(request, agent, lambda _: _cancel(_found(agent, id)), speech=ACP)


@for_agents(ACP, change=False, methods=("GET",))
def handler(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    return JsonResponse(schemas(chosen_gateway()))


def _found(agent: ApiToken, id: str) -> AgentSession:
    return session_of(agent, id, protocol=ACP.name)


def _create(agent: ApiToken, asked: CreateIn) -> Answer:
    currency = asked.currency.upper()
    if currency not in CURRENCIES:
        raise Refusal(400, "invalid", f"{asked.currency} is no currency of ISO 4217.", param="$.currency")
    units = asked.units
    assert units is not None, "CreateIn has items"
    more = _items(asked, units, currency)
    details, now = _details(asked), timezone.now()
    made = open_session(agent=agent, protocol=ACP.name, currency=currency, items=units, details=details, now=now)
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


def _items(asked: CreateIn | UpdateIn, units: list[tuple[str, int]], currency: str) -> list[Note]:
    """Raises Refusal for what is none of ours, or is sold in another currency; a price that the agent thought was
    another one is said.
    """
    name = "line_items" if asked.line_items is not None else "items"
    known = {variant.public_id: variant for variant in variants_in(id for id, _ in units)}
    said: list[Note] = []
    for number, item in enumerate(asked.wanted or []):
        where, variant = f"$.{name}[{number}]", known.get(item.id)
        if variant is None:
            raise Refusal(400, "not_found", "There is no such item here.", param=f"{where}.id")
        if variant.listing.currency != currency:
            words = f"“{variant}” is sold in {variant.listing.currency}. One session is in one currency."
            raise Refusal(400, "unsupported", words, param=f"{where}.id")
        if item.unit_amount is not None and item.unit_amount != variant.price_minor:
            said.append(_costs(variant, f"{where}.unit_amount"))
    return said


def _costs(variant: Variant, path: str) -> Note:
    return Note("warning", "price_change", f"“{variant}” costs {variant.price.words}.", path=path)


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


def _ignored(asked: Asked) -> list[Note]:
    return [Note("info", "", words, path=f"$.{key}") for key, words in IGNORED.items() if getattr(asked, key, None)]


def _cancel(found: AgentSession) -> Answer:
    """405 for what is over, as the protocol has it."""
    return 200, session_out(look(called_off(found, over=405), Note("info", "", "The checkout session was canceled.")))


def _complete(agent: ApiToken, id: str, asked: CompleteIn) -> Looked:
    return paid(
        _found(agent, id),
        agent=agent,
        token_for=lambda gateway: paid_with(asked.payment_data, gateway),
        details=_details(asked) if asked.buyer is not None else None,
        more=_ignored(asked),
    )
