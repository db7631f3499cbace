"""The counter for parties that are only told, never read: a payment gateway, the mail.

Each command is harmless to repeat.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from crossdock.domain.commands import Outcome, Unknown
from crossdock.engine import contain
from crossdock.engine.contain import guarded
from crossdock.engine.handler import Attempt
from crossdock.store.crash import point
from crossdock.usecases.outcomes import settle
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.shops.timers import Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine


class PlainHandler:
    """`do` carries one command out. After an unknown end it is simply done again, under the same key."""

    parallel = 4
    heard = False
    # None: the call keeps its own time.
    seconds: float | None = contain.MOST_SECONDS

    def __init__(self, engine: "Engine", do: Callable[[Claimed], Awaitable[Outcome]]) -> None:
        self._engine, self._do = engine, do

    async def carry_out(self, attempt: Attempt) -> Outcome | None:
        claimed = attempt.claimed
        point("told.before_send")
        try:
            outcome = await guarded(self._do(claimed), seconds=self.seconds)
            point("told.after_send")
        except asyncio.CancelledError:
            if not attempt.lost:
                await self._settle(claimed, Unknown("We were stopped before the answer came."))
            raise
        if attempt.lost:
            return None
        try:
            await self._settle(claimed, outcome)
            await contain.settled(self._engine, claimed)
        except Exception as error:
            return await contain.stumbled(self._engine, claimed, error)
        return outcome

    async def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        engine = self._engine
        await engine.threads.sure(
            settle.settle_command, command_id=claimed.id, outcome=outcome, random=engine.random, now=engine.clock()
        )

    async def chores(self, due: Due) -> bool:
        return False

    async def close(self) -> None:
        """Nothing is kept."""
