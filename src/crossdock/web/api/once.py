"""Idempotency-Key: the first request does the work, a repeat gets its answer again, whatever became of the connection
in between.

A crash leaves no dead lock. Work in our database alone commits together with its answer (`once`), so a crash leaves
neither; the empty row is taken over after `IN_FLIGHT_FOR`. Work that asks a bank in between cannot be one transaction
(`once_outside`): its repeat meets the payment intent that the first one wrote under the same key, and goes on from
there.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from crossdock.store.models import ApiToken
from crossdock.usecases.accounts.tokens import begin_once, finish_once, forget_once
from crossdock.usecases.errors import Problem
from crossdock.web.api import problems
from crossdock.web.api.problems import Refuse, refusal_of

HEADER = "Idempotency-Key"
# For the description of an operation that needs one.
KEYED: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": HEADER,
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 120},
            "description": "Yours, one per thing to be done; a repeat with the same one gets the first answer again.",
        }
    ]
}
Work = Callable[[], tuple[int, Any]]


def fingerprint(request: HttpRequest) -> str:
    """Two requests with one of these ask for the same."""
    parts = (request.method or "").encode(), request.path.encode(), request.body
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def own_key(request: HttpRequest, token: ApiToken, key: str | None = None) -> str:
    """A key for the use-case below, unguessable for other tokens' keys and of one length."""
    given = request.headers.get(HEADER, "") if key is None else key
    return "api-" + hashlib.sha256(f"{token.pk}:{given}".encode()).hexdigest()[:40]


def once(request: HttpRequest, token: ApiToken, work: Work, *, own: str | None = None) -> HttpResponse:
    """For work in our database: it and its answer commit together.

    `own`: a key that the request itself carries, in place of the header, and that says all that it asks for.
    """
    key = request.headers.get(HEADER, "") if own is None else own

    def whole() -> tuple[int, Any]:
        with transaction.atomic():
            status, body = work()
            finish_once(token=token, key=key, status=status, body=body)
        return status, body

    return _once(request, token, whole, key, own or fingerprint(request))


def once_outside(request: HttpRequest, token: ApiToken, work: Work) -> HttpResponse:
    """For work that asks somebody else in between; it must itself bear to be repeated."""
    return _once(request, token, work, request.headers.get(HEADER, ""), fingerprint(request))


def _once(request: HttpRequest, token: ApiToken, work: Work, key: str, asks: str) -> HttpResponse:
    """Refusals are answers too and are kept; an error frees the key, so that a repeat can try again."""
    if not key:
        raise Refuse("no-key", f"Send an {HEADER} header, so that a repeated request does its work once.")
    kept = begin_once(token=token, key=key, fingerprint=asks, now=timezone.now())
    if kept is not None:
        return _response(kept.status, kept.body, again=True)
    try:
        status, body = work()
    except (Problem, Refuse) as refused:
        said = refused if isinstance(refused, Refuse) else refusal_of(refused)
        status, body = problems.KINDS[said.kind][0], problems.body(said.kind, said.detail, **said.more)
    except BaseException:
        forget_once(token=token, key=key)
        raise
    response = _response(status, body)
    # Kept as it went out, so that the repeat is the same to the letter.
    finish_once(token=token, key=key, status=status, body=body)
    return response


def _response(status: int, body: Any, *, again: bool = False) -> HttpResponse:
    kind = problems.CONTENT_TYPE if status >= 400 else "application/json"
    response = JsonResponse(body, encoder=DjangoJSONEncoder, safe=False, status=status, content_type=kind)
    if again:
        response["Idempotent-Replayed"] = "true"
    return response
