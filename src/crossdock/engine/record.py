"""Recorded calls become rows beside the party, a batch a second. Evidence, not truth: under pressure the oldest are dropped, never a shop held up."""

import asyncio
import contextlib
import logging
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime

from crossdock.kit.http import Exchange as Call
from crossdock.store.models import Exchange
from crossdock.store.threads import Threads

_log = logging.getLogger(__name__)
_MOST_WAITING = 5000
_EVERY_SECONDS = 1.0
# The order that a call is made for; tasks inherit it.
SUBJECT: ContextVar[str] = ContextVar("subject", default="")


class Recorder:
    """Give it to the transport. `close` writes what is left."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._waiting: deque[Exchange] = deque(maxlen=_MOST_WAITING)
        self._task = asyncio.create_task(self._write_on(), name="recorder")

    def __call__(self, call: Call) -> None:
        _, _, party = call.party.rpartition(":")
        # Attempts have negative numbers: not a party yet.
        if party.isdigit():
            self._waiting.append(
                Exchange(
                    party_id=int(party), subject=SUBJECT.get()[:60], at=datetime.now(UTC), method=call.method[:10], url=call.url, status=call.status,
                    milliseconds=max(0, call.milliseconds), request=_text(call.request), response=_text(call.answer), error=_text(call.trouble),
                )
            )  # fmt: skip

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._write()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self._write()

    async def _write(self) -> None:
        rows = [self._waiting.popleft() for _ in range(min(len(self._waiting), 500))]
        if rows:
            try:
                await self._threads.run(Exchange.objects.bulk_create, rows)
            except Exception as error:
                _log.warning("%d recorded calls were not kept: %s", len(rows), error)


def _text(text: str) -> str:
    """PostgreSQL has no NUL in its texts."""
    return text.replace("\x00", "�")
