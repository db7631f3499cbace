"""What a pump, its engine and a handler agree on: an attempt at a command, what is done for one kind of party, and what
a process lends them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Protocol

from crossdock.domain.commands import Outcome
from crossdock.store.threads import Threads
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.shops.timers import Due


@dataclass(slots=True)
class Attempt:
    """A command on its way.

    `sent` is set before anything that may change the party leaves; `lost` when the lease is somebody else's.
    """

    claimed: Claimed
    sent: bool = False
    lost: bool = False


class Handler(Protocol):
    """What a pump does for one kind of party."""

    parallel: int
    # Set by the handler whenever the party answered a question; the pump takes it as a sign of health.
    heard: bool

    async def carry_out(self, attempt: Attempt) -> Outcome | None:
        """Do it and settle its row.

        Returns how the party behaved; None when it was not asked. Raises nothing but CancelledError.
        """

    async def chores(self, due: Due) -> bool:
        """One round of reading. False when there was nothing to do. May raise kit.errors.Outside."""

    async def close(self) -> None: ...


class Host(Protocol):
    """What a pump uses of its process; engine/engine.py is it."""

    threads: Threads
    clock: Callable[[], datetime]
    random: Random
    lease_seconds: float
    stopping: bool
    unsure: dict[int, int]

    def fresh_owner(self) -> str: ...

    def handler(self, party_id: int, due: Due) -> Handler: ...

    def remind(self, party_id: int, at: datetime | None) -> None: ...
