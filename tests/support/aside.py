"""Database work of an async test, off its loop, on threads that keep their connections until the run ends: to make a
connection takes longer than most of what is asked on it.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import InterfaceError, OperationalError, connections

_SIZE = 8
_pool: ThreadPoolExecutor | None = None


async def sync(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What `work` returns or raises. Several at once do not wait for each other, unless they are more than eight."""
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(_SIZE, thread_name_prefix="aside")

    def call() -> Any:
        try:
            return work(*args, **kwargs)
        except (OperationalError, InterfaceError):
            # Refused, cut off, or the test's own doing: the next one begins with a new connection.
            connections.close_all()
            raise

    return await asyncio.get_running_loop().run_in_executor(_pool, call)


def close() -> None:
    """Every thread's connection, before the test's database is dropped."""
    global _pool
    if _pool is None:
        return
    together = threading.Barrier(_SIZE)

    def end() -> None:
        connections.close_all()
        # Without meeting the others, one quick thread would close its own several times.
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(10)

    for done in [_pool.submit(end) for _ in range(_SIZE)]:
        done.result()
    _pool.shutdown()
    _pool = None
