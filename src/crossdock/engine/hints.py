"""Working off the inbox of a party that is no shop: a delivery is a hint which thing to look at again."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from crossdock.domain.events import Look
from crossdock.engine import contain
from crossdock.kit.errors import Missing
from crossdock.seeing import told
from crossdock.store.crash import point
from crossdock.usecases.outbox import inbox
from crossdock.usecases.parties.quarantine import of_database

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
_AT_ONCE = 100


async def work_off(engine: "Engine", party_id: int, look_at: Callable[[Look], Awaitable[None]]) -> bool:
    """One batch; each thing is looked at once however many deliveries name it. What trips is set aside alone.

    Whether something was handled. Raises the party's or the database's trouble after the rest is done.
    """
    run = engine.threads.run
    rows = await run(inbox.waiting, party_id=party_id, limit=_AT_ONCE)
    point("inbox.taken")
    looks = {row.pk: inbox.news_of(row.news).looks for row in rows}
    trouble: dict[Look, Exception] = {}
    for look in dict.fromkeys(look for some in looks.values() for look in some):
        try:
            with told.by.look(look, rows):
                await look_at(look)
        except Missing as error:
            _log.warning("news about %s %s, which cannot be found there: %s", look.kind, look.entity_id, error)
        except Exception as error:
            if contain.of_party(error) or of_database(error):
                trouble[look] = error
            else:
                await contain.set_aside_of(engine, party_id, look, error)
    seen = {row.pk: row.doubles for row in rows if not any(look in trouble for look in looks[row.pk])}
    point("inbox.before_handled")
    await run(inbox.handled, seen=seen, note="", now=engine.clock())
    if trouble:
        raise next(iter(trouble.values()))
    return bool(seen)
