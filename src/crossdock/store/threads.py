"""Synchronous use-cases from async code: an own small thread pool whose threads keep their database connections.

asgiref's sync_to_async would put every call of a process on one thread, so one slow transaction would hold up all
shops.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connections

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)
_TRIES = 6


class Threads:
    """`run` for anything; `sure` for what must not be lost (an outcome already known) and may be repeated."""

    def __init__(self, size: int = 6, *, name: str = "db") -> None:
        self._size = size
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises what `work` raises. A connection that broke is thrown away, so that the next call gets a new one."""

        def call() -> T:
            try:
                return work(*args, **kwargs)
            except (OperationalError, InterfaceError):
                connections.close_all()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def sure(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, again after a deadlock or a lost connection, for about 12 seconds.

        `work` must be safe to repeat.
        """
        for attempt in range(_TRIES):
            try:
                return await self.run(work, *args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if attempt == _TRIES - 1:
                    raise
                _log.warning("the database did not take %s: %s; trying again", getattr(work, "__name__", work), error)
                await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close every thread's connection and end the threads; nothing may be running."""
        together = threading.Barrier(self._size, timeout=5)

        def end() -> None:
            connections.close_all()
            # Without meeting the others, one quick thread would close its own connection several times.
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._pool, end) for _ in range(self._size)))
        self._pool.shutdown(wait=False)
