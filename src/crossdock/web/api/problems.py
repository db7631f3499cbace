"""Errors as problem+json (RFC 9457): type, title, detail, status.

`type` is what programs decide by, `detail` is for people.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from crossdock.usecases.accounts.tokens import InFlight, OtherBody
from crossdock.usecases.errors import Invalid, NotAllowed, Problem, Stale
from crossdock.web.away import AWAY, RETRY_SECONDS

TYPE = "urn:crossdock:problem:"
CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)
# slug -> (status, title)
KINDS: Mapping[str, tuple[int, str]] = {
    "not-signed-in": (401, "No valid token"),
    "payment-declined": (402, "The payment was declined"),
    "not-yours": (403, "This token does not reach that far"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "This is not done to that address"),
    "unreadable": (400, "The body is no JSON"),
    "not-allowed": (409, "This cannot be done now"),
    "stale": (409, "The world moved on"),
    "in-flight": (409, "The same request is being worked on"),
    "offers-closed": (409, "This listing takes no offers"),
    "too-large": (413, "The request is too large"),
    "no-key": (422, "An Idempotency-Key is needed"),
    "key-reused": (422, "The Idempotency-Key was used for something else"),
    "invalid": (422, "The request makes no sense"),
    "too-fast": (429, "Too many requests"),
    "broken": (500, "Something broke here"),
    "away": (503, "Come back in a moment"),
    "not-built": (501, "This is not built yet"),
}


class Refuse(Exception):
    """An answer other than success: one of KINDS with its sentence."""

    def __init__(self, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.more = kind, detail, more


def body(kind: str, detail: str, **more: Any) -> dict[str, Any]:
    status, title = KINDS[kind]
    return {"type": TYPE + kind, "title": title, "status": status, "detail": detail, **more}


def answer(kind: str, detail: str, **more: Any) -> HttpResponse:
    response = JsonResponse(body(kind, detail, **more), status=KINDS[kind][0], content_type=CONTENT_TYPE)
    if kind == "not-signed-in":
        response["WWW-Authenticate"] = 'Bearer realm="crossdock"'
    if kind == "too-fast":
        response["Retry-After"] = str(more.get("retry_after", 60))
    if kind == "away":
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def refusal_of(problem: Problem) -> Refuse:
    """A use-case's Problem as the API says it."""
    match problem:
        case InFlight():
            kind = "in-flight"
        case OtherBody():
            kind = "key-reused"
        case Stale():
            kind = "stale"
        case NotAllowed():
            kind = "not-allowed"
        case Invalid():
            kind = "invalid"
        case _:
            kind = "not-allowed"
    return Refuse(kind, str(problem))


def _field(where: Sequence[str | int]) -> str:
    """The field as the caller knows it; Ninja puts the place and the name of our parameter before it."""
    parts = [str(part) for part in where]
    return ".".join(parts[2:] if parts[:2] == ["body", "data"] else parts[1:]) or "the body"


def install(api: NinjaAPI) -> None:
    """Every error that a view can raise comes out in this one shape."""

    @api.exception_handler(Refuse)
    def refused(request: HttpRequest, error: Refuse) -> HttpResponse:
        return answer(error.kind, error.detail, **error.more)

    @api.exception_handler(Problem)
    def problem(request: HttpRequest, error: Problem) -> HttpResponse:
        said = refusal_of(error)
        return answer(said.kind, said.detail)

    @api.exception_handler(AuthenticationError)
    def nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer("not-signed-in", "Send “Authorization: Bearer …” with a token that is not revoked.")

    @api.exception_handler(Http404)
    def nothing(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer("not-found", "There is no such thing, or it is not yours.")

    @api.exception_handler(ValidationError)
    def wrong(request: HttpRequest, error: ValidationError) -> HttpResponse:
        found = [
            {"at": _field(item["loc"]), "what": str(item["msg"]).removeprefix("Value error, ")} for item in error.errors
        ]
        detail = "; ".join(f"{item['at']}: {item['what']}" for item in found)
        return answer("invalid", detail, errors=found)

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: HttpError) -> HttpResponse:
        kind = next((kind for kind, (status, _) in KINDS.items() if status == error.status_code), "invalid")
        return answer(kind, str(error))

    @api.exception_handler(Exception)
    def broken(request: HttpRequest, error: Exception) -> HttpResponse:
        """Ninja's own answer would show a traceback where DEBUG is on, and an HTML page where it is not."""
        if isinstance(error, AWAY):
            logger.error("%s %s: the database is away: %s", request.method, request.path, error)
            return answer("away", "Our database does not answer right now. Repeat it with the same Idempotency-Key.")
        logger.error("%s %s broke", request.method, request.path, exc_info=error)
        return answer(
            "broken", "Our mistake, not yours. Repeat it with the same Idempotency-Key: nothing is done twice."
        )
