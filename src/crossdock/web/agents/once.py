"""Idempotency-Key as both protocols have it: scoped to the agent and the address, bodies compared as JSON, the first
answer given again, a 5xx or a “not yet” never kept. They differ in whether it must be there and in what a key with
another body is answered.

Beneath it are the rows and rules of the API's own keys (web/api/once.py).
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from crossdock.store.models import ApiToken
from crossdock.usecases.accounts.tokens import InFlight, OtherBody, begin_once, finish_once, forget_once
from crossdock.usecases.errors import Problem
from crossdock.web.agents.body import read
from crossdock.web.agents.refusing import Refusal, Speech, refusal_of

HEADER, LONGEST = "Idempotency-Key", 255
Body = dict[str, Any]
Answer = tuple[int, Body]
T = TypeVar("T")


def fingerprint(body: Body) -> str:
    """The same for bodies that are equal as JSON: the order of keys does not count, nor does 1.0 for 1; null is not
    absent, and lists are in order.
    """
    return hashlib.sha256(json.dumps(_plain(body), sort_keys=True).encode()).hexdigest()


def _same(body: Body) -> str:
    """Its fingerprint. Raises Refusal for what was read and is still too deep to go through."""
    try:
        return fingerprint(body)
    except RecursionError:
        raise Refusal(400, "invalid_json", "The body is nested too deep.") from None


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case float() if value.is_integer():
            return int(value)
    return value


def once(request: HttpRequest, agent: ApiToken, work: Callable[[Body], Answer], *, speech: Speech) -> HttpResponse:
    """For work in our database: it and its answer commit together."""
    return once_outside(request, agent, lambda body: body, work, speech=speech)


def once_outside(
    request: HttpRequest,
    agent: ApiToken,
    outside: Callable[[Body], T],
    work: Callable[[T], Answer],
    *,
    speech: Speech,
) -> HttpResponse:
    """`outside` asks shops and a bank, so it is no one transaction, and must itself bear to be repeated. What `work`
    writes of that commits together with the answer: after a crash nothing counts as told that was not.
    """
    given = request.headers.get(HEADER, "")
    if not given and speech.keyed:
        raise Refusal(400, "idempotency_key_required", "Idempotency-Key header is required on all POST requests.")
    if len(given) > LONGEST or not given.isprintable():
        raise Refusal(400, "invalid", f"The {HEADER} must have 1 to {LONGEST} printable characters.")
    body = read(request.body)
    same = _same(body)
    if not given:
        found = outside(body)
        with transaction.atomic():
            status, said = work(found)
        return JsonResponse(said, status=status)
    # Looks as OF_AGENTS says.
    scope = f"{request.method} {request.path}" if request.method != "POST" else request.path
    same_request = hashlib.sha256(f"{scope}\n{given}".encode()).hexdigest()
    key = f"{speech.name}-{same_request}"
    try:
        kept = begin_once(token=agent, key=key, fingerprint=same, now=timezone.now())
    except InFlight as busy:
        raise Refusal(409, "idempotency_in_flight", str(busy), headers={"Retry-After": "5"}) from None
    except OtherBody:
        words = f"{HEADER} has already been used with a different request body."
        raise Refusal(speech.other_body, "idempotency_conflict", words) from None
    if kept is not None:
        return JsonResponse(kept.body, status=kept.status, headers=speech.replayed)
    try:
        found = outside(body)
        with transaction.atomic():
            status, said = work(found)
            finish_once(token=agent, key=key, status=status, body=said)
    except (Refusal, Problem) as problem:
        refused = problem if isinstance(problem, Refusal) else refusal_of(problem)
        if refused.passes:
            forget_once(token=agent, key=key)
            raise refused from None
        status, said = speech.refused(refused)
        finish_once(token=agent, key=key, status=status, body=said)
        return speech.answer(refused)
    except BaseException:
        forget_once(token=agent, key=key)
        raise
    return JsonResponse(said, status=status)
