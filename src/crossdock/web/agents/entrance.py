"""What stands before every operation for agents: the protocol's switch, the token and its scope, and the protocol's
shape for what is refused.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from crossdock.store.models import ApiToken
from crossdock.usecases.accounts.tokens import FOR_AGENTS, reaches, token_of
from crossdock.usecases.errors import Problem
from crossdock.web.agents.refusing import Refusal, Speech, nobody, refusal_of, too_fast
from crossdock.web.api.entrance import unreadable
from crossdock.web.api.pace import pace
from crossdock.web.away import AWAY, RETRY_SECONDS

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]


def for_agents(speech: Speech, *, change: bool, methods: tuple[str, ...]) -> Callable[[View], View]:
    """The view is given the token behind the request, and may raise Refusal. `change`: a token that only reads is not
    enough.
    """

    def guarded(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not speech.on:
                raise Http404
            try:
                if request.method not in methods:
                    words = f"This address answers to {', '.join(methods)}."
                    raise Refusal(405, "method_not_allowed", words, headers={"Allow": ", ".join(methods)})
                _readable(request)
                response = view(request, _agent(request, change=change), *args, **kwargs)
            except Refusal as refused:
                response = speech.answer(refused)
            except Problem as problem:
                response = speech.answer(refusal_of(problem))
            except AWAY as error:
                logger.error("%s %s: the database is away: %s", request.method, request.path, error)
                response = speech.answer(_away())
            except Exception as error:
                logger.error("%s %s broke", request.method, request.path, exc_info=error)
                words = "Our mistake, not yours. Repeat it with the same Idempotency-Key: nothing is done twice."
                response = speech.answer(Refusal(500, "internal_error", words))
            response.headers["Cache-Control"] = "no-store"
            return response

        return answered

    return guarded


def nowhere(speech: Speech) -> View:
    """For every other address below a protocol's own."""

    @csrf_exempt
    def answered(request: HttpRequest) -> HttpResponse:
        if not speech.on:
            raise Http404
        return speech.answer(Refusal(404, "not_found", "There is no such address in this protocol."))

    return answered


def _readable(request: HttpRequest) -> None:
    """Raises Refusal for what would break the driver of the database or Django's reading."""
    if found := unreadable(request):
        kind, words = found
        status, code = {"too-large": (413, "request_too_large"), "invalid": (400, "invalid")}[kind]
        raise Refusal(status, code, words)


def _agent(request: HttpRequest, *, change: bool) -> ApiToken:
    """Raises Refusal. A seller's token is none of these, whatever it reaches."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    found = token_of(secret=secret.strip(), now=timezone.now()) if kind.lower() == "bearer" and secret else None
    if found is None:
        raise nobody()
    if seconds := pace.wait(found.pk):
        raise too_fast(seconds)
    if found.seller_id is not None or not reaches(found.scopes, area=FOR_AGENTS, change=change):
        wanted = f"{FOR_AGENTS}:{'change' if change else 'read'}"
        raise Refusal(403, "forbidden", f"This needs a token of the marketplace with {wanted}.")
    return found


def _away() -> Refusal:
    words = "Our database does not answer right now. Repeat it with the same Idempotency-Key."
    return Refusal(503, "service_unavailable", words, headers={"Retry-After": str(RETRY_SECONDS)})
