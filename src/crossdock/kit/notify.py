"""The Notifier protocol: one way of telling somebody's own program something.

Each is a folder below crossdock.notify.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any, Protocol, cast

from crossdock.domain.commands import Done, Later, Outcome, Refused, Why
from crossdock.kit.check import retry_after
from crossdock.kit.connector import Reply
from crossdock.kit.discover import NoSuchFolder, offered
from crossdock.kit.errors import NoAnswer, NotSent

# A receiver should put the message away and answer; work is done afterwards.
ANSWER_SECONDS = 15.0


class Line(Protocol):
    """A party's handle on the transport; what is signed goes out byte by byte."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply: ...


class Notifier(Protocol):
    async def deliver(
        self,
        line: Line,
        *,
        url: str,
        secrets: Sequence[str],
        message_id: str,
        body: Mapping[str, Any],
        at: datetime,
        since: datetime | None = None,
        sender: str = "",
    ) -> Outcome:
        """Tell it once. Repeating is harmless, since `message_id` stays the same, and `since`: when it was first told.
        `sender` is the address under which we say who we are, for protocols that have one. Raises nothing of
        kit.errors.
        """


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its bytes as they go out to `url` now, at `at`; the rest as `deliver` was given it."""

    url: str
    id: str
    body: bytes
    at: datetime
    since: datetime
    sender: str


class Sign(Protocol):
    def __call__(self, letter: Letter, *, secrets: Sequence[str]) -> dict[str, str]:
        """The headers; of the secrets in force the newest is the first."""


class Signed:
    """A Notifier that posts JSON. How a protocol signs it is all that is its own."""

    def __init__(self, sign: Sign) -> None:
        self._sign = sign

    async def deliver(
        self,
        line: Line,
        *,
        url: str,
        secrets: Sequence[str],
        message_id: str,
        body: Mapping[str, Any],
        at: datetime,
        since: datetime | None = None,
        sender: str = "",
    ) -> Outcome:
        content = dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        letter = Letter(url, message_id, content, at, since or at, sender)
        return await _posted(line, letter, headers=self._sign(letter, secrets=secrets))


async def _posted(line: Line, letter: Letter, *, headers: Mapping[str, str]) -> Outcome:
    """Any 2xx took it. 410 says that nobody listens there any more; everything else is tried again."""
    try:
        reply = await line.send(
            "POST", letter.url, headers=headers, content=letter.body, timeout_seconds=ANSWER_SECONDS
        )
    except (NotSent, NoAnswer) as error:
        return Later(str(error))
    if 200 <= reply.status < 300:
        return Done(letter.id, note=f"It answered {reply.status}.")
    if reply.status == 410:
        return Refused(Why.NOT_FOUND, "It answered 410: nobody listens there any more.")
    if 300 <= reply.status < 400:
        return Later(f"It answered {reply.status} and names another address; give us the final one.")
    return Later(f"It answered {reply.status}.", retry_after(reply))


def notifier(name: str) -> Notifier:
    found = offered("notify", "notifier")
    if name not in found:
        raise NoSuchFolder(f"There is no {name!r} among the notifiers; there are: {', '.join(found) or 'none'}.")
    return cast(Notifier, found[name])
