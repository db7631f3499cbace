"""One worker process: its pumps, its threads for the database, its transport.

A wake-up starts a party's pump or nudges the one that runs.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from crossdock.engine.handler import Handler
from crossdock.engine.pump import Pump
from crossdock.kit.http import Transport
from crossdock.store.threads import Threads
from crossdock.usecases.shops.timers import Due

_log = logging.getLogger(__name__)
MOST_PUMPS = 500
LEASE_SECONDS = 15.0
# A wake-up due within this time is kept in memory; later ones are the sweep's.
_REMEMBER_SECONDS = 60.0
Opener = Callable[["Engine", int, Due], Handler]


class Engine:
    """Must be made inside the running loop. `handlers` opens one for a kind of party (shop, payment, notify)."""

    def __init__(
        self,
        *,
        transport: Transport,
        threads: Threads,
        handlers: dict[str, Opener],
        random: Random | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.transport, self.threads, self.clock, self.lease_seconds = transport, threads, clock, lease_seconds
        self.random = random or Random()
        self.stopping = False
        # Answers lost in a row, by party: one is bad luck, three are a party in trouble.
        self.unsure: dict[int, int] = {}
        self._handlers = handlers
        self._name = secrets.token_hex(6)
        self._runs = 0
        self._pumps: dict[int, Pump] = {}
        self._left = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[int, tuple[float, asyncio.TimerHandle]] = {}

    @property
    def busy(self) -> int:
        return len(self._pumps)

    def fresh_owner(self) -> str:
        """A lease's owner: new for each holding, so that what an earlier one left in flight is seen as abandoned."""
        self._runs += 1
        return f"{self._name}-{self._runs}"

    def handler(self, party_id: int, due: Due) -> Handler:
        """Raises LookupError for a kind of party that this build does not know."""
        return self._handlers[due.kind](self, party_id, due)

    async def accept(self, party_id: int) -> None:
        """A wake-up from outside; waits while this worker is full, so that another worker may take it."""
        while len(self._pumps) >= MOST_PUMPS and party_id not in self._pumps and not self.stopping:
            self._left.clear()
            await self._left.wait()
        self.wake(party_id)

    def wake(self, party_id: int) -> None:
        if self.stopping:
            return
        pump = self._pumps.get(party_id)
        if pump is not None:
            pump.nudge.set()
            return
        pump = self._pumps[party_id] = Pump(self, party_id)
        task = asyncio.create_task(self._run(pump), name=f"pump {party_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, pump: Pump) -> None:
        try:
            await pump.run()
        except Exception:
            _log.exception("the pump of party %s stumbled; the sweep will wake it again", pump.party_id)
        finally:
            # No await between the pump's last look at its nudge and this line, so no wake-up falls in between.
            del self._pumps[pump.party_id]
            self._left.set()

    def remind(self, party_id: int, at: datetime | None) -> None:
        """Wake this party again at that time. Forgetting it costs at most the sweep's five seconds."""
        if at is None or self.stopping:
            return
        wait = max(0.02, (at - self.clock()).total_seconds() + 0.01)
        if wait > _REMEMBER_SECONDS:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + wait
        earlier = self._timers.get(party_id)
        if earlier is not None:
            if earlier[0] <= when:
                return
            earlier[1].cancel()
        self._timers[party_id] = (when, loop.call_later(wait, self._ring, party_id))

    def _ring(self, party_id: int) -> None:
        self._timers.pop(party_id, None)
        self.wake(party_id)

    async def stop(self, *, grace_seconds: float) -> None:
        """Start nothing new, let what is in flight finish, then give back the rest."""
        self.stopping = True
        self._left.set()
        for _, timer in self._timers.values():
            timer.cancel()
        for pump in self._pumps.values():
            pump.nudge.set()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=grace_seconds)
            for pump in list(self._pumps.values()):
                pump.cancel_in_flight()
            if late:
                await asyncio.wait(late, timeout=10)
