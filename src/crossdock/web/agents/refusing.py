"""What is refused, before a protocol gives it its shape, and how a protocol is spoken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from crossdock.usecases.errors import Invalid, Problem


class Refusal(Exception):
    """An answer other than success. `param` is a JSONPath of the body. `outcome`: it was understood, and this is what
    came of it, such as goods that are not sold; some protocols tell that from a bad request.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str = "",
        outcome: bool = False,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.outcome, self.headers, self.more = outcome, dict(headers or {}), more

    @property
    def passes(self) -> bool:
        """Over by itself: kept for no repeat, which may well be answered otherwise."""
        return self.status >= 500 or "Retry-After" in self.headers


Written = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Speech:
    """A protocol. `switch` is the setting that turns it on. `keyed`: every POST needs an Idempotency-Key; `other_body`
    is the status where a key comes with another one, and `replayed` the headers of an answer that is given again.
    """

    name: str
    switch: str
    refused: Callable[[Refusal], Written]
    keyed: bool
    other_body: int
    replayed: Mapping[str, str]

    @property
    def on(self) -> bool:
        return bool(getattr(settings, self.switch))

    def answer(self, refusal: Refusal) -> HttpResponse:
        status, said = self.refused(refusal)
        return JsonResponse(said, status=status, headers=refusal.headers)


def refusal_of(problem: Problem) -> Refusal:
    """A use-case's Problem."""
    if isinstance(problem, Invalid):
        return Refusal(400, "invalid", str(problem), outcome=True)
    return Refusal(409, "conflict", str(problem), outcome=True)


def nobody() -> Refusal:
    words = "Send “Authorization: Bearer …” with an agent's token of this marketplace that is not revoked."
    return Refusal(401, "unauthorized", words, headers={"WWW-Authenticate": 'Bearer realm="crossdock"'})


def too_fast(seconds: int) -> Refusal:
    words = f"Too many requests; go on in {seconds} s."
    return Refusal(429, "rate_limit_exceeded", words, headers={"Retry-After": str(seconds)})


def in_progress(busy: Problem) -> Refusal:
    return Refusal(409, "complete_in_progress", str(busy), headers={"Retry-After": "5"})


def not_found() -> Refusal:
    return Refusal(404, "not_found", "There is no such thing, or it is not this agent's.", outcome=True)
