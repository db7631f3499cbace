"""The worker's turns over runs of many orders, in the thread that calls."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from crossdock.engine.daily import bulk


class _Threads:
    async def run(self, deed: Any, **given: Any) -> Any:
        return deed(**given)


def work(clock: Callable[[], datetime]) -> None:
    """Until nothing is due."""
    drive(bulk.carry_on(SimpleNamespace(threads=_Threads(), clock=clock, stopping=False)))  # type: ignore[arg-type]


def drive(coroutine: Any) -> None:
    """Nothing in it waits for anything, so it runs to its end at once: Django refuses its database inside of a loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")
