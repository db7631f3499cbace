"""A pump's counter for one shop: renewed credentials, deliveries, orders and counts that are wanted, polls. Hints only
say where to look.

Everything here runs under the shop's lease, so its budget is spent in one place and its tokens have one refresher.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import transaction

from crossdock.domain.capability import Capability
from crossdock.domain.commands import Later, Outcome, SignInAgain
from crossdock.domain.events import ProductGone, ShopProduct
from crossdock.domain.health import PATIENCE, Stream
from crossdock.domain.values import Access
from crossdock.engine import inbox, sending
from crossdock.engine.pump import Errand
from crossdock.engine.record import listened_to
from crossdock.engine.recount import recount_stock
from crossdock.kit.connector import Connector, Shop, VariantRef
from crossdock.kit.errors import AuthDead, Missing, Outside
from crossdock.kit.rows import readable, readable_products
from crossdock.kit.shops import open_shop
from crossdock.store.crash import point
from crossdock.store.models import Connection
from crossdock.usecases import catalogue, connect, counts, receive, upkeep
from crossdock.usecases.recount import after_outage
from crossdock.usecases.upkeep import COUNTS, HOOKS, ORDERS, PRODUCTS, RECOUNT, SECRETS, Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

T = TypeVar("T")
_log = logging.getLogger(__name__)
_SIDE_BY_SIDE = 4
_MOST_ORDERS = 50
_MOST_COUNTS = 100
_COUNT_ROUNDS = 5
_OLD_COUNT = timedelta(hours=1)
_AUDIT_EVERY = timedelta(hours=1)
_QUIET = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Opened:
    """The shop with the credentials of this moment. A renewal makes a new one."""

    connector: Connector
    shop: Shop


def open_desk(engine: "Engine", party_id: int, due: Due) -> "ShopDesk":
    """Reads the connection and unseals its secrets; called on a database thread."""
    assert due.connection_id is not None
    row = Connection.objects.get(pk=due.connection_id)
    upkeep.ensure_timers(connection_id=row.pk, now=engine.clock())
    return ShopDesk(engine, row.pk, connect.access_of(connection=row))


class ShopDesk:
    """One holding of one shop's lease."""

    def __init__(self, engine: "Engine", connection_id: int, access: Access) -> None:
        self.engine, self.connection_id, self.access = engine, connection_id, access
        self.opened = self._open()
        self.heard = False
        self.parallel = max(1, self.connector.manifest.pace.parallel)
        self.room = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._renewing = asyncio.Lock()
        self._renewed = False
        self._being_read: set[str] = set()

    def _open(self) -> Opened:
        connector, shop = open_shop(self.access, self.engine.transport)
        return Opened(listened_to(connector, self.engine.transport.recorder, self.access.party_id), shop)

    @property
    def connector(self) -> Connector:
        return self.opened.connector

    async def close(self) -> None:
        """Nothing is kept between holdings."""

    async def carry_out(self, errand: Errand) -> Outcome | None:
        try:
            await self.renew_if_due()
        except Outside as error:
            # Nothing was sent with the old credentials; the reading side meets the same trouble and says so.
            _log.info("the credentials of %s were not renewed: %s", self.access.address, error)
        return await sending.carry_out(self, errand)

    async def run(self, work: Callable[..., T], **kwargs: Any) -> T:
        """A use-case that may be repeated, with this shop's clock."""
        return await self.engine.threads.sure(work, now=self.engine.clock(), **kwargs)

    # Credentials

    async def renew_if_due(self) -> None:
        """Before anything is sent with credentials that are about to end. Raises Outside."""
        at = self.connector.renew_at(self.opened.shop)
        if at is not None and at <= self.engine.clock():
            await self._renew(self.opened)

    async def _renew(self, seen: Opened) -> None:
        """Once, however many found out; stored before it is used."""
        async with self._renewing:
            if self.opened is not seen:
                return
            secrets = await seen.connector.renew(seen.shop)
            point("renew.answered")
            await self.run(connect.store_secrets, connection_id=self.connection_id, secrets=secrets)
            point("renew.stored")
            self.access = replace(self.access, secrets=secrets)
            self.opened = self._open()
            self._renewed = True

    async def second_thoughts(self, outcome: Outcome, asked_with: Opened) -> Outcome:
        """ "Sign in again" is believed only when fresh credentials don't help: those that we used may just have been
        replaced.
        """
        if not isinstance(outcome, SignInAgain):
            return outcome
        if self.opened is asked_with and not self._renewed and self.connector.renew_at(asked_with.shop) is not None:
            try:
                await self._renew(asked_with)
            except AuthDead:
                return outcome
            except Outside as error:
                return Later(str(error))
        if self.opened is not asked_with:
            return Later("The credentials were renewed meanwhile.", 0.2)
        return outcome

    # Reading

    async def asked(self, call: Awaitable[T]) -> T:
        """An answer is a sign of health, whatever it says."""
        answer = await call
        self.heard = True
        return answer

    async def chores(self, due: Due) -> bool:
        """One round: what the shop said, what is wanted, then one page of each poll that is due."""
        asked_with = self.opened
        try:
            await self.renew_if_due()
            asked_with = self.opened
            did = await inbox.work_off(self) if due.deliveries else False
            did = (due.orders and await self._read_orders()) or did
            did = (due.counts and await self._read_counts()) or did
            return (due.timers and await self._timers()) or did
        except AuthDead as error:
            if isinstance(await self.second_thoughts(SignInAgain(str(error)), asked_with), Later):
                return True
            raise

    async def side_by_side(self, calls: Sequence[Coroutine[Any, Any, None]]) -> None:
        """A few at a time. Every one is finished before the first trouble is raised."""

        async def one(call: Coroutine[Any, Any, None]) -> None:
            async with self.room:
                await call

        for result in await asyncio.gather(*(one(call) for call in calls), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def read_order(self, shop_id: str) -> None:
        """Read it and take it in."""
        order = await self.asked(self.connector.order(self.opened.shop, shop_id))
        point("order.read")
        await self.run(
            receive.receive_orders, connection_id=self.connection_id, orders=[order], manifest=self.connector.manifest
        )

    async def read_back(self, shop_id: str) -> None:
        """The last step of the order-landed guarantee, at once. If it fails now, the wish stays in the row."""
        self._being_read.add(shop_id)
        try:
            await self.read_order(shop_id)
        except Outside as error:
            _log.info("order %s is read back later: %s", shop_id, error)
        finally:
            self._being_read.discard(shop_id)

    async def _read_orders(self) -> bool:
        wanted = await self.engine.threads.run(
            receive.orders_to_read, connection_id=self.connection_id, limit=_MOST_ORDERS
        )
        ids = [shop_id for shop_id in wanted if shop_id not in self._being_read]
        await self.side_by_side([self.read_order(shop_id) for shop_id in ids])
        return bool(ids)

    async def _read_counts(self) -> bool:
        """Rules 2 and 5: the number is drawn before the request leaves, and only applying it fulfils the wish."""
        did = False
        for _ in range(_COUNT_ROUNDS):
            asked = await self.run(counts.counts_wanted, connection_id=self.connection_id, limit=_MOST_COUNTS)
            if asked is None:
                break
            point("counts.drawn")
            answers = await self.asked(
                self.connector.counts(self.opened.shop, [VariantRef(*ref) for ref in asked.refs])
            )
            point("counts.answered")
            unanswered = await self.run(
                counts.apply_counts,
                connection_id=self.connection_id,
                read_no=asked.read_no,
                asked=asked.refs,
                counts=readable(answers),
            )
            await self.read_products(unanswered)
            did = True
            if len(asked.refs) < _MOST_COUNTS:
                break
        return did

    async def read_products(self, product_ids: Iterable[str]) -> None:
        await self.side_by_side([self.read_product(product_id) for product_id in dict.fromkeys(product_ids)])

    async def read_product(self, product_id: str) -> None:
        read_no = await self.engine.threads.run(counts.draw_read_no)
        product: ShopProduct | ProductGone
        try:
            product = await self.asked(self.connector.product(self.opened.shop, product_id))
        except Missing:
            product = ProductGone(product_id)
        await self.run(
            catalogue.receive_products, connection_id=self.connection_id, products=[product], read_no=read_no
        )

    # Timers

    async def _timers(self) -> bool:
        due = await self.run(upkeep.timers_due, connection_id=self.connection_id)
        if PRODUCTS in due and await self.run(after_outage, connection_id=self.connection_id):
            # Reconciling reads the same changed products, and says what they mean.
            await self._later(PRODUCTS, self._until_next_poll(), asked=False)
            due = {stream: cursor for stream, cursor in due.items() if stream != PRODUCTS} | {RECOUNT: ""}
        doing: dict[Stream, Callable[[str], Awaitable[None]]] = {
            SECRETS: self._renewal,
            ORDERS: self._poll_orders,
            PRODUCTS: self._poll_products,
            COUNTS: self._old_counts,
            HOOKS: self._audit,
            RECOUNT: partial(recount_stock, self),
        }
        for stream, cursor in due.items():
            await doing[stream](cursor)
        return bool(due)

    async def _later(self, stream: Stream, wait: timedelta, *, asked: bool = True, done: bool = False) -> None:
        at = self.engine.clock() + wait
        await self.run(upkeep.set_timer, connection_id=self.connection_id, stream=stream, at=at, asked=asked, done=done)

    @property
    def _poll_seconds(self) -> float:
        """The operator's wish before the platform's."""
        return float(settings.POLL_SECONDS or self.connector.manifest.poll_seconds)

    def _until_next_poll(self) -> timedelta:
        """With a tenth of jitter, so that shops connected together don't stay together."""
        return timedelta(seconds=self._poll_seconds * self.engine.random.uniform(0.9, 1.1))

    async def _poll_orders(self, cursor: str) -> None:
        page = await self.asked(self.connector.orders(self.opened.shop, cursor))
        point("poll.orders_read")
        await self.run(
            receive.receive_orders,
            connection_id=self.connection_id,
            orders=readable(page.items),
            manifest=self.connector.manifest,
        )
        point("poll.orders_taken")
        await self._move(ORDERS, page.cursor, more=page.more)
        await self._listen_for_silence(bool(page.items))

    async def _poll_products(self, cursor: str) -> None:
        """The page and its cursor are kept in one transaction.

        Its counts are a read, so the number is drawn before it leaves.
        """
        read_no = await self.engine.threads.run(counts.draw_read_no)
        page = await self.asked(self.connector.products(self.opened.shop, cursor))
        point("poll.products_read")
        wait = timedelta(0) if page.more else self._until_next_poll()

        def keep() -> None:
            now = self.engine.clock()
            with transaction.atomic():
                catalogue.receive_products(
                    connection_id=self.connection_id, products=readable_products(page.items), read_no=read_no, now=now
                )
                upkeep.move_cursor(
                    connection_id=self.connection_id,
                    stream=PRODUCTS,
                    value=page.cursor,
                    next_due=now + wait,
                    complete=not page.more,
                    now=now,
                )

        await self.engine.threads.sure(keep)
        point("poll.products_taken")

    async def _move(self, stream: Stream, value: str, *, more: bool) -> None:
        wait = timedelta(0) if more else self._until_next_poll()
        await self.run(
            upkeep.move_cursor,
            connection_id=self.connection_id,
            stream=stream,
            value=value,
            next_due=self.engine.clock() + wait,
            complete=not more,
        )

    async def _old_counts(self, _: str) -> None:
        """The periodic poll reads every variant; as many a round as the budget bears beside everything else."""
        manifest = self.connector.manifest
        most = max(1, int(manifest.pace.per_second * self._poll_seconds / 4)) * _MOST_COUNTS
        old = max(_OLD_COUNT, timedelta(seconds=2 * self._poll_seconds))
        shop = self.connection_id
        await self.run(counts.want_old_counts, connection_id=shop, older_than=old, limit=most)
        # What was wished for the last time has been read by now, or the stream is not done.
        since = self.engine.clock() - old - 2 * timedelta(seconds=self._poll_seconds) - PATIENCE[COUNTS]
        done = await self.engine.threads.run(counts.all_read_since, connection_id=shop, since=since)
        await self._later(COUNTS, self._until_next_poll(), done=done)

    async def _renewal(self, _: str) -> None:
        """The renewal itself is done at the start of each round; this keeps the time of the next."""
        at = self.connector.renew_at(self.opened.shop)
        wait = timedelta(days=1) if at is None else max(timedelta(seconds=30), at - self.engine.clock())
        await self._later(SECRETS, wait, done=True)

    async def _audit(self, _: str) -> None:
        """Shops switch webhooks off without a word; create and heal them."""
        if self.opened.shop.hook_url and self.connector.manifest.can(Capability.WEBHOOKS):
            await self._later(HOOKS, timedelta(minutes=5))
            audit = await self.asked(self.connector.subscribe(self.opened.shop))
            await self.run(
                upkeep.keep_audit,
                connection_id=self.connection_id,
                expected=audit.expected,
                active=audit.active,
                healed=audit.healed,
            )
        await self._later(HOOKS, _AUDIT_EVERY, done=True)

    async def _listen_for_silence(self, news: bool) -> None:
        """Polling found something that no delivery spoke of for long: audit the webhooks now."""
        listening = self.opened.shop.hook_url and self.connector.manifest.can(Capability.WEBHOOKS)
        if news and listening and await self.run(upkeep.quiet, connection_id=self.connection_id, for_long=_QUIET):
            await self._later(HOOKS, timedelta(0))
