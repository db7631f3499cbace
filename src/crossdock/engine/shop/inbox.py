"""Working off the inbox: a delivery is a hint where to look. What it names is read again; only then is it handled.

The newest first, so that fresh news never waits behind old. A pile of news is folded: the lists of what changed cover
it, a hundred entities a call, where single readings would take hours.
"""

import asyncio
import logging
from datetime import UTC, datetime

from crossdock.domain.events import Look, LookKind
from crossdock.domain.health import Stream
from crossdock.engine import contain
from crossdock.engine.shop import trouble
from crossdock.engine.shop.pace import deliveries_came, moments
from crossdock.engine.shop.reading import read_order, read_product
from crossdock.engine.shop.session import Session
from crossdock.seeing import told
from crossdock.store.crash import point
from crossdock.store.models import Delivery
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.outbox import inbox
from crossdock.usecases.parties import quarantine
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.shops import privacy, timers
from crossdock.usecases.stock import counts

_log = logging.getLogger(__name__)
_AT_ONCE = 100
# So many waiting are a pile; of one, so many are folded a round.
PILE, _FOLDED_AT_ONCE = 300, 5000
_KINDS = {LookKind.ORDER: QuarantineKind.ORDER, LookKind.PRODUCT: QuarantineKind.PRODUCT}


async def work_off(session: Session) -> bool:
    """One batch.

    Each entity is read once however many deliveries name it. Raises the first trouble after everything else is done.
    """
    run = session.engine.threads.run
    folded = await _fold(session)
    rows = await run(inbox.waiting, party_id=session.access.party_id, limit=_AT_ONCE, newest=True)
    if not rows:
        return folded
    point("inbox.taken")
    news = {row.pk: inbox.news_of(row.news) for row in rows}
    hints = [hint for one in news.values() for hint in one.hints]
    if hints:
        first = next(pk for pk, one in news.items() if one.hints)
        await session.run(
            counts.take_hints, connection_id=session.connection_id, hints=hints, event=f"delivery:{first}"
        )
    looks = list(dict.fromkeys(look for one in news.values() for look in one.looks))
    results = await asyncio.gather(*(_guarded(session, look, rows) for look in looks))
    failed = {look: error for look, error in zip(looks, results, strict=True) if error is not None}
    if len(failed) < len(looks) or await _heard_since(session, min(row.received_at for row in rows)):
        await _set_aside(session, failed)
    seen = {row.pk: row.doubles for row in rows if not any(look in failed for look in news[row.pk].looks)}
    point("inbox.before_handled")
    await session.run(inbox.handled, seen=seen, note="")
    # What names nothing (a ping, which anybody can send) proves nothing of the shop's webhooks.
    named = [row.received_at for row in rows if news[row.pk].looks or news[row.pk].hints]
    if named:
        await session.run(timers.heard, connection_id=session.connection_id, at=max(named))
        await deliveries_came(session)
    for error in failed.values():
        raise error
    return folded or bool(seen)


async def _fold(session: Session) -> bool:
    """The older news of a pile: what it names is read by lists. False when there is no pile."""
    run, party = session.engine.threads.run, session.access.party_id
    if not await run(inbox.pile, party_id=party, more_than=PILE):
        return False
    rows = await run(inbox.waiting, party_id=party, limit=_FOLDED_AT_ONCE, skip=_AT_ONCE, newest=True)
    news = {row.pk: inbox.news_of(row.news) for row in rows}
    mine = {pk: one for pk, one in news.items() if all(look.kind in timers.LISTED for look in one.looks)}
    if not mine:
        return False
    hints = [hint for one in mine.values() for hint in one.hints]
    looks = list(dict.fromkeys(look for one in mine.values() for look in one.looks))
    if hints:
        event = f"delivery:{next(iter(mine))}"
        await session.run(counts.take_hints, connection_id=session.connection_id, hints=hints, event=event)
    await session.run(
        timers.want_lists,
        connection_id=session.connection_id,
        looks=looks,
        counts_too=not session.connector.manifest.counts_move_products,
    )
    seen = {row.pk: row.doubles for row in rows if row.pk in mine}
    await session.run(inbox.handled, seen=seen, note="Read with the list of what changed.")
    _log.info("%d deliveries of %s were folded", len(seen), session.access.address)
    return True


async def _heard_since(session: Session, at: datetime) -> bool:
    """The shop answered other questions since then, so what it does not answer is about what was asked."""
    return bool(await session.engine.threads.run(timers.read_since, connection_id=session.connection_id, at=at))


async def _set_aside(session: Session, failed: dict[Look, Exception]) -> None:
    """The shop answers, only not about these: they wait by themselves. What is the whole shop's stays in `failed`."""
    for look, error in [*failed.items()]:
        if not contain.of_all(error):
            await _aside(session, look, error)
            del failed[look]


async def _aside(session: Session, look: Look, error: Exception) -> None:
    kind = _KINDS.get(look.kind)
    entity = look.entity_id if kind else f"{look.kind}:{look.entity_id}"
    await trouble.set_aside(session, kind or QuarantineKind.DELIVERY, entity, error)


async def _guarded(session: Session, look: Look, rows: list[Delivery]) -> Exception | None:
    try:
        async with session.room:
            with told.by.look(look, rows):
                await look_at(session, look)
    except Exception as error:
        if contain.of_party(error) or of_database(error):
            return error
        await _aside(session, look, error)
    return None


async def look_at(session: Session, look: Look) -> None:
    """Read what it names."""
    match look.kind:
        case LookKind.PRODUCT | LookKind.PRODUCT_GONE:
            session.told[Stream.PRODUCTS] += moments([await read_product(session, look.entity_id)])
        case LookKind.ORDER:
            session.told[Stream.ORDERS] += moments([await read_order(session, look.entity_id)])
        case LookKind.COUNTS:
            await session.run(
                timers.want_counts, connection_id=session.connection_id, shop_variant_ids=[look.entity_id]
            )
        case LookKind.NOTHING:
            pass
        case _:
            await session.engine.threads.sure(obey, connection_id=session.connection_id, look=look)


def obey(*, connection_id: int, look: Look) -> None:
    """What a platform demands of us, whether the shop is connected or not."""
    now = datetime.now(UTC)
    match look.kind:
        case LookKind.UNINSTALLED:
            timers.uninstalled(connection_id=connection_id, now=now)
        case LookKind.ERASE_BUYER:
            privacy.erase_buyer(connection_id=connection_id, shop_order_ids=[look.entity_id], now=now)
        case LookKind.DATA_REQUEST:
            request, _, orders = look.entity_id.partition(":")
            privacy.data_requested(
                connection_id=connection_id,
                request=request,
                shop_order_ids=orders.split(",") if orders else [],
                now=now,
            )
        case LookKind.ERASE_SHOP:
            privacy.erase_shop(connection_id=connection_id, now=now)
        case _:
            pass


def obey_for_closed_shops() -> int:
    """Privacy requests for shops that no pump visits any more. Returns how many deliveries were handled.

    One that trips is set aside, and tried again by `set_aside.try_again`.
    """
    waiting, now = timers.closed_news(), datetime.now(UTC)
    for delivery in waiting:
        for look in inbox.news_of(delivery.news).looks:
            try:
                obey(connection_id=delivery.connection_id, look=look)
            except Exception as error:
                if of_database(error):
                    raise
                _log.exception("%s of a closed shop is set aside", look.kind)
                trip = contain.tripped(QuarantineKind.DELIVERY, f"{look.kind}:{look.entity_id}", error)
                quarantine.hold(party_id=delivery.party_id, trips=[trip], now=now)
    inbox.handled(seen={delivery.id: delivery.doubles for delivery in waiting}, note="Obeyed.", now=now)
    return len(waiting)
