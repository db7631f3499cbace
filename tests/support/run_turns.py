"""The worker's turns over runs of many orders, in the thread that calls."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from queue import Queue
from types import SimpleNamespace
from typing import Any

from crossdock.engine.daily import bulk


class _Threads:
    async def run(self, deed: Any, **given: Any) -> Any:
        return deed(**given)


def work(clock: Callable[[], datetime]) -> None:
    """Until nothing is due."""
    drive(bulk.carry_on(SimpleNamespace(threads=_Threads(), clock=clock, stopping=False)))  # type: ignore[arg-type]


def work_asking(clock: Callable[[], datetime]) -> None:
    """The same with carriers that are asked side by side, for which it takes a loop: in a thread beside, while this one
    does what the database is asked, on the test's own connection.
    """
    asked: Queue[tuple[Future[Any], Callable[[], Any]] | None] = Queue()

    class Threads:
        async def run(self, deed: Any, **given: Any) -> Any:
            answer = Future[Any]()
            asked.put((answer, partial(deed, **given)))
            return await asyncio.wrap_future(answer)

    engine = SimpleNamespace(threads=Threads(), clock=clock, stopping=False)
    loop = ThreadPoolExecutor(1)
    end = loop.submit(asyncio.run, bulk.carry_on(engine))  # type: ignore[arg-type]
    end.add_done_callback(lambda _: asked.put(None))
    while (one := asked.get()) is not None:
        answer, deed = one
        try:
            answer.set_result(deed())
        except Exception as error:
            answer.set_exception(error)
    loop.shutdown()
    end.result()


def drive(coroutine: Any) -> None:
    """Nothing in it waits for anything, so it runs to its end at once: Django refuses its database inside of a loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")
