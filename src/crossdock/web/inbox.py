"""The inbox behind the door: group commit. Whatever arrives during one commit is kept by the next, so a commit is
shared by hundreds of deliveries.

A double raises a counter on the waiting row instead of vanishing: it may be news that came after its twin's entity was
read again.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

import psycopg

from crossdock.domain.events import HookNews
from crossdock.domain.redact import hides
from crossdock.kit.discover import connectors
from crossdock.seeing import told
from crossdock.store.crash import point

_log = logging.getLogger(__name__)
MOST_ROWS = 5000
MOST_BYTES = 64 * 1024 * 1024
_BATCH = 500
_DEDUPE_LENGTH = 200
_INSERT = """
INSERT INTO store_delivery (party_id, topic, dedupe, news, headers, body, received_at, doubles, note)
SELECT p, t, d, n::jsonb, h::jsonb, b, %b::timestamptz, x, ''
FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::int[]) AS u(p, t, d, n, h,
  b, x)
ON CONFLICT (party_id, dedupe) WHERE handled_at IS NULL
  DO UPDATE SET doubles = store_delivery.doubles + EXCLUDED.doubles + 1
"""
_FORGED = """
UPDATE store_connection SET forged = forged + n FROM unnest(%b::bigint[], %b::int[]) AS u(i, n) WHERE id = i
"""


class Unkept(Exception):
    """The database did not take it: the shop has to send it again."""


class Unkeepable(Exception):
    """The database will never take it (a NUL in a text, a connection deleted meanwhile)."""


@dataclass(slots=True)
class Row:
    """One delivery to keep; `kept` is resolved after the commit. `doubles` counts its twins of the same batch."""

    party_id: int
    topic: str
    dedupe: str
    news: str
    headers: str
    body: bytes
    kept: "asyncio.Future[None]"
    doubles: int = 0
    twins: "list[asyncio.Future[None]]" = field(default_factory=list)

    def resolve(self, error: Exception | None) -> None:
        for future in (self.kept, *self.twins):
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)


class Inbox:
    """`connect` gives an autocommit connection; `wake` is told after each commit which parties have news."""

    def __init__(
        self,
        *,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]],
        wake: Callable[[set[int]], Awaitable[None]],
    ) -> None:
        self._connect = connect
        self._wake = wake
        self._rows: dict[tuple[int, str], Row] = {}
        self._bytes = 0
        self._forged: dict[int, int] = {}
        self._sleepy: set[int] = set()
        self._some = asyncio.Event()
        self._news = asyncio.Event()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._tasks = [
            asyncio.create_task(self._write(), name="inbox"),
            asyncio.create_task(self._wake_up(), name="inbox wake-ups"),
        ]
        self._closing = False

    def put(
        self, *, party_id: int, news: HookNews, body: bytes, headers: Mapping[str, str] | None = None
    ) -> "asyncio.Future[None] | None":
        """A future that is done after the commit; None when the inbox is full (the shop sends it again later)."""
        if len(self._rows) >= MOST_ROWS or self._bytes + len(body) > MOST_BYTES or self._closing:
            return None
        kept = asyncio.get_running_loop().create_future()
        dedupe = news.dedupe if len(news.dedupe) <= _DEDUPE_LENGTH else hashlib.sha256(news.dedupe.encode()).hexdigest()
        twin = self._rows.get((party_id, dedupe))
        if twin is not None:
            twin.doubles += 1
            twin.twins.append(kept)
        else:
            self._rows[(party_id, dedupe)] = Row(
                party_id, news.topic[:80], dedupe, _as_json(news), _kept_headers(headers or {}), body, kept
            )
            self._bytes += len(body)
            told.by.kept(party_id, dedupe, news.topic, kept)
        self._some.set()
        return kept

    def forged(self, connection_id: int) -> None:
        """Counted with the next commit; a flood of forgeries costs one row update per batch."""
        self._forged[connection_id] = self._forged.get(connection_id, 0) + 1
        self._some.set()

    async def close(self) -> None:
        """Keep what is waiting, then stop."""
        self._closing = True
        self._some.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(self._tasks[:1], timeout=10)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._sleepy:
            with contextlib.suppress(Exception):
                await self._wake(self._sleepy)
        if self._connection is not None:
            await self._connection.close()

    async def _write(self) -> None:
        while not (self._closing and not self._rows):
            await self._some.wait()
            self._some.clear()
            while self._rows or self._forged:
                await self._flush()
                if self._closing and not self._rows:
                    break

    async def _flush(self) -> None:
        taken = list(self._rows)[:_BATCH]
        batch = [self._rows.pop(key) for key in taken]
        self._bytes -= sum(len(row.body) for row in batch)
        forged, self._forged = self._forged, {}
        try:
            if batch:
                await self._keep(batch)
            if forged:
                await (await self._open()).execute(_FORGED, [list(forged), list(forged.values())])
        except (psycopg.Error, OSError, TimeoutError) as error:
            _log.error("the inbox cannot write: %s", error)
            for row in batch:
                row.resolve(Unkept())
            for connection_id, times in forged.items():
                self._forged[connection_id] = self._forged.get(connection_id, 0) + times
            await self._hang_up()
            await asyncio.sleep(0.2)

    async def _keep(self, batch: list[Row]) -> None:
        try:
            await self._insert(batch)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(batch) == 1:
                _log.warning("a delivery cannot be kept: %s", error)
                batch[0].resolve(Unkeepable())
                return
            # One poisoned delivery must not keep the others out.
            for row in batch:
                await self._keep([row])

    async def _insert(self, batch: list[Row]) -> None:
        point("door.before_commit")
        connection = await self._open()
        columns: Iterable[list[Any]] = (
            [row.party_id for row in batch],
            [row.topic for row in batch],
            [row.dedupe for row in batch],
            [row.news for row in batch],
            [row.headers for row in batch],
            [row.body for row in batch],
            [row.doubles for row in batch],
        )
        await connection.execute(_INSERT, [datetime.now(UTC), *columns])
        point("door.after_commit")
        for row in batch:
            row.resolve(None)
        self._sleepy |= {row.party_id for row in batch}
        self._news.set()

    async def _wake_up(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            parties, self._sleepy = self._sleepy, set()
            point("door.before_wake")
            try:
                await self._wake(parties)
            except Exception as error:
                # The sweep finds what a lost wake-up left.
                _log.warning("shops could not be woken: %s", error)

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            async with asyncio.timeout(5):
                self._connection = await self._connect()
        return self._connection

    async def _hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                await self._connection.close()
            self._connection = None


def _as_json(news: HookNews) -> str:
    """Shaped like HookNews, so that it is read back into one.

    Written by hand: json.dumps takes three times as long, thousands of times a second.
    """
    looks = ",".join(f'{{"kind":{_quoted(look.kind)},"entity_id":{_quoted(look.entity_id)}}}' for look in news.looks)
    hints = ",".join(
        f'{{"variant_id":{_quoted(hint.variant_id)},"count":{hint.count:d},"version":{_quoted(hint.version)}}}'
        for hint in news.hints
    )
    return f'{{"topic":{_quoted(news.topic)},"dedupe":{_quoted(news.dedupe)},"looks":[{looks}],"hints":[{hints}]}}'


def _kept_headers(headers: Mapping[str, str]) -> str:
    """What the platform says about the delivery; signatures and what proxies add are left out."""
    return (
        "{"
        + ",".join(f"{_quoted(name)}:{_quoted(value[:300])}" for name, value in headers.items() if _is_kept(name))
        + "}"
    )


@lru_cache(2000)
def _is_kept(name: str) -> bool:
    # A vendor's own headers begin with "x-", or with its name.
    ours = ("x-", "webhook-", "content-type", *(f"{platform}-" for platform in connectors()))
    return name.startswith(ours) and not name.startswith("x-forwarded") and not hides(name)


def connector_to(params: Mapping[str, Any]) -> Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]:
    """Opens connections with Django's own parameters, so that the door needs no settings of its own."""

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(**{**params, "autocommit": True, "connect_timeout": 4})

    return connect
