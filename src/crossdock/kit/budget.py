"""How fast one party may be asked: a token bucket per lane, corrected by the platform's own headers.

People waiting have a fifth of it to themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from crossdock.domain.capability import Pace
from crossdock.kit.errors import Throttled

Lane = Literal["background", "interactive"]
SHARE: dict[Lane, float] = {"background": 0.8, "interactive": 0.2}
LONGEST_WAIT: dict[Lane, float] = {"background": 10.0, "interactive": 1.5}


class Bucket:
    """Tokens refilled over time. `take` books one, even one that is not there yet, and says how long to wait for it."""

    __slots__ = ("at", "level", "per_second", "size")

    def __init__(self, per_second: float, size: float, now: float) -> None:
        self.per_second, self.size, self.level, self.at = per_second, size, size, now

    def fill(self, now: float) -> None:
        self.level = min(self.size, self.level + (now - self.at) * self.per_second)
        self.at = now

    def take(self, now: float) -> float:
        self.fill(now)
        self.level -= 1
        return max(0.0, -self.level / self.per_second)

    def give_back(self) -> None:
        self.level += 1


class Budget:
    """One lane of one party: bucket, calls in flight, and the pause that the party asked for."""

    def __init__(self, pace: Pace, lane: Lane, clock: Callable[[], float]) -> None:
        share = SHARE[lane]
        self.pace, self._lane, self._clock, self._share = pace, lane, clock, share
        self.bucket = Bucket(pace.per_second * share, max(1.0, pace.burst * share), clock())
        self._room = asyncio.Semaphore(max(1, round(pace.parallel * share)))
        self._in_flight = 0
        self._not_before = 0.0
        # Calls that had their turn.
        self.sent = 0

    @property
    def idle(self) -> bool:
        """Nothing would be lost by forgetting it."""
        now = self._clock()
        self.bucket.fill(now)
        return self._in_flight == 0 and now >= self._not_before and self.bucket.level >= self.bucket.size

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for room and for a token.

        Raises Throttled instead of a long wait: the caller has better things to do with its lease.
        """
        self._in_flight += 1
        try:
            async with self._room:
                await self._wait()
                yield
        finally:
            self._in_flight -= 1

    async def _wait(self) -> None:
        now = self._clock()
        wait = max(self.bucket.take(now), self._not_before - now)
        if wait > LONGEST_WAIT[self._lane]:
            self.bucket.give_back()
            raise Throttled("The shop asked us to slow down.", wait)
        if wait > 0:
            await asyncio.sleep(wait)
        self.sent += 1

    def pause(self, seconds: float) -> None:
        """Send nothing for so long (Retry-After)."""
        self._not_before = max(self._not_before, self._clock() + seconds)

    def learn(self, left: float, per_second: float | None) -> None:
        """What the platform says is left now.

        Calls still in flight may not be counted in it yet, so they are taken off.
        """
        if per_second is not None and per_second > 0:
            self.bucket.per_second = per_second * self._share
        self.bucket.fill(self._clock())
        self.bucket.level = min(self.bucket.size, left * self._share - max(0, self._in_flight - 1))
