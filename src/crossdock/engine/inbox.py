"""Working off the inbox: a delivery is a hint where to look. What it names is read again; only then is it handled.

The newest first, so that fresh news never waits behind old. A pile of news is folded: the lists of what changed cover
it, a hundred entities a call, where single readings would take hours.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.domain.health import Stream
from crossdock.engine import contain
from crossdock.engine.pace import moments
from crossdock.store.crash import point
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.outbox import inbox
from crossdock.usecases.parties import quarantine
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.shops import privacy, timers
from crossdock.usecases.stock import counts

if TYPE_CHECKING:
    from crossdock.engine.reading import Reading

_log = logging.getLogger(__name__)
_NEWS: TypeAdapter[HookNews] = TypeAdapter(HookNews)
_AT_ONCE = 100
# So many waiting are a pile; of one, so many are folded a round.
PILE, _FOLDED_AT_ONCE = 300, 5000
_KINDS = {LookKind.ORDER: QuarantineKind.ORDER, LookKind.PRODUCT: QuarantineKind.PRODUCT}


def news_of(stored: dict[str, Any]) -> HookNews:
    """What the door wrote.

    Erased deliveries are empty; a shape of an older version is empty too, since polling makes up for it.
    """
    try:
        return _NEWS.validate_python(stored)
    except ValidationError:
        return HookNews("", "")


async def work_off(desk: "Reading") -> bool:
    """One batch.

    Each entity is read once however many deliveries name it. Raises the first trouble after everything else is done.
    """
    run = desk.engine.threads.run
    folded = await _fold(desk)
    rows = await run(inbox.waiting, party_id=desk.access.party_id, limit=_AT_ONCE, newest=True)
    if not rows:
        return folded
    point("inbox.taken")
    news = {row.pk: news_of(row.news) for row in rows}
    hints = [hint for one in news.values() for hint in one.hints]
    if hints:
        first = next(pk for pk, one in news.items() if one.hints)
        await desk.run(counts.take_hints, connection_id=desk.connection_id, hints=hints, event=f"delivery:{first}")
    looks = list(dict.fromkeys(look for one in news.values() for look in one.looks))
    results = await asyncio.gather(*(_guarded(desk, look) for look in looks))
    trouble = {look: error for look, error in zip(looks, results, strict=True) if error is not None}
    if len(trouble) < len(looks) or await _heard_since(desk, min(row.received_at for row in rows)):
        await _set_aside(desk, trouble)
    seen = {row.pk: row.doubles for row in rows if not any(look in trouble for look in news[row.pk].looks)}
    point("inbox.before_handled")
    await desk.run(inbox.handled, seen=seen, note="")
    # What names nothing (a ping, which anybody can send) proves nothing of the shop's webhooks.
    named = [row.received_at for row in rows if news[row.pk].looks or news[row.pk].hints]
    if named:
        await desk.run(timers.heard, connection_id=desk.connection_id, at=max(named))
        await desk.pace.told()
    for error in trouble.values():
        raise error
    return folded or bool(seen)


async def _fold(desk: "Reading") -> bool:
    """The older news of a pile: what it names is read by lists. False when there is no pile."""
    run, party = desk.engine.threads.run, desk.access.party_id
    if not await run(inbox.pile, party_id=party, more_than=PILE):
        return False
    rows = await run(inbox.waiting, party_id=party, limit=_FOLDED_AT_ONCE, skip=_AT_ONCE, newest=True)
    news = {row.pk: news_of(row.news) for row in rows}
    mine = {pk: one for pk, one in news.items() if all(look.kind in timers.LISTED for look in one.looks)}
    if not mine:
        return False
    hints = [hint for one in mine.values() for hint in one.hints]
    looks = list(dict.fromkeys(look for one in mine.values() for look in one.looks))
    if hints:
        event = f"delivery:{next(iter(mine))}"
        await desk.run(counts.take_hints, connection_id=desk.connection_id, hints=hints, event=event)
    await desk.run(
        timers.want_lists,
        connection_id=desk.connection_id,
        looks=looks,
        counts_too=not desk.connector.manifest.counts_move_products,
    )
    seen = {row.pk: row.doubles for row in rows if row.pk in mine}
    await desk.run(inbox.handled, seen=seen, note="Read with the list of what changed.")
    _log.info("%d deliveries of %s were folded", len(seen), desk.access.address)
    return True


async def _heard_since(desk: "Reading", at: datetime) -> bool:
    """The shop answered other questions since then, so what it does not answer is about what was asked."""
    return bool(await desk.engine.threads.run(timers.read_since, connection_id=desk.connection_id, at=at))


async def _set_aside(desk: "Reading", trouble: dict[Look, Exception]) -> None:
    """The shop answers, only not about these: they wait by themselves. What is the whole shop's stays in `trouble`."""
    for look, error in [*trouble.items()]:
        if not contain.of_all(error):
            await _aside(desk, look, error)
            del trouble[look]


async def _aside(desk: "Reading", look: Look, error: Exception) -> None:
    kind = _KINDS.get(look.kind)
    entity = look.entity_id if kind else f"{look.kind}:{look.entity_id}"
    await contain.set_aside(desk, kind or QuarantineKind.DELIVERY, entity, error)


async def _guarded(desk: "Reading", look: Look) -> Exception | None:
    try:
        async with desk.room:
            await desk.look(look)
    except Exception as error:
        if contain.of_party(error) or of_database(error):
            return error
        await _aside(desk, look, error)
    return None


async def look_at(desk: "Reading", look: Look) -> None:
    """Read what it names."""
    match look.kind:
        case LookKind.PRODUCT | LookKind.PRODUCT_GONE:
            desk.pace.heard[Stream.PRODUCTS] += moments([await desk.read_product(look.entity_id)])
        case LookKind.ORDER:
            desk.pace.heard[Stream.ORDERS] += moments([await desk.read_order(look.entity_id)])
        case LookKind.COUNTS:
            await desk.run(timers.want_counts, connection_id=desk.connection_id, shop_variant_ids=[look.entity_id])
        case LookKind.NOTHING:
            pass
        case _:
            await desk.engine.threads.sure(obey, connection_id=desk.connection_id, look=look)


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
        for look in news_of(delivery.news).looks:
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
