"""What the status of a platform's answer means, where its own error is told from a page that somebody else put there.

What only one platform means by a status stays in its folder, with its source: `own` is asked first.
"""

from collections.abc import Awaitable, Callable, Container, Mapping
from typing import NamedTuple, TypeVar

from crossdock.kit.check import check, is_challenge, retry_after, walled
from crossdock.kit.connector import Reply
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, NotAllowed, Outside, Strange, Throttled
from crossdock.kit.json_node import Node, node_of

T = TypeVar("T")
REFUSALS = range(400, 500)


class Told(NamedTuple):
    """What the platform itself says of its error: in words for people, and its code ("" where it has none)."""

    words: str
    code: str = ""


def error_in(reply: Reply) -> Node | None:
    """The object that an error is told with, of a list its first; None where there is none, as in a host's page."""
    try:
        body = reply.json()
    except Strange:
        return None
    first = body[0] if isinstance(body, list) and body else body
    return node_of(first, "error") if isinstance(first, dict) else None


def by_code(meanings: Mapping[str, tuple[type[Outside], str]], told: Told | None, by: str) -> Outside | None:
    """The error that a platform's own code stands for, with its words behind ours."""
    if told is None or told.code not in meanings:
        return None
    kind, sentence = meanings[told.code]
    return kind(f"{sentence} {by} says: {told.words}")


def answered(
    reply: Reply,
    told: Callable[[Reply], Told | None],
    *,
    by: str,
    refused: str,
    lacking: str,
    nowhere: str,
    place: str = "shop",
    refusals: Container[int] = REFUSALS,
    cool_down: float | None = None,
    own: Callable[[Reply, Told | None], Outside | None] = lambda reply, told: None,
) -> Reply:
    """The reply when it is a 2xx; otherwise raises the error that its status stands for.

    `told` reads the platform's own error out of the answer, None where something else wrote it: only the platform
    knows our credentials and what the shop has. `by` is its name, `place` what it calls a shop. `refused`, `lacking`
    and `nowhere` are sentences: these credentials are not taken, they lack a right, there is no such platform at this
    address. `refusals` are the statuses by which it says that nothing was done. A 429 without a meaning of its own is
    a wish to be asked less: for `cool_down` seconds where the answer does not say for how long.
    """
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    said = told(reply)
    if (error := own(reply, said)) is not None:
        raise error
    words = said.words if said else ""
    match reply.status:
        case 401 if said:
            raise AuthDead(f"{refused} It says: {words}")
        case 403 if said:
            raise NotAllowed(f"{lacking} {by} says: {words}")
        case 401 | 403:
            raise walled(reply.status)
        case 404 if said:
            raise Missing(f"Your {place} does not have it. {by} says: {words}")
        case 404:
            raise NoAnswer(nowhere)
        case status if status in refusals and status != 429 and said:
            raise Declined(f"Your {place} refused this. {by} says: {words}")
    if reply.status == 429 and cool_down is not None:
        wait = retry_after(reply)
        words = f"Your {place} was asked too often; we go on in a moment."
        raise Throttled(words, cool_down if wait is None else wait)
    check(reply)
    raise NoAnswer(f"{by} answered in a way that we do not understand ({reply.status}).")


async def found(call: Awaitable[T]) -> T | None:
    """What the shop answers; None where it does not have it."""
    try:
        return await call
    except Missing:
        return None
