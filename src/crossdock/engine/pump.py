"""One pump per party: under the party's lease it carries out commands side by side and reads what is wanted, until
nothing is due.

A wake-up that meets another worker's lease is dropped; therefore whoever lets go of a lease looks for due rows once
more afterwards.
"""

import asyncio
import logging
from contextvars import copy_context
from datetime import datetime, timedelta

from django.db import Error as DatabaseError

from crossdock.domain.commands import Done, Later, Outcome, Refused, SignInAgain, Unknown
from crossdock.engine.handler import Attempt, Handler, Host
from crossdock.kit.errors import Outside, outcome_of
from crossdock.logs import ABOUT
from crossdock.store.crash import point
from crossdock.usecases.outcomes import claims
from crossdock.usecases.parties import leases
from crossdock.usecases.shops.timers import Due, due_of

_log = logging.getLogger(__name__)
# How soon a running pump sees what another process wrote for its party.
LOOK_SECONDS = 0.2
_UNSURE_IN_A_ROW = 3


class Pump:
    def __init__(self, engine: Host, party_id: int) -> None:
        self.party_id = party_id
        self.nudge = asyncio.Event()
        self._engine = engine
        self._flying: dict[asyncio.Task[Outcome | None], Attempt] = {}
        self._reading: asyncio.Task[bool] | None = None
        self._halted = False
        self._lost = False
        self._ill = False
        self._of_a_shop = False
        self._rest_reading_until = 0.0
        self._bad_reads = 0

    async def run(self) -> None:
        """Returns with no await after the last look at `nudge`."""
        engine = self._engine
        while not engine.stopping:
            self.nudge.clear()
            due = await self._due()
            if due is None:
                return
            if not due.anything:
                engine.remind(self.party_id, due.next_at)
            else:
                owner = engine.fresh_owner()
                taken = await engine.threads.run(
                    leases.take_lease,
                    party_id=self.party_id,
                    owner=owner,
                    seconds=engine.lease_seconds,
                    now=engine.clock(),
                )
                if taken and await self._hold(owner, due):
                    continue
                if taken:
                    # Something is due and cannot be done yet; this timer looks again, and the sweep.
                    engine.remind(self.party_id, self._look_again_at(due))
            if not self.nudge.is_set():
                return

    def _look_again_at(self, due: Due) -> datetime | None:
        rest = self._rest_reading_until - asyncio.get_running_loop().time()
        return self._engine.clock() + timedelta(seconds=rest) if rest > 0 else due.next_at

    async def _due(self) -> Due | None:
        return await self._engine.threads.run(due_of, party_id=self.party_id, now=self._engine.clock())

    async def _hold(self, owner: str, due: Due) -> bool:
        """Work under the lease. True when something was done, so that looking again is worth it."""
        self._halted = self._lost = False
        self._ill = due.failures > 0
        self._of_a_shop = due.connection_id is not None
        renewing = asyncio.create_task(self._renew(owner))
        point("pump.leased")
        handler: Handler | None = None
        try:
            handler = await self._open(due)
            return handler is not None and await self._work(handler, owner, due)
        finally:
            await self._abandon()
            try:
                if handler is not None:
                    await handler.close()
            finally:
                renewing.cancel()
            if not self._lost:
                point("pump.before_release")
                await self._engine.threads.run(leases.release_lease, party_id=self.party_id, owner=owner)

    async def _open(self, due: Due) -> Handler | None:
        try:
            return await self._engine.threads.run(self._engine.handler, self.party_id, due)
        except DatabaseError:
            raise
        except Exception as error:
            _log.exception("party %s cannot be opened", self.party_id)
            await self._fail(f"It cannot be opened: {error}", 300.0)
            return None

    async def _renew(self, owner: str) -> None:
        """Keep the lease; when it is lost, stop sending at once."""
        engine = self._engine
        loop = asyncio.get_running_loop()
        until = loop.time() + engine.lease_seconds
        while not self._lost:
            await asyncio.sleep(engine.lease_seconds / 4)
            asked = loop.time()
            try:
                ours = await engine.threads.run(
                    leases.renew_lease,
                    party_id=self.party_id,
                    owner=owner,
                    seconds=engine.lease_seconds,
                    now=engine.clock(),
                )
                if ours:
                    until = asked + engine.lease_seconds
            except DatabaseError as error:
                _log.warning("the lease of party %s was not renewed: %s", self.party_id, error)
                ours = loop.time() < until - engine.lease_seconds / 4
            if not ours:
                _log.warning("the lease of party %s was lost", self.party_id)
                self._lost = True
                self.cancel_in_flight()

    def cancel_in_flight(self) -> None:
        """Give back what was not sent; what was becomes unknown."""
        for task, attempt in self._flying.items():
            attempt.lost = self._lost
            task.cancel()
        if self._reading is not None:
            self._reading.cancel()

    @property
    def _may_start(self) -> bool:
        return not (self._halted or self._lost or self._engine.stopping)

    async def _work(self, handler: Handler, owner: str, due: Due) -> bool:
        """Until nothing is under way and nothing can be started. True when something was done."""
        loop = asyncio.get_running_loop()
        progressed, more, reads, looked = False, due.commands, due.reads, loop.time()
        while True:
            # One at a time until an ailing party answers again, so that a thousand waiting commands don't each try.
            room = (1 if self._ill else handler.parallel) - len(self._flying)
            if more and room > 0 and self._may_start:
                more = await self._claim(handler, owner, room)
            if reads and self._reading is None and self._may_start and loop.time() >= self._rest_reading_until:
                self._reading, reads = asyncio.create_task(handler.chores(due), name=f"reading {self.party_id}"), False
            if not self._flying and self._reading is None:
                return progressed
            await self._wait()
            if handler.heard:
                handler.heard = False
                await self._well()
            done, fruitful = await self._collect()
            progressed, more, reads = progressed or done, more or done, reads or fruitful
            if self.nudge.is_set() or loop.time() - looked >= LOOK_SECONDS or not (self._flying or self._reading):
                fresh, looked = self.nudge.is_set() or done, loop.time()
                self.nudge.clear()
                seen = await self._due()
                if seen is None or not seen.open:
                    self._halted = True
                else:
                    # A round of reading that found nothing to do is repeated only after something happened.
                    due, more, reads = seen, more or seen.commands, reads or (seen.reads and fresh)

    async def _claim(self, handler: Handler, owner: str, room: int) -> bool:
        """Start up to `room` commands. True when there may be more."""
        claimed = await self._engine.threads.run(
            claims.claim_commands, party_id=self.party_id, owner=owner, limit=room, now=self._engine.clock()
        )
        for one in claimed:
            attempt = Attempt(one)
            about = copy_context()
            about.run(ABOUT.set, one.subject)
            task = asyncio.create_task(handler.carry_out(attempt), name=f"{one.kind} {one.subject}", context=about)
            self._flying[task] = attempt
        return len(claimed) == room

    async def _wait(self) -> None:
        nudged = asyncio.create_task(self.nudge.wait())
        reading = [self._reading] if self._reading is not None else []
        await asyncio.wait([*self._flying, *reading, nudged], timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        nudged.cancel()

    async def _collect(self) -> tuple[bool, bool]:
        """What finished: (something was done, another round of reading is worth it)."""
        done = fruitful = False
        for task in [task for task in self._flying if task.done()]:
            del self._flying[task]
            done = True
            if not task.cancelled():
                await self._note(task.result())
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            fruitful = not reading.cancelled() and await self._read(reading)
        return done or fruitful, fruitful

    async def _abandon(self) -> None:
        """Nothing may outlive the lease."""
        self.cancel_in_flight()
        reading = [self._reading] if self._reading is not None else []
        await asyncio.gather(*self._flying, *reading, return_exceptions=True)
        self._flying.clear()
        self._reading = None

    async def _read(self, task: asyncio.Task[bool]) -> bool:
        try:
            did = task.result()
        except Outside as error:
            self._rest_reading()
            _log.info("reading from party %s: %s", self.party_id, error)
            await self._note(outcome_of(error))
            return False
        except DatabaseError:
            raise
        except Exception:
            # What concerns one thing alone was set aside already; this is ours, and the commands go on.
            self._rest_reading()
            _log.exception("reading from party %s stumbled", self.party_id)
            await self._note(Unknown("Our own code stumbled over what it says."))
            return False
        self._bad_reads = 0
        return did

    def _rest_reading(self) -> None:
        self._bad_reads += 1
        pause = leases.backoff(attempts=self._bad_reads - 1, random=self._engine.random)
        self._rest_reading_until = asyncio.get_running_loop().time() + pause.total_seconds()

    async def _note(self, outcome: Outcome | None) -> None:
        """What an outcome says about the party as a whole."""
        match outcome:
            case None:
                pass
            case Done() | Refused():
                await self._well()
            case Later(sentence, after_seconds):
                await self._fail(sentence, after_seconds)
            case Unknown(sentence, after_seconds):
                times = self._engine.unsure[self.party_id] = self._engine.unsure.get(self.party_id, 0) + 1
                if times >= _UNSURE_IN_A_ROW or after_seconds is not None:
                    await self._fail(sentence, after_seconds)
            case SignInAgain(sentence) if not self._of_a_shop:
                # A gateway's key is the operator's business; it is tried again now and then.
                await self._fail(sentence, 300.0)
            case SignInAgain(sentence):
                self._halted = True
                await self._engine.threads.sure(
                    leases.sign_in_again, party_id=self.party_id, sentence=sentence, now=self._engine.clock()
                )

    async def _well(self) -> None:
        if self._halted:
            return
        self._engine.unsure.pop(self.party_id, None)
        if self._ill:
            self._ill = False
            await self._engine.threads.run(leases.party_well, party_id=self.party_id, now=self._engine.clock())

    async def _fail(self, sentence: str, after_seconds: float | None) -> None:
        """The party rests. Once per holding: eight calls that meet the same closed door are one failure."""
        if self._halted or self._lost:
            return
        self._halted = self._ill = True
        await self._engine.threads.sure(
            leases.party_failed,
            party_id=self.party_id,
            sentence=sentence,
            after_seconds=after_seconds,
            random=self._engine.random,
            now=self._engine.clock(),
        )
