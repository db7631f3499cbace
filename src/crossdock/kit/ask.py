"""Bounded reads while a person waits.

Synchronous views ask through one background event loop per process, which owns its own transport.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from crossdock.kit.errors import NoAnswer
from crossdock.kit.http import Transport

T = TypeVar("T")
PATIENCE_SECONDS = 1.5


async def ask(question: Awaitable[T], within: float = PATIENCE_SECONDS) -> T:
    """Await a read for at most `within` seconds.

    Raises NoAnswer when that passes, and whatever of Outside the read raises.
    """
    try:
        async with asyncio.timeout(within):
            return await question
    except TimeoutError:
        raise NoAnswer(f"The shop did not answer within {within:g} seconds.") from None


def ask_sync(make: Callable[[Transport], Coroutine[Any, Any, T]], within: float = PATIENCE_SECONDS) -> T:
    """The same from synchronous code: `make` gets the background loop's transport.

    Never call it on a thread that runs an event loop.
    """
    future = asyncio.run_coroutine_threadsafe(_asked(make, within), _Background.of_this_process().loop)
    return _result(future, within)


def ask_all_sync(
    makes: Sequence[Callable[[Transport], Coroutine[Any, Any, T]]], within: float = PATIENCE_SECONDS
) -> list[T | BaseException]:
    """Several at once, each for at most `within` seconds: what each gave or raised."""

    async def all_of(_: Transport) -> list[T | BaseException]:
        return await asyncio.gather(*(_asked(make, within) for make in makes), return_exceptions=True)

    return ask_sync(all_of, within + 0.5)


async def _asked(make: Callable[[Transport], Coroutine[Any, Any, T]], within: float) -> T:
    return await ask(make(_Background.of_this_process().transport), within)


def _result(future: "Future[T]", within: float) -> T:
    """A second more than the question itself has, for a loop that is busy; then the same answer: none."""
    try:
        return future.result(within + 1.0)
    except FutureTimeout:
        future.cancel()
        raise NoAnswer(f"The shop did not answer within {within:g} seconds.") from None


def close_asks() -> None:
    """End the background loop and its connections. The next `ask_sync` starts another."""
    with _Background.lock:
        running, _Background.running = _Background.running, None
    if running is not None and running.pid == os.getpid():
        running.close()


class _Background:
    """One event loop in a daemon thread. A forked child gets its own: threads do not survive a fork."""

    lock = threading.Lock()
    running: "_Background | None" = None

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.transport = Transport()
        self._thread = threading.Thread(target=self.loop.run_forever, name="crossdock-ask", daemon=True)
        self._thread.start()

    @classmethod
    def of_this_process(cls) -> "_Background":
        with cls.lock:
            if cls.running is None or cls.running.pid != os.getpid():
                cls.running = cls()
            return cls.running

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.transport.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


atexit.register(close_asks)
