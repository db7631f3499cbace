"""When a shop is asked next, and what its news says about that. The decision is domain/pace.py's."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from crossdock.domain.capability import Capability
from crossdock.domain.events import ShopOrder, ShopProduct
from crossdock.domain.health import Stream
from crossdock.domain.pace import seconds_until_next
from crossdock.engine.shop.session import Session
from crossdock.store.models import Connection
from crossdock.usecases.shops import news


def moments(items: Iterable[object]) -> list[datetime | None]:
    """The shop's own times of what a page holds; what is gone or could not be understood has none."""
    return [item.updated_at for item in items if isinstance(item, ShopOrder | ShopProduct)]


def base(session: Session) -> float:
    """The operator's wish before the platform's."""
    return float(settings.POLL_SECONDS or session.connector.manifest.poll_seconds)


def listens(session: Session) -> bool:
    """Whether this shop can tell us anything by itself."""
    shop, manifest = session.opened.shop, session.connector.manifest
    return bool(shop.hook_url) and manifest.can(Capability.WEBHOOKS)


async def until_next(session: Session) -> timedelta:
    """With a tenth of jitter, so that shops connected together don't stay together."""
    seconds = base(session)
    if not settings.POLL_SECONDS:
        seconds = await session.engine.threads.run(_seconds, session, now=session.engine.clock())
    return timedelta(seconds=seconds * session.engine.random.uniform(0.9, 1.1))


def _seconds(session: Session, *, now: datetime) -> float:
    shop = Connection.objects.only("active_at", "created_at").get(pk=session.connection_id)
    quiet = max(0.0, (now - (shop.active_at or shop.created_at)).total_seconds())
    proven = listens(session) and news.proven(connection_id=shop.pk, now=now)
    return seconds_until_next(base=base(session), quiet=quiet, proven=proven, stale=60.0 * settings.STALE_AFTER_MINUTES)


async def stir(session: Session) -> None:
    if not session.stirred:
        session.stirred = True
        soon = None if settings.POLL_SECONDS else timedelta(seconds=base(session))
        await session.run(news.stir, connection_id=session.connection_id, soon=soon)


async def polled(session: Session, stream: Stream, told: Iterable[datetime | None]) -> None:
    """What a poll read, by the shop's own times. News that no delivery told of says that the webhooks are dead."""
    fresh = await _known(session, stream, told)
    if fresh:
        await stir(session)
        if listens(session):
            await session.run(news.missed, connection_id=session.connection_id, fresh=fresh)


async def deliveries_came(session: Session) -> None:
    """What they made us read since the last time is news."""
    await stir(session)
    for stream, times in session.told.items():
        session.told[stream] = []
        await _known(session, stream, times)


async def ours(session: Session, stream: Stream, moment: datetime | None) -> None:
    """What we did there ourselves is no news when a poll meets it."""
    await _known(session, stream, [moment], measure=False)


async def _known(
    session: Session, stream: Stream, told: Iterable[datetime | None], *, measure: bool = True
) -> tuple[datetime, ...]:
    times = [moment for moment in told if moment is not None]
    if not times:
        return ()
    return await session.run(
        news.known_now, connection_id=session.connection_id, stream=stream, moments=times, measure=measure
    )
