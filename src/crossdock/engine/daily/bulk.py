"""Runs over many orders: some rows of each in turn, so that one seller's three hundred hold up nobody's three."""

import logging
from typing import TYPE_CHECKING

from crossdock.domain.daily.bulk import BulkKind
from crossdock.engine.daily import prices
from crossdock.store.models import BulkRun
from crossdock.usecases.orders.daily import bulk_rows

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)


async def carry_on(engine: "Engine") -> None:
    """Until no run is due, or we are asked to stop."""
    while not engine.stopping:
        run = await engine.threads.run(bulk_rows.claim, now=engine.clock())
        if run is None:
            return
        try:
            await _some(engine, run)
        except Exception:
            _log.exception("a bulk run stumbled and goes on later")
            await engine.threads.run(bulk_rows.rest, run=run, now=engine.clock())
        else:
            await engine.threads.run(bulk_rows.give_back, run=run, now=engine.clock())


async def _some(engine: "Engine", run: BulkRun) -> None:
    rows = await engine.threads.run(bulk_rows.next_rows, run=run)
    if run.kind == BulkKind.PRICE:
        return await prices.ask(engine, rows)
    if run.kind == BulkKind.LABEL:
        return await prices.buy(engine, rows, run)
    for row_id in rows:
        if engine.stopping:
            return
        await engine.threads.run(bulk_rows.play, run=run, row_id=row_id, now=engine.clock())
