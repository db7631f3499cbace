"""Simulated shops for tests of synchronous pages: they run in a thread with a loop of its own, over real HTTP on
loopback.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from crossdock.kit import discover
from crossdock.kit.sandbox import Sandbox, Shelf
from crossdock_lab.patience import patient

T = TypeVar("T")


class Town:
    """Where the shops of one test stand."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.shops: list[Sandbox] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(patient(30))

    def open(self, platform: str) -> Sandbox:
        async def start() -> Sandbox:
            shop = discover.sandbox(platform)(Shelf(":memory:"))
            await shop.start()
            return shop

        self.shops.append(self.call(start()))
        return self.shops[-1]

    def close(self) -> None:
        for shop in self.shops:
            self.call(shop.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(patient(5))
        self.loop.close()


@contextmanager
def town() -> Iterator[Town]:
    made = Town()
    try:
        yield made
    finally:
        made.close()
