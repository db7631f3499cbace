"""Idempotency-Key: the first request does the work, a repeat gets its answer again, whatever became of the connection in between."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from crossdock.store.models import ApiToken
from crossdock.usecases.access import begin_once, finish_once, forget_once
from crossdock.usecases.errors import Problem
from crossdock.web.api import problems
from crossdock.web.api.problems import Refuse, refusal_of

HEADER = "Idempotency-Key"
Work = Callable[[], tuple[int, Any]]


def fingerprint(request: HttpRequest) -> str:
    """Two requests with one of these ask for the same."""
    parts = (request.method or "").encode(), request.path.encode(), request.body
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def own_key(request: HttpRequest, token: ApiToken) -> str:
    """A key for the use-case below, unguessable for other tokens' keys and of one length."""
    given = request.headers.get(HEADER, "")
    return "api-" + hashlib.sha256(f"{token.pk}:{given}".encode()).hexdigest()[:40]


def once(request: HttpRequest, token: ApiToken, work: Work) -> HttpResponse:
    """Refusals are answers too and are kept; a crash frees the key, so that a repeat can try again."""
    key = request.headers.get(HEADER, "")
    if not key:
        raise Refuse("no-key", f"Send an {HEADER} header, so that a repeated request does its work once.")
    kept = begin_once(token=token, key=key, fingerprint=fingerprint(request), now=timezone.now())
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
