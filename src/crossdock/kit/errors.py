"""What can go wrong outside, sorted by what to do next.

A read raises these; `outcome_of` turns them into a command's outcome.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from crossdock.domain.commands import Later, Outcome, Refused, SignInAgain, Unknown, Why

P = ParamSpec("P")


class Outside(Exception):
    """Base: the party outside did not do what we asked. The message is a sentence for the seller, free of secrets."""


class NotSent(Outside):
    """The request surely never reached the party (refused connection, unknown name, address not allowed)."""


class Throttled(Outside):
    """The party asked us to slow down and did not execute the request. `after_seconds` is its wish, if it said one."""

    def __init__(self, sentence: str, after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.after_seconds = after_seconds


class NoAnswer(Outside):
    """Sent, but no usable answer came (timeout, cut connection, 5xx): it may have been carried out."""

    def __init__(self, sentence: str, after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.after_seconds = after_seconds


# Where an answer is odd that is not of the platform at all.
BODY = "the answer's body"


def _kind(value: object) -> str:
    """What JSON calls it, since sellers read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    words = {type(None): "null", str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return words.get(type(value), type(value).__name__)


class Strange(NoAnswer):
    """The answer is not what the platform documents; `path` says where.

    Treated as unknown, since the work may be done. `ours` is False where it is about an order without a reference of
    ours.
    """

    ours = True

    def __init__(self, path: str, expected: str, got: object) -> None:
        super().__init__(f"The shop's answer has no {expected} at {path} (it has {_kind(got)}).")
        self.path = path

    @property
    def whole(self) -> bool:
        """All of it is odd, not a field: no answer of the platform came, as from a page that a host puts before."""
        return self.path == BODY


class NotJson(Strange):
    """The whole answer cannot be read (a host's page, a challenge, half an answer): the party's trouble, no row's."""


class Challenged(NotJson):
    """A page came where data should be, and its status proves nothing. It may stand before the shop, or have taken the
    place of an answer: what was asked may be done.
    """

    def __init__(self, sentence: str, after_seconds: float) -> None:
        super().__init__(BODY, "JSON", "")
        self.args = (sentence,)
        self.after_seconds = after_seconds


class AuthDead(Outside):
    """The credentials are refused or lack a right; the seller has to sign in again."""


class NotAllowed(AuthDead):
    """The credentials are good, but lack a right for this alone."""


class Missing(Outside):
    """The entity does not exist there (positive evidence: a 404 with the platform's own body, or a null node)."""


class Declined(Outside):
    """The party's own no, with its reason: surely not done."""

    def __init__(self, sentence: str, why: Why = Why.INVALID, short: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.why, self.short = why, short


class BadInput(Outside):
    """What the seller typed cannot be used; nothing was sent. The message says what to type."""


def outcome_of(error: Outside) -> Outcome:
    """The outcome of a command whose call ended in `error`."""
    match error:
        case NotSent():
            return Later(str(error))
        case Throttled():
            return Later(str(error), error.after_seconds)
        case AuthDead():
            return SignInAgain(str(error))
        case Declined():
            return Refused(error.why, str(error), error.short)
        case Missing():
            return Refused(Why.NOT_FOUND, str(error))
        case NoAnswer():
            return Unknown(str(error), error.after_seconds)
        case _:
            return Refused(Why.INVALID, str(error))


def ending(act: Callable[P, Awaitable[Outcome]]) -> Callable[P, Coroutine[Any, Any, Outcome]]:
    """A command that raises nothing of this family: what stopped it is its outcome."""

    @wraps(act)
    async def ended(*args: P.args, **named: P.kwargs) -> Outcome:
        try:
            return await act(*args, **named)
        except Outside as error:
            return outcome_of(error)

    return ended
