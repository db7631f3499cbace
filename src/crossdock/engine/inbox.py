"""Working off the inbox: a delivery is a hint where to look. What it names is read again; only then is it handled."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.errors import Outside, Strange
from crossdock.store.crash import point
from crossdock.usecases import counts, deliveries, privacy, upkeep

if TYPE_CHECKING:
    from crossdock.engine.shops import ShopDesk

_log = logging.getLogger(__name__)
_NEWS: TypeAdapter[HookNews] = TypeAdapter(HookNews)
_AT_ONCE = 100
# An entity that cannot be understood is given up as news after so many tries; polling meets it again.
_TRIES = 3
_strange: dict[int, int] = {}


def news_of(stored: dict[str, Any]) -> HookNews:
    """What the door wrote.

    Erased deliveries are empty; a shape of an older version is empty too, since polling makes up for it.
    """
    try:
        return _NEWS.validate_python(stored)
    except ValidationError:
        return HookNews("", "")


async def work_off(desk: "ShopDesk") -> bool:
    """One batch.

    Each entity is read once however many deliveries name it. Raises the first trouble after everything else is done.
    """
    rows = await desk.engine.threads.run(deliveries.waiting, party_id=desk.access.party_id, limit=_AT_ONCE)
    if not rows:
        return False
    point("inbox.taken")
    news = {row.pk: news_of(row.news) for row in rows}
    hints = [hint for one in news.values() for hint in one.hints]
    if hints:
        first = next(pk for pk, one in news.items() if one.hints)
        await desk.run(counts.take_hints, connection_id=desk.connection_id, hints=hints, event=f"delivery:{first}")
    looks = list(dict.fromkeys(look for one in news.values() for look in one.looks))
    results = await asyncio.gather(*(_guarded(desk, look) for look in looks))
    trouble = {look: error for look, error in zip(looks, results, strict=True) if error is not None}
    seen: dict[int, int] = {}
    for row in rows:
        errors = [trouble[look] for look in news[row.pk].looks if look in trouble]
        if not errors or all(_given_up(row.pk, error) for error in errors):
            seen[row.pk] = row.doubles
            _strange.pop(row.pk, None)
    point("inbox.before_handled")
    await desk.run(deliveries.handled, seen=seen, note="")
    await desk.run(upkeep.heard, connection_id=desk.connection_id, at=max(row.received_at for row in rows))
    worst = [error for error in trouble.values() if not isinstance(error, Strange)]
    if worst:
        raise worst[0]
    return bool(seen)


def _given_up(delivery: int, error: Outside) -> bool:
    if not isinstance(error, Strange):
        return False
    _strange[delivery] = _strange.get(delivery, 0) + 1
    return _strange[delivery] >= _TRIES


async def _guarded(desk: "ShopDesk", look: Look) -> Outside | None:
    try:
        async with desk.room:
            await _look(desk, look)
    except Strange as error:
        _log.warning("%s %s of %s cannot be understood: %s", look.kind, look.entity_id, desk.access.address, error)
        return error
    except Outside as error:
        return error
    return None


async def _look(desk: "ShopDesk", look: Look) -> None:
    match look.kind:
        case LookKind.PRODUCT | LookKind.PRODUCT_GONE:
            await desk.read_product(look.entity_id)
        case LookKind.ORDER:
            await desk.read_order(look.entity_id)
        case LookKind.COUNTS:
            await desk.run(upkeep.want_counts, connection_id=desk.connection_id, shop_variant_ids=[look.entity_id])
        case LookKind.NOTHING:
            pass
        case _:
            await desk.engine.threads.sure(obey, connection_id=desk.connection_id, look=look)


def obey(*, connection_id: int, look: Look) -> None:
    """What a platform demands of us, whether the shop is connected or not."""
    now = datetime.now(UTC)
    match look.kind:
        case LookKind.UNINSTALLED:
            upkeep.uninstalled(connection_id=connection_id, now=now)
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
    """Privacy requests for shops that no pump visits any more. Returns how many deliveries were handled."""
    waiting = upkeep.closed_news()
    for delivery in waiting:
        for look in news_of(delivery.news).looks:
            obey(connection_id=delivery.connection_id, look=look)
    deliveries.handled(
        seen={delivery.id: delivery.doubles for delivery in waiting}, note="Obeyed.", now=datetime.now(UTC)
    )
    return len(waiting)
