"""What trips in a shop: a stream, an order, a product, a count. It waits by itself, and the rest goes on."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from crossdock.domain.events import Count, LookKind, Unreadable
from crossdock.engine.contain import of_all, of_party, tripped
from crossdock.engine.shop.session import Session
from crossdock.engine.watch import LAST
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Outside
from crossdock.kit.rows import read_row
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.parties import quarantine, streams
from crossdock.usecases.parties.quarantine import PageTripped, of_database

_log = logging.getLogger(__name__)
# So many in a row that cannot be understood one by one are the shop's failure, not theirs.
_SURELY_ALL = 3


async def stream_failed(session: Session, stream: str, error: Exception) -> None:
    """A stream's own trouble: it is tried again with a growing pause, and the others go on."""
    own = isinstance(error, Outside | PageTripped)
    _log.warning("%s of %s: %s", stream, session.access.address, error, exc_info=None if own else error)
    await session.run(
        streams.stream_failed,
        connection_id=session.connection_id,
        stream=stream,
        sentence=str(error) if own else f"Our own code stumbled over it ({type(error).__name__}).",
        alert_at=1 if isinstance(error, PageTripped) else 3,
    )


async def as_a_page(session: Session, stream: str) -> bool:
    """Until patience is over, a page of which everything trips is the shop's failure."""
    return not await session.run(streams.patience_over, connection_id=session.connection_id, stream=stream)


async def each(session: Session, kind: QuarantineKind, calls: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """A few at a time. Where the shop answers about others, those about which it does not are set aside; raises the
    first trouble where it answers about none.
    """

    async def one(entity: str, call: Coroutine[Any, Any, None]) -> Exception | None:
        try:
            async with session.room:
                await call
        except Exception as error:
            return error
        return None

    results = await asyncio.gather(*(one(entity, call) for entity, call in calls.items()))
    failed = {entity: error for entity, error in zip(calls, results, strict=True) if error is not None}
    for entity, error in failed.items():
        if of_all(error) or len(failed) == len(calls):
            raise error
        await set_aside(session, kind, entity, error)


async def set_aside(session: Session, kind: QuarantineKind, entity: str, error: BaseException) -> None:
    """What was asked for by its id could not be read. People are told when it does not pass by itself."""
    _log.warning("%s %s of %s is set aside", kind, entity, session.access.address, exc_info=error)
    await session.run(
        quarantine.hold,
        party_id=session.access.party_id,
        trips=[tripped(kind, entity, error)],
        call=LAST.get(),
        quiet=True,
    )


async def counts_of(session: Session, refs: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """Their counts; one by one where one of them spoils the answer for all.

    Raises Outside when that is no single one's fault.
    """
    try:
        return await session.asked(session.connector.counts(session.opened.shop, refs))
    except Exception as error:
        if of_party(error) or of_database(error):
            raise
        found: list[Count | Unreadable] = []
        for ref in refs:
            found += await _count_of(session, ref)
            if len(found) == _SURELY_ALL and all(isinstance(one, Unreadable) for one in found):
                raise
        return found


async def _count_of(session: Session, ref: VariantRef) -> Sequence[Count | Unreadable]:
    try:
        return await session.asked(session.connector.counts(session.opened.shop, [ref]))
    except Exception as error:
        if of_party(error) or of_database(error):
            raise
        failed = error

    def again() -> Count:
        raise failed

    return [read_row(LookKind.COUNTS, ref.variant_id, again)]
