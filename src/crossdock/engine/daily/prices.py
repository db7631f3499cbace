"""Prices of labels for a run: the carrier is asked between two short transactions, for several orders side by side."""

import asyncio
import logging
from typing import TYPE_CHECKING

from django.conf import settings

from crossdock.domain.labels import Can
from crossdock.engine.labels import opened
from crossdock.kit.carrier import Carrier
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import BadInput, Outside
from crossdock.store.crash import point
from crossdock.store.models import BulkRun
from crossdock.usecases.labels import runs

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
# As long as somebody waits before the page of one price.
WITHIN = 10.0
AT_ONCE = 4
CLOSED = "Labels cannot be bought here at the moment. Nothing was bought; try it again later."


async def ask(engine: "Engine", rows: list[int]) -> None:
    """The prices of these rows, or why there are none."""
    carrier = _carrier()
    if carrier is None:
        for row_id in rows:
            await _none(engine, row_id, CLOSED)
        return
    for begin in range(0, len(rows), AT_ONCE):
        if engine.stopping:
            return
        await asyncio.gather(*(_one(engine, carrier, row_id) for row_id in rows[begin : begin + AT_ONCE]))


def _carrier() -> Carrier | None:
    """The operator's, where labels can be bought from it."""
    try:
        carrier = opened(settings.CARRIER)
    except NoSuchFolder:
        return None
    return None if carrier.missing() else carrier


async def buy(engine: "Engine", rows: list[int], run: BulkRun) -> None:
    """What was shown is asked for; the carrier's pump does the rest."""
    for row_id in rows:
        if engine.stopping:
            return
        await engine.threads.run(runs.buy_row, run=run, row_id=row_id, can_of=_can, now=engine.clock())


def _can(provider: str) -> Can:
    return opened(provider).can


async def _one(engine: "Engine", carrier: Carrier, row_id: int) -> None:
    asked = await engine.threads.run(
        runs.asks, row_id=row_id, can=carrier.can, carrier=carrier.label, now=engine.clock()
    )
    if asked is None:
        return
    try:
        async with asyncio.timeout(WITHIN):
            quotes = await carrier.quote(asked.wanted)
    except BadInput as problem:
        return await _none(engine, row_id, str(problem))
    except (Outside, TimeoutError):
        return await _none(
            engine, row_id, f"{carrier.label} did not answer with a price. Nothing was bought; try it again."
        )
    except Exception:
        _log.exception("a carrier stumbled over a price")
        return await _none(engine, row_id, "The carrier's answer could not be read. Nothing was bought.")
    point("bulk.prices_heard")
    await engine.threads.run(runs.priced, asked=asked, provider=carrier.name, quotes=quotes, now=engine.clock())


async def _none(engine: "Engine", row_id: int, why: str) -> None:
    await engine.threads.run(runs.unpriced, row_id=row_id, why=why, now=engine.clock())
