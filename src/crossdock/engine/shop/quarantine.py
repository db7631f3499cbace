"""What was set aside of a shop and is due: read once more."""

from crossdock.domain.events import Look, LookKind
from crossdock.engine.shop.inbox import look_at
from crossdock.engine.shop.reading import read_order, read_product
from crossdock.engine.shop.session import Session
from crossdock.kit.errors import Missing
from crossdock.store.models import Quarantined
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.parties import quarantine
from crossdock.usecases.shops import timers

_AT_ONCE = 20


async def try_again(session: Session) -> None:
    """What stands in quarantine and is due. Raises Outside when the shop does not answer."""
    rows = await session.run(quarantine.due, connection_id=session.connection_id, limit=_AT_ONCE)
    await session.side_by_side([_try(session, row) for row in rows])


async def _try(session: Session, row: Quarantined) -> None:
    try:
        match row.kind:
            case QuarantineKind.ORDER:
                await read_order(session, row.entity)
            case QuarantineKind.PRODUCT:
                await read_product(session, row.entity)
            case QuarantineKind.COUNTS:
                wanted = [row.entity]
                await session.run(timers.want_counts, connection_id=session.connection_id, shop_variant_ids=wanted)
            case _:
                kind, _, entity = row.entity.partition(":")
                await look_at(session, Look(LookKind(kind), entity))
                await _heal(session, row)
    except Missing:
        await _heal(session, row)


async def _heal(session: Session, row: Quarantined) -> None:
    kind = QuarantineKind(row.kind)
    await session.run(quarantine.heal, party_id=session.access.party_id, kind=kind, entities=[row.entity])
