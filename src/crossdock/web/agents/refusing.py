"""What is refused, in the protocol's one flat shape: type, code, message and where it stands."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse

from crossdock.usecases.errors import Invalid, Problem

VERSIONS = ("2026-04-17",)


class Refusal(Exception):
    """An answer other than success. `param` is a JSONPath of the body."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str = "",
        kind: str = "invalid_request",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        said = {"type": kind, "code": code, "message": message, **more}
        self.body: dict[str, Any] = {**said, "param": param} if param else said

    @property
    def passes(self) -> bool:
        """Over by itself: kept for no repeat, which may well be answered otherwise."""
        return self.status >= 500 or "Retry-After" in self.headers

    def answer(self) -> HttpResponse:
        return JsonResponse(self.body, status=self.status, headers=self.headers)


def refusal_of(problem: Problem) -> Refusal:
    """A use-case's Problem as the protocol says it."""
    return (
        Refusal(400, "invalid", str(problem))
        if isinstance(problem, Invalid)
        else Refusal(409, "conflict", str(problem))
    )


def nobody() -> Refusal:
    words = "Send “Authorization: Bearer …” with an agent's token of this marketplace that is not revoked."
    return Refusal(401, "unauthorized", words, headers={"WWW-Authenticate": 'Bearer realm="crossdock"'})


def too_fast(seconds: int) -> Refusal:
    words = f"Too many requests; go on in {seconds} s."
    return Refusal(429, "rate_limit_exceeded", words, headers={"Retry-After": str(seconds)})


def in_progress(busy: Problem) -> Refusal:
    return Refusal(409, "complete_in_progress", str(busy), headers={"Retry-After": "5"})


def not_found() -> Refusal:
    return Refusal(404, "not_found", "There is no such thing, or it is not this agent's.")


def broken(code: str, message: str, status: int = 500) -> Refusal:
    return Refusal(status, code, message, kind="service_unavailable" if status == 503 else "processing_error")
