"""Work on large evidence beside the event loop: a long body must not hold up every other shop's calls.

What is small is done at once. What is large is done in one thread, and what came of it is handed over in the event
loop, in the caller's context. When too much is waiting the work is left undone: it is evidence, not truth.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
SMALL = 8_000
MOST_WAITING = 100


class Aside:
    """One per transport or recorder. `close` waits for what was begun."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def run(self, size: int, work: Callable[[], T], then: Callable[[T], None], instead: Callable[[], T]) -> None:
        """`then(work())`, or `then(instead())` when too much is waiting already."""
        if size <= SMALL:
            then(work())
        elif len(self._waiting) >= MOST_WAITING:
            then(instead())
        else:
            loop, context = asyncio.get_running_loop(), copy_context()
            self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="aside")
            done = loop.create_future()
            self._waiting.add(done)
            self._pool.submit(context.run, work).add_done_callback(
                lambda result: loop.call_soon_threadsafe(
                    lambda: self._hand_over(done, lambda: then(result.result())), context=context
                )
            )

    def _hand_over(self, done: "asyncio.Future[None]", then: Callable[[], None]) -> None:
        self._waiting.discard(done)
        try:
            then()
        finally:
            done.set_result(None)

    async def close(self) -> None:
        if self._waiting:
            await asyncio.wait([*self._waiting])
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None
