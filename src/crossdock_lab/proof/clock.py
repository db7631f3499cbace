"""Simulated time: an event loop that never waits but jumps to its next timer, and use-cases that run in it as in one
thread. So a seed replays exactly.
"""

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, ParamSpec, TypeVar

from crossdock.store.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Stuck(Exception):
    """Nothing is due and nothing ever will be."""


class _Jump(selectors.SelectSelector):
    """Instead of waiting for input, time passes."""

    loop: "SimulatedLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("everybody waits for somebody else")
        if timeout > 0:
            self.loop.seconds += timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`seconds` have passed since the beginning."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        jump = _Jump()
        jump.loop = self
        super().__init__(jump)

    def time(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class Inline(Threads):
    """Use-cases run where they are called, after a moment in which others may run. A dead worker's calls never happen.

    `after` is called with what each call that was done had been given: there the invariants are looked at, and what
    waits for the commit is let go.
    """

    def __init__(self, random: Random, after: Callable[[dict[str, Any]], None]) -> None:
        self.dead = False
        self._random, self._after = random, after

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(self._random.uniform(0, 0.004))
        if self.dead:
            raise asyncio.CancelledError
        result = work(*args, **kwargs)
        self._after(kwargs)
        await asyncio.sleep(self._random.uniform(0, 0.004))
        if self.dead:
            raise asyncio.CancelledError
        return result

    async def sure(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(work, *args, **kwargs)

    async def close(self) -> None:
        """There are no threads."""
