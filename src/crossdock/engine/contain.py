"""One odd thing of a shop concerns itself alone: it is set aside and tried again, and everything else goes on."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crossdock.domain.commands import Outcome, Unknown
from crossdock.domain.events import Count, Look, LookKind, Unreadable
from crossdock.engine.watch import LAST
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import AuthDead, Missing, NotSent, Outside, Strange, Throttled
from crossdock.kit.rows import read_row
from crossdock.store.models import Quarantined
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.outcomes import stumble
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties import quarantine, streams
from crossdock.usecases.parties.quarantine import PageTripped, Trip, of_database
from crossdock.usecases.shops import timers

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine
    from crossdock.engine.reading import Reading

_log = logging.getLogger(__name__)
_AT_ONCE = 20
# So many in a row that cannot be understood one by one are the shop's failure, not theirs.
_SURELY_ALL = 3


def tripped(kind: QuarantineKind, entity: str, error: BaseException) -> Trip:
    """In the words of the trouble itself where it came from outside."""
    outside = isinstance(error, Outside)
    path, ours = (error.path, error.ours) if isinstance(error, Strange) else ("", True)
    return quarantine.trip_of(kind, entity, error, sentence=str(error) if outside else "", path=path, ours=ours)


def of_party(error: BaseException) -> bool:
    """Trouble that is not the entity's: the shop did not answer, or what came is no answer of its platform at all."""
    return isinstance(error, Outside) and not (isinstance(error, Strange) and not error.whole)


def of_all(error: BaseException) -> bool:
    """Whatever else would be asked now would meet the same."""
    return isinstance(error, AuthDead | NotSent | Throttled) or of_database(error)


async def stream_failed(desk: "Reading", stream: str, error: Exception) -> None:
    """A stream's own trouble: it is tried again with a growing pause, and the others go on."""
    own = isinstance(error, Outside | PageTripped)
    _log.warning("%s of %s: %s", stream, desk.access.address, error, exc_info=None if own else error)
    await desk.run(
        streams.stream_failed,
        connection_id=desk.connection_id,
        stream=stream,
        sentence=str(error) if own else f"Our own code stumbled over it ({type(error).__name__}).",
        alert_at=1 if isinstance(error, PageTripped) else 3,
    )


async def as_a_page(desk: "Reading", stream: str) -> bool:
    """Until patience is over, a page of which everything trips is the shop's failure."""
    return not await desk.run(streams.patience_over, connection_id=desk.connection_id, stream=stream)


async def each(desk: "Reading", kind: QuarantineKind, calls: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """A few at a time. Where the shop answers about others, those about which it does not are set aside; raises the
    first trouble where it answers about none.
    """

    async def one(entity: str, call: Coroutine[Any, Any, None]) -> Exception | None:
        try:
            async with desk.room:
                await call
        except Exception as error:
            return error
        return None

    results = await asyncio.gather(*(one(entity, call) for entity, call in calls.items()))
    failed = {entity: error for entity, error in zip(calls, results, strict=True) if error is not None}
    for entity, error in failed.items():
        if of_all(error) or len(failed) == len(calls):
            raise error
        await set_aside(desk, kind, entity, error)


async def set_aside(desk: "Reading", kind: QuarantineKind, entity: str, error: BaseException) -> None:
    """What was asked for by its id could not be read. People are told when it does not pass by itself."""
    _log.warning("%s %s of %s is set aside", kind, entity, desk.access.address, exc_info=error)
    await desk.run(
        quarantine.hold,
        party_id=desk.access.party_id,
        trips=[tripped(kind, entity, error)],
        call=LAST.get(),
        quiet=True,
    )


async def set_aside_of(engine: "Engine", party_id: int, look: Look, error: BaseException) -> None:
    """The same for a party that is no shop: what a delivery of it was about."""
    _log.warning("%s %s is set aside", look.kind, look.entity_id, exc_info=error)
    trip = tripped(QuarantineKind.DELIVERY, f"{look.kind}:{look.entity_id}", error)
    await engine.threads.sure(quarantine.hold, party_id=party_id, trips=[trip], now=engine.clock())


async def stumbled(engine: "Engine", claimed: Claimed, error: Exception) -> Outcome | None:
    """What came of a command could not be read: it is not lost, and not sent again before it is looked for.

    None, since that says nothing about the party. With the database gone its row stays in flight, and the next holder
    looks.
    """
    _log.error("command %s (%s of %s) stumbled", claimed.id, claimed.kind, claimed.subject, exc_info=error)
    if not of_database(error):
        trip = tripped(QuarantineKind.COMMAND, str(claimed.id), error)
        try:
            await engine.threads.sure(stumble.stumbled, command_id=claimed.id, trip=trip, now=engine.clock())
        except Exception:
            _log.exception("command %s could not be set aside; its row stays in flight", claimed.id)
        else:
            return None
    return Unknown("Our own code stumbled.")


async def settled(engine: "Engine", claimed: Claimed) -> None:
    """A command that had been set aside was taken in; others cost nothing."""
    if claimed.look_first:
        await engine.threads.sure(stumble.taken_in, command_id=claimed.id, now=engine.clock())


async def counts_of(desk: "Reading", refs: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    """Their counts; one by one where one of them spoils the answer for all.

    Raises Outside when that is no single one's fault.
    """
    try:
        return await desk.asked(desk.connector.counts(desk.opened.shop, refs))
    except Exception as error:
        if of_party(error) or of_database(error):
            raise
        found: list[Count | Unreadable] = []
        for ref in refs:
            found += await _count_of(desk, ref)
            if len(found) == _SURELY_ALL and all(isinstance(one, Unreadable) for one in found):
                raise
        return found


async def _count_of(desk: "Reading", ref: VariantRef) -> Sequence[Count | Unreadable]:
    try:
        return await desk.asked(desk.connector.counts(desk.opened.shop, [ref]))
    except Exception as error:
        if of_party(error) or of_database(error):
            raise
        failed = error

    def again() -> Count:
        raise failed

    return [read_row(LookKind.COUNTS, ref.variant_id, again)]


async def try_again(desk: "Reading") -> None:
    """What stands in quarantine and is due. Raises Outside when the shop does not answer."""
    rows = await desk.run(quarantine.due, connection_id=desk.connection_id, limit=_AT_ONCE)
    await desk.side_by_side([_try(desk, row) for row in rows])


async def _try(desk: "Reading", row: Quarantined) -> None:
    try:
        match row.kind:
            case QuarantineKind.ORDER:
                await desk.read_order(row.entity)
            case QuarantineKind.PRODUCT:
                await desk.read_product(row.entity)
            case QuarantineKind.COUNTS:
                wanted = [row.entity]
                await desk.run(timers.want_counts, connection_id=desk.connection_id, shop_variant_ids=wanted)
            case _:
                kind, _, entity = row.entity.partition(":")
                await desk.look(Look(LookKind(kind), entity))
                await _heal(desk, row)
    except Missing:
        await _heal(desk, row)


async def _heal(desk: "Reading", row: Quarantined) -> None:
    kind = QuarantineKind(row.kind)
    await desk.run(quarantine.heal, party_id=desk.access.party_id, kind=kind, entities=[row.entity])
