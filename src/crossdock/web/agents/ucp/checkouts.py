"""Checkouts: made, read, changed, completed, canceled; and the orders that come of them."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from crossdock.domain.agents.ucp import CHECKOUT, ORDER
from crossdock.store.models import ApiToken
from crossdock.usecases.checkout.agents.sessions import change_session, open_session, session_behind
from crossdock.usecases.checkout.basket import variants_in
from crossdock.usecases.outcomes.agents_told import follow_profile
from crossdock.web.agents.body import checked
from crossdock.web.agents.entrance import for_agents
from crossdock.web.agents.looking import Looked, look
from crossdock.web.agents.notes import Note
from crossdock.web.agents.once import Answer, once, once_outside
from crossdock.web.agents.paying import cancel as called_off
from crossdock.web.agents.paying import complete as paid
from crossdock.web.agents.paying import session_of
from crossdock.web.agents.refusing import Refusal, not_found
from crossdock.web.agents.ucp.asked import IGNORED, CheckoutIn, CompleteIn
from crossdock.web.agents.ucp.checkout_shape import checkout_out, groups, order_of
from crossdock.web.agents.ucp.details import METHOD, kept
from crossdock.web.agents.ucp.handlers import paid_with
from crossdock.web.agents.ucp.profiles import Terms, terms_of
from crossdock.web.agents.ucp.speech import UCP


def _terms(request: HttpRequest, agent: ApiToken, *, needs: str) -> Terms:
    """Whoever buys or reads an order is told of its orders where its profile says by now."""
    terms, now = terms_of(request, agent, needs=needs), timezone.now()
    follow_profile(token=agent, url=terms.told_at, read_at=terms.read_at, now=now)
    return terms


@for_agents(UCP, change=True, methods=("POST",))
def create(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    terms = _terms(request, agent, needs=CHECKOUT)
    return once(request, agent, lambda body: _create(agent, checked(CheckoutIn, body), terms), speech=UCP)


@for_agents(UCP, change=True, methods=("GET", "PUT"))
def checkout(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    terms = terms_of(request, agent, needs=CHECKOUT)
    if request.method == "GET":
        return JsonResponse(checkout_out(look(session_of(agent, id, protocol=UCP.name)), terms))
    return once(request, agent, lambda body: _update(agent, id, checked(CheckoutIn, body), terms), speech=UCP)


@for_agents(UCP, change=True, methods=("POST",))
def complete(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    terms = _terms(request, agent, needs=CHECKOUT)
    return once_outside(
        request,
        agent,
        lambda body: _complete(agent, id, checked(CompleteIn, body)),
        lambda looked: (200, checkout_out(looked, terms)),
        speech=UCP,
    )


@for_agents(UCP, change=True, methods=("POST",))
def cancel(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    terms = terms_of(request, agent, needs=CHECKOUT)
    return once(request, agent, lambda _: _cancel(agent, id, terms), speech=UCP)


@for_agents(UCP, change=False, methods=("GET",))
def order(request: HttpRequest, agent: ApiToken, id: str) -> HttpResponse:
    """What came of this agent's own checkouts."""
    terms = _terms(request, agent, needs=ORDER)
    found = session_behind(agent, id, protocol=UCP.name)
    said = order_of(look(found), terms) if found is not None else None
    if said is None:
        raise not_found()
    return JsonResponse(said)


def _create(agent: ApiToken, asked: CheckoutIn, terms: Terms) -> Answer:
    currency = _currency(asked, "")
    details, more = kept(asked)
    now = timezone.now()
    made = open_session(agent=agent, protocol=UCP.name, currency=currency, items=asked.units, details=details, now=now)
    return 201, checkout_out(look(made, *more, *_more(asked)), terms)


def _update(agent: ApiToken, id: str, asked: CheckoutIn, terms: Terms) -> Answer:
    """The whole checkout is replaced: who buys and where it goes are gone where they are not sent again."""
    found = session_of(agent, id, protocol=UCP.name)
    _currency(asked, found.currency)
    details, more = kept(asked)
    changed = change_session(session=found, items=asked.units, details=details, now=timezone.now(), whole=True)
    looked = look(changed, *more, *_more(asked))
    _as_offered(asked, looked, terms)
    return 200, checkout_out(looked, terms)


def _currency(asked: CheckoutIn, already: str) -> str:
    """In which everything is sold. Raises Refusal for what is none of ours, or is sold in another one."""
    known = {variant.public_id: variant for variant in variants_in(id for id, _ in asked.units)}
    for number, line in enumerate(asked.line_items):
        where, variant = f"$.line_items[{number}].item.id", known.get(line.item.id)
        if variant is None:
            raise Refusal(400, "item_unavailable", "There is no such item here.", param=where, outcome=True)
        already = already or variant.listing.currency
        if variant.listing.currency != already:
            words = f"“{variant}” is sold in {variant.listing.currency}. One checkout is in one currency ({already})."
            raise Refusal(400, "currency_mismatch", words, param=where, outcome=True)
    return already


def _as_offered(asked: CheckoutIn, looked: Looked, terms: Terms) -> None:
    """There is one way to ship each group, which is chosen already; another one does not exist. What was chosen for a
    group whose items are all gone, or that was shown otherwise before, says nothing any more.
    """
    offered = {one["id"] for one in groups(looked.shown, terms)}
    for method in asked.fulfillment.methods:
        for number, group in enumerate(method.groups):
            if group.id and group.id not in offered:
                continue
            if group.selected_option_id is not None and group.selected_option_id not in offered:
                path = f"{METHOD}.groups[{number}].selected_option_id"
                raise Refusal(400, "invalid", "There is no such fulfillment option.", param=path)


def _more(asked: CheckoutIn) -> list[Note]:
    return [Note("info", "", words, path=f"$.{key}") for key, words in IGNORED.items() if getattr(asked, key)]


def _complete(agent: ApiToken, id: str, asked: CompleteIn) -> Looked:
    found = session_of(agent, id, protocol=UCP.name)
    return paid(found, agent=agent, token_for=lambda gateway: paid_with(asked, gateway))


def _cancel(agent: ApiToken, id: str, terms: Terms) -> Answer:
    return 200, checkout_out(look(called_off(session_of(agent, id, protocol=UCP.name))), terms)
