"""The Notifier protocol: one way of telling a seller's own program something.

Each is a folder below crossdock.notify.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, cast

from crossdock.domain.commands import Outcome
from crossdock.kit.connector import Reply
from crossdock.kit.discover import NoSuchFolder, offered


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


def notifier(name: str) -> Notifier:
    found = offered("notify", "notifier")
    if name not in found:
        raise NoSuchFolder(f"There is no {name!r} among the notifiers; there are: {', '.join(found) or 'none'}.")
    return cast(Notifier, found[name])
