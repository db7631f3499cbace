"""When a shop is asked next, and what its news says about that. The decision is domain/pace.py's."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from crossdock.domain.capability import Capability
from crossdock.domain.events import ShopOrder, ShopProduct
from crossdock.domain.health import Stream
from crossdock.domain.pace import seconds_until_next
from crossdock.store.models import Connection
from crossdock.usecases.shops import news

if TYPE_CHECKING:
    from crossdock.engine.reading import Reading


def moments(items: Iterable[object]) -> list[datetime | None]:
    """The shop's own times of what a page holds; what is gone or could not be understood has none."""
    return [item.updated_at for item in items if isinstance(item, ShopOrder | ShopProduct)]


class Pace:
    """One holding's. What happens in it is noted once."""

    def __init__(self, desk: "Reading") -> None:
        self._desk = desk
        self._stirred = False
        self.heard: dict[Stream, list[datetime | None]] = {Stream.ORDERS: [], Stream.PRODUCTS: []}

    @property
    def base(self) -> float:
        """The operator's wish before the platform's."""
        return float(settings.POLL_SECONDS or self._desk.connector.manifest.poll_seconds)

    @property
    def listens(self) -> bool:
        """Whether this shop can tell us anything by itself."""
        shop, manifest = self._desk.opened.shop, self._desk.connector.manifest
        return bool(shop.hook_url) and manifest.can(Capability.WEBHOOKS)

    async def until_next(self) -> timedelta:
        """With a tenth of jitter, so that shops connected together don't stay together."""
        seconds = self.base
        if not settings.POLL_SECONDS:
            seconds = await self._desk.engine.threads.run(self._seconds, now=self._desk.engine.clock())
        return timedelta(seconds=seconds * self._desk.engine.random.uniform(0.9, 1.1))

    def _seconds(self, *, now: datetime) -> float:
        shop = Connection.objects.only("active_at", "created_at").get(pk=self._desk.connection_id)
        quiet = max(0.0, (now - (shop.active_at or shop.created_at)).total_seconds())
        proven = self.listens and news.proven(connection_id=shop.pk, now=now)
        return seconds_until_next(base=self.base, quiet=quiet, proven=proven, stale=60.0 * settings.STALE_AFTER_MINUTES)

    async def stir(self) -> None:
        if not self._stirred:
            self._stirred = True
            soon = None if settings.POLL_SECONDS else timedelta(seconds=self.base)
            await self._desk.run(news.stir, connection_id=self._desk.connection_id, soon=soon)

    async def polled(self, stream: Stream, told: Iterable[datetime | None]) -> None:
        """What a poll read, by the shop's own times. News that no delivery told of says that the webhooks are dead."""
        fresh = await self._known(stream, told)
        if fresh:
            await self.stir()
            if self.listens:
                await self._desk.run(news.missed, connection_id=self._desk.connection_id, fresh=fresh)

    async def told(self) -> None:
        """Deliveries came; what they made us read since the last time is news."""
        await self.stir()
        for stream, told in self.heard.items():
            self.heard[stream] = []
            await self._known(stream, told)

    async def ours(self, stream: Stream, moment: datetime | None) -> None:
        """What we did there ourselves is no news when a poll meets it."""
        await self._known(stream, [moment], measure=False)

    async def _known(
        self, stream: Stream, told: Iterable[datetime | None], *, measure: bool = True
    ) -> tuple[datetime, ...]:
        times = [moment for moment in told if moment is not None]
        if not times:
            return ()
        return await self._desk.run(
            news.known_now, connection_id=self._desk.connection_id, stream=stream, moments=times, measure=measure
        )
