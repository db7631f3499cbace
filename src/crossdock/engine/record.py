"""Recorded calls become rows beside the party, a batch a second.

Evidence, not truth: under pressure the oldest are dropped, never a shop held up.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from crossdock.domain.storable import make_storable, storable
from crossdock.engine.watch import ASKING, Asking, watched
from crossdock.kit.aside import Aside
from crossdock.kit.connector import Connector, Shop
from crossdock.kit.http import Exchange as Heard
from crossdock.kit.http import Recorder as Listener
from crossdock.store.models import Call, Exchange
from crossdock.store.threads import Threads

_log = logging.getLogger(__name__)
_MOST_WAITING = 5000
_EVERY_SECONDS = 1.0
_LONGEST_MADE = 100_000
# The order that a call is made for, where no connector's call says so; tasks inherit it.
SUBJECT: ContextVar[str] = ContextVar("subject", default="")


class Recorder:
    """Give it to the transport. `close` writes what is left."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self.aside = Aside()
        self._waiting: deque[Exchange] = deque(maxlen=_MOST_WAITING)
        self._calls: deque[Call] = deque(maxlen=_MOST_WAITING)
        # Calls that found out whose order it was after some of their exchanges were written.
        self._late: dict[str, str] = {}
        self._task = asyncio.create_task(self._write_on(), name="recorder")

    def __call__(self, heard: Heard) -> None:
        _, _, party = heard.party.rpartition(":")
        # Attempts have negative numbers: not a party yet.
        if party.isdigit():
            asking = ASKING.get()
            subject = "" if _signs_in(heard.request) else SUBJECT.get() or (asking.subject if asking else "")
            row = Exchange(
                party_id=int(party),
                subject=subject[:60],
                call=asking.key if asking else "",
                at=datetime.now(UTC),
                method=heard.method[:10],
                url=storable(heard.url),
                status=heard.status,
                milliseconds=max(0, heard.milliseconds),
                request=storable(heard.request),
                response=storable(heard.answer),
                headers=_plain(dict(heard.headers)),
                error=storable(heard.trouble),
            )
            self._waiting.append(row)

    def ended(self, party_id: int, asking: Asking) -> None:
        """A connector's call is over."""
        made = _plain(asking.made)
        if len(json.dumps(made)) > _LONGEST_MADE:
            made = {"type": made.get("type", ""), "cut": True}
        self._calls.append(
            Call(
                key=asking.key,
                party_id=party_id,
                subject=asking.subject[:60],
                about=_plain(asking.about),
                operation=asking.operation,
                given=_plain(asking.given),
                made=made,
                at=asking.at,
            )
        )
        if asking.subject:
            for row in self._waiting:
                if row.call == asking.key and not _signs_in(row.request):
                    row.subject = row.subject or asking.subject[:60]
            self._late[asking.key] = asking.subject[:60]

    async def close(self) -> None:
        await self.aside.close()
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
        calls = [self._calls.popleft() for _ in range(min(len(self._calls), 500))]
        late, self._late = self._late, {}
        if rows or calls:
            try:
                await self._threads.run(_keep, rows, calls, late)
            except Exception as error:
                _log.warning("%d recorded calls were not kept: %s", len(rows) + len(calls), error)


def _keep(rows: list[Exchange], calls: list[Call], late: dict[str, str]) -> None:
    Exchange.objects.bulk_create(rows)
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    here = {row.call for row in rows if row.subject}
    for key, subject in late.items():
        if key not in here:
            rows_of_call = Exchange.objects.filter(call=key, subject="")
            rows_of_call.exclude(request__contains='"password"').update(subject=subject)


def listened_to(connector: Connector, recorder: Listener | None, party_id: int) -> Connector:
    """The connector, with what it does kept by the transport's recorder where there is one."""
    if not isinstance(recorder, Recorder):
        return connector

    def listen(_: Shop, asking: Asking) -> None:
        recorder.ended(party_id, asking)

    return watched(connector, listen, recorder.aside)


def _signs_in(request: str) -> bool:
    """Signing in belongs to no order, whichever order's call it was needed for."""
    return '"password"' in request or '"client_secret"' in request


def _plain(value: Any) -> Any:
    """The same for JSON, whose NUL is an escape."""
    text = json.dumps(value, default=str)
    if "\\u0000" not in text and "\\ud" not in text:
        return value
    return make_storable(json.loads(text))
