"""What a shop's desk reads by name: an order, a product, the counts that are wanted. What cannot be understood is set
aside.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from crossdock.domain.events import Look, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.domain.health import Stream
from crossdock.domain.values import Access
from crossdock.engine import contain, inbox
from crossdock.engine.pace import Pace
from crossdock.engine.watch import LAST
from crossdock.kit.connector import Connector, Shop, VariantRef
from crossdock.kit.errors import Missing, Outside, Strange
from crossdock.kit.held import held
from crossdock.store.crash import point
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.orders import snapshots
from crossdock.usecases.parties import streams
from crossdock.usecases.parties.quarantine import Tally
from crossdock.usecases.shops.shop_money import ReadOtherwise
from crossdock.usecases.shops.timers import COUNTS
from crossdock.usecases.stock import counts

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

T = TypeVar("T")
_log = logging.getLogger(__name__)
_MOST_ORDERS = 50
_MOST_COUNTS = 100
_COUNT_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Opened:
    """The shop with the credentials of this moment. A renewal makes a new one."""

    connector: Connector
    shop: Shop


class Reading:
    """The part of a desk that asks; engine/shops.py is the rest."""

    engine: "Engine"
    connection_id: int
    access: Access
    opened: Opened
    heard: bool
    answers: int
    room: asyncio.Semaphore
    pace: Pace
    _being_read: set[str]

    @property
    def connector(self) -> Connector:
        return self.opened.connector

    async def run(self, work: Callable[..., T], **kwargs: Any) -> T:
        """A use-case that may be repeated, with this shop's clock."""
        return await self.engine.threads.sure(work, now=self.engine.clock(), **kwargs)

    async def asked(self, call: Awaitable[T]) -> T:
        """An answer is a sign of health, whatever it says."""
        answer = await call
        self.heard = True
        self.answers += 1
        return answer

    async def side_by_side(self, calls: Sequence[Coroutine[Any, Any, None]]) -> None:
        """A few at a time. Every one is finished before the first trouble is raised."""

        async def one(call: Coroutine[Any, Any, None]) -> None:
            async with self.room:
                await call

        for result in await asyncio.gather(*(one(call) for call in calls), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def read_order(self, shop_id: str) -> ShopOrder | None:
        """Read it and take it in; one that cannot be understood is set aside (None)."""
        try:
            order = await self.asked(self.connector.order(self.opened.shop, shop_id))
        except Exception as error:
            if contain.of_party(error):
                raise
            await contain.set_aside(self, QuarantineKind.ORDER, shop_id, error)
            return None
        point("order.read")
        await self.take_orders([order])
        return order

    async def _read_wanted(self, shop_id: str) -> None:
        await self.read_order(shop_id)

    async def take_orders(
        self, orders: Sequence[ShopOrder | Unreadable], *, page: bool = False, tally: Tally | None = None
    ) -> None:
        await self.run(
            snapshots.receive_orders,
            connection_id=self.connection_id,
            orders=orders,
            manifest=self.connector.manifest,
            call=LAST.get(),
            page=page,
            tally=tally,
        )

    async def look(self, look: Look) -> None:
        """What a delivery, or a row in quarantine, is about."""
        await inbox.look_at(self, look)

    async def read_back(self, shop_id: str) -> None:
        """The last step of the order-landed guarantee, at once. If it fails now, the wish stays in the row."""
        self._being_read.add(shop_id)
        try:
            order = await self.read_order(shop_id)
            if order is not None:
                await self.pace.ours(Stream.ORDERS, order.updated_at)
        except Outside as error:
            _log.info("order %s is read back later: %s", shop_id, error)
        finally:
            self._being_read.discard(shop_id)

    async def _read_orders(self) -> bool:
        wanted = await self.engine.threads.run(
            streams.orders_to_read, connection_id=self.connection_id, limit=_MOST_ORDERS
        )
        ids = [shop_id for shop_id in wanted if shop_id not in self._being_read]
        await contain.each(self, QuarantineKind.ORDER, {shop_id: self._read_wanted(shop_id) for shop_id in ids})
        return bool(ids)

    async def _read_counts(self) -> bool:
        """Rules 2 and 5: the number is drawn before the request leaves, and only applying it fulfils the wish."""
        did = False
        if await self.run(streams.resting, connection_id=self.connection_id, stream=COUNTS):
            return False
        for _ in range(_COUNT_ROUNDS):
            asked = await self.run(counts.counts_wanted, connection_id=self.connection_id, limit=_MOST_COUNTS)
            if asked is None:
                break
            point("counts.drawn")
            tally = Tally()
            try:
                with held() as reading:
                    answers = await contain.counts_of(self, [VariantRef(*ref) for ref in asked.refs])
                    point("counts.answered")
                    unanswered = await self.run(
                        counts.apply_counts,
                        connection_id=self.connection_id,
                        read_no=asked.read_no,
                        asked=asked.refs,
                        counts=answers,
                        call=LAST.get(),
                        tally=tally,
                    )
                    reading.kept = tally.any
            except Strange as error:
                if error.whole:
                    raise
                await contain.stream_failed(self, COUNTS, error)
                break
            await self.run(streams.stream_well, connection_id=self.connection_id, stream=COUNTS)
            await self.read_products(unanswered)
            did = True
            if len(asked.refs) < _MOST_COUNTS:
                break
        return did

    async def read_products(self, product_ids: Iterable[str]) -> None:
        async def one(product_id: str) -> None:
            await self.read_product(product_id)

        await self.side_by_side([one(product_id) for product_id in dict.fromkeys(product_ids)])

    async def take_products(self, keep: Callable[[], object]) -> bool:
        """`keep` takes in what was read. False when a confirmation of the shop's currency came between: nothing was
        kept, and from now on it is read with the settings of now.
        """
        try:
            await self.engine.threads.sure(keep)
        except ReadOtherwise as error:
            _log.info("%s: %s", self.access.address, error)
            await self.reopen()
            return False
        return True

    async def reopen(self) -> None:
        """With the connection's settings of now."""
        raise NotImplementedError

    async def read_product(self, product_id: str) -> ShopProduct | ProductGone | None:
        read_no, read_as = await self.engine.threads.run(counts.draw_read_no), self.opened.shop.settings
        product: ShopProduct | ProductGone
        try:
            product = await self.asked(self.connector.product(self.opened.shop, product_id))
        except Missing:
            product = ProductGone(product_id)
        except Exception as error:
            if contain.of_party(error):
                raise
            await contain.set_aside(self, QuarantineKind.PRODUCT, product_id, error)
            return None
        call = LAST.get()

        def keep() -> None:
            import_products.receive_products(
                connection_id=self.connection_id,
                products=[product],
                read_no=read_no,
                read_as=read_as,
                call=call,
                now=self.engine.clock(),
            )

        return product if await self.take_products(keep) else None
