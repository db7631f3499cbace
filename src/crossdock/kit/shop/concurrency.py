"""Several reads at once, the one that fails, and what must not run twice at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from crossdock.domain.events import LookKind, Unreadable
from crossdock.kit.errors import AuthDead, NoAnswer, NotJson, Outside, Strange, Throttled
from crossdock.kit.rows import await_row

T = TypeVar("T")
TURN_SECONDS = 10.0
AT_ONCE, TRIES, PAUSE_SECONDS, MOST_WAITING = 4, 3, 0.3, 100
# Of each loop its own: the id of one that ended may be another's.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, asyncio.Lock]] = WeakKeyDictionary()


async def together(calls: Sequence[Awaitable[T]], at_once: int = AT_ONCE) -> list[T]:
    """A few at a time; every one is finished before the first trouble is raised."""
    room = asyncio.Semaphore(at_once)

    async def one(call: Awaitable[T]) -> T:
        async with room:
            return await call

    tasks = [asyncio.ensure_future(one(call)) for call in calls]
    await asyncio.gather(*tasks, return_exceptions=True)
    # An error that a call gives back is its answer (`rows.odd`); one that it raised is raised here.
    return [task.result() for task in tasks]


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """A read that a longer action needs, tried again on a hiccup: its failure would throw away what was done before.

    Never for what writes more than once. An odd row is the same when it is asked for again.
    """
    for left in reversed(range(TRIES)):
        try:
            return await call()
        except (NoAnswer, Throttled) as error:
            if not left or (isinstance(error, Strange) and not isinstance(error, NotJson)):
                raise
            await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError


async def each_patiently(
    kind: LookKind, reads: Mapping[str, Callable[[], Awaitable[T]]], *, refusals: tuple[type[Outside], ...]
) -> tuple[list[T | Unreadable], list[str]]:
    """What every row of a page needs besides, and the ids for which the shop did not give it: these are asked for
    again with the next page.

    A page is a request per row; were all thrown away with one of them, a shop with a bad day would never be read to
    the end. What the shop refuses (`refusals`) or answers oddly will be so again, and is no reason to ask for ever.
    """

    failed: dict[str, Outside] = {}

    async def one(id_: str, read: Callable[[], Awaitable[T]]) -> list[T | Unreadable]:
        try:
            return [await await_row(kind, id_, partial(patiently, read))]
        except AuthDead:
            raise
        except Outside as error:
            if isinstance(error, refusals):
                return [Unreadable(kind, id_, str(error))]
            failed[id_] = error
            return []

    found = await together([one(id_, read) for id_, read in reads.items()])
    if len(failed) > MOST_WAITING:
        raise next(iter(failed.values()))
    return [result for results in found for result in results], list(failed)


@contextlib.asynccontextmanager
async def alone(address: str) -> AsyncIterator[None]:
    """One at a time per server, where two at once overwrite or double each other there.

    Raises Throttled instead of a long wait; then nothing was sent.
    """
    here = _turns.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    turn = here.setdefault(address, asyncio.Lock())
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await turn.acquire()
    except TimeoutError:
        raise Throttled("Your shop is still busy with another order.", 1.0) from None
    try:
        yield
    finally:
        turn.release()
