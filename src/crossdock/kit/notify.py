"""The Notifier protocol: one way of telling somebody's own program something.

Each is a folder below crossdock.notify.
"""

from collections.abc import Mapping, Sequence
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
    ) -> Outcome:
        """Tell it once. Repeating is harmless, since `message_id` stays the same. Raises nothing of kit.errors."""


class Sign(Protocol):
    def __call__(self, *, secrets: Sequence[str], message_id: str, body: bytes, at: datetime) -> dict[str, str]:
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
    ) -> Outcome:
        content = dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = self._sign(secrets=secrets, message_id=message_id, body=content, at=at)
        return await _posted(line, url, message_id=message_id, headers=headers, content=content)


async def _posted(line: Line, url: str, *, message_id: str, headers: Mapping[str, str], content: bytes) -> Outcome:
    """Any 2xx took it. 410 says that nobody listens there any more; everything else is tried again."""
    try:
        reply = await line.send("POST", url, headers=headers, content=content, timeout_seconds=ANSWER_SECONDS)
    except (NotSent, NoAnswer) as error:
        return Later(str(error))
    if 200 <= reply.status < 300:
        return Done(message_id, note=f"It answered {reply.status}.")
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
