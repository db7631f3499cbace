"""A pump's counter for one shop: renewed credentials, deliveries, orders and counts that are wanted, polls. Hints only
say where to look.

Everything here runs under the shop's lease, so its budget is spent in one place and its tokens have one refresher.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction

from crossdock.domain.commands import Later, Outcome, SignInAgain
from crossdock.domain.events import ProductGone, ShopProduct, Unreadable
from crossdock.domain.health import PATIENCE, Stream
from crossdock.domain.pace import PROVEN
from crossdock.domain.values import Access
from crossdock.engine import contain, inbox, sending
from crossdock.engine.pace import Pace, moments
from crossdock.engine.prices import sweep_prices
from crossdock.engine.pump import Errand
from crossdock.engine.reading import Opened, Reading
from crossdock.engine.record import listened_to
from crossdock.engine.recount import recount_stock
from crossdock.engine.watch import LAST
from crossdock.kit.connector import Looks, Page
from crossdock.kit.errors import AuthDead, Outside
from crossdock.kit.held import held
from crossdock.kit.shops import open_shop
from crossdock.store.crash import point
from crossdock.store.models import Connection
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.parties import streams
from crossdock.usecases.parties.quarantine import Tally
from crossdock.usecases.shops import connect, shop_money, timers
from crossdock.usecases.shops.old_copies import want_old_copies
from crossdock.usecases.shops.timers import COUNTS, HOOKS, ORDERS, PRICES, PRODUCTS, QUARANTINE, RECOUNT, SECRETS, Due
from crossdock.usecases.stock import counts
from crossdock.usecases.stock.reconcile import after_outage

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

T = TypeVar("T")
_log = logging.getLogger(__name__)
_SIDE_BY_SIDE = 4
_MOST_COUNTS = 100
_OLD_COUNT = timedelta(hours=1)
_AUDIT_EVERY = timedelta(hours=1)
# So many products, or for so long, are gathered before they are taken in.
_MOST_PRODUCTS, _GATHERING_SECONDS = 100, 1.0


def open_desk(engine: "Engine", party_id: int, due: Due) -> "ShopDesk":
    """Reads the connection and unseals its secrets; called on a database thread."""
    assert due.connection_id is not None
    row = Connection.objects.get(pk=due.connection_id)
    timers.ensure_timers(connection_id=row.pk, now=engine.clock())
    return ShopDesk(engine, row.pk, connect.access_of(connection=row))


class ShopDesk(Reading):
    """One holding of one shop's lease."""

    def __init__(self, engine: "Engine", connection_id: int, access: Access) -> None:
        self.engine, self.connection_id, self.access = engine, connection_id, access
        self.opened = self._open()
        self.heard = False
        self.answers = 0
        self.parallel = max(1, self.connector.manifest.pace.parallel)
        self.room = asyncio.Semaphore(_SIDE_BY_SIDE)
        self.pace = Pace(self)
        self._renewing = asyncio.Lock()
        self._renewed = False
        self._being_read: set[str] = set()

    def _open(self) -> Opened:
        connector, shop = open_shop(self.access, self.engine.transport)
        return Opened(listened_to(connector, self.engine.transport.recorder, self.access.party_id), shop)

    async def reopen(self) -> None:
        row = await self.engine.threads.run(Connection.objects.get, pk=self.connection_id)
        self.access = replace(self.access, settings=connect.access_of(connection=row).settings)
        self.opened = self._open()

    async def close(self) -> None:
        """Nothing is kept between holdings."""

    async def carry_out(self, errand: Errand) -> Outcome | None:
        try:
            await self.renew_if_due()
        except Outside as error:
            # Nothing was sent with the old credentials; the reading side meets the same trouble and says so.
            _log.info("the credentials of %s were not renewed: %s", self.access.address, error)
        await self.pace.stir()
        return await sending.carry_out(self, errand)

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

    async def chores(self, due: Due) -> bool:
        """One round: what the shop said, what is wanted, then one page of each poll that is due."""
        asked_with = self.opened
        try:
            await self.renew_if_due()
            asked_with = self.opened
            return await self._round(due)
        except AuthDead as error:
            if isinstance(await self.second_thoughts(SignInAgain(str(error)), asked_with), Later):
                return True
            raise

    async def _round(self, due: Due) -> bool:
        """Each part has its turn, whatever an earlier one met; then the first trouble is raised."""
        parts: list[tuple[bool, Callable[[], Awaitable[bool]]]] = [
            (due.deliveries, partial(inbox.work_off, self)),
            (due.orders, self._read_orders),
            (due.counts, self._read_counts),
            (due.timers, self._timers),
        ]
        did, trouble = False, list[Exception]()
        for wanted, part in parts:
            try:
                did = (wanted and await part()) or did
            except Exception as error:
                if contain.of_all(error):
                    raise
                trouble.append(error)
        if trouble:
            raise trouble[0]
        return did

    # Timers

    async def _timers(self) -> bool:
        due = await self.run(timers.timers_due, connection_id=self.connection_id)
        if PRODUCTS in due and await self.run(after_outage, connection_id=self.connection_id):
            # Reconciling reads the same changed products, and says what they mean.
            await self._later(PRODUCTS, await self.pace.until_next(), asked=False)
            due = {stream: cursor for stream, cursor in due.items() if stream != PRODUCTS} | {RECOUNT: ""}
        doing: dict[Stream, Callable[[str], Awaitable[None]]] = {
            SECRETS: self._renewal,
            ORDERS: self._poll_orders,
            PRODUCTS: self._poll_products,
            COUNTS: self._old_counts,
            HOOKS: self._audit,
            RECOUNT: partial(recount_stock, self),
            QUARANTINE: self._quarantined,
            PRICES: partial(sweep_prices, self),
        }
        failed, before = dict[Stream, Exception](), self.answers
        for stream, cursor in due.items():
            try:
                await doing[stream](cursor)
            except Exception as error:
                if contain.of_all(error):
                    raise
                failed[stream] = error
            else:
                # The counts' timer only wishes; reading them says how they are.
                if stream != COUNTS:
                    await self.run(streams.stream_well, connection_id=self.connection_id, stream=stream)
        if self.answers == before:
            # Nothing was answered at all: that is the shop's, and it rests as a whole.
            for met in failed.values():
                if contain.of_party(met):
                    raise met
        for failing, met in failed.items():
            await contain.stream_failed(self, failing, met)
        return bool(due)

    async def _quarantined(self, _: str) -> None:
        """Its timer stands at the next try that is due, once something is set aside."""
        await self._later(QUARANTINE, timedelta(days=1))
        await contain.try_again(self)

    async def _later(self, stream: Stream, wait: timedelta, *, asked: bool = True, done: bool = False) -> None:
        at = self.engine.clock() + wait
        await self.run(timers.set_timer, connection_id=self.connection_id, stream=stream, at=at, asked=asked, done=done)

    async def _poll_orders(self, cursor: str) -> None:
        with held() as reading:
            page = await self.asked(self.connector.orders(self.opened.shop, cursor))
            point("poll.orders_read")
            if page.items:
                tally = Tally()
                await self.take_orders(page.items, page=await contain.as_a_page(self, ORDERS), tally=tally)
                reading.kept = tally.any
        point("poll.orders_taken")
        await self._move(ORDERS, page.cursor, more=page.more)
        await self.pace.polled(ORDERS, moments(page.items))

    async def _poll_products(self, cursor: str) -> None:
        """A page, or several small ones, and where they end are kept in one transaction.

        Their counts are a read, so the number is drawn before the first of them leaves.
        """
        read_no, read_as = await self.engine.threads.run(counts.draw_read_no), self.opened.shop.settings
        with held() as reading:
            page = await self._pages(cursor)
            point("poll.products_read")
            wait = timedelta(0) if page.more else await self.pace.until_next()
            whole, call = bool(page.items) and await contain.as_a_page(self, PRODUCTS), LAST.get()
            tally = Tally()

            def keep() -> None:
                now = self.engine.clock()
                with transaction.atomic():
                    if page.items:
                        import_products.receive_products(
                            connection_id=self.connection_id,
                            products=page.items,
                            read_no=read_no,
                            read_as=read_as,
                            call=call,
                            page=whole,
                            tally=tally,
                            now=now,
                        )
                    first = timers.move_cursor(
                        connection_id=self.connection_id,
                        stream=PRODUCTS,
                        value=page.cursor,
                        next_due=now + wait,
                        complete=not page.more,
                        now=now,
                    )
                # At first everything is new; later that is news.
                reading.kept = bool(tally.changed or tally.tripped or (tally.new and not first))

            if not await self.take_products(keep):
                return
        point("poll.products_taken")
        await self.pace.polled(PRODUCTS, moments(page.items))

    async def _pages(self, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
        """From here on, as one: what a page costs here does not depend on its size, and some platforms' are small."""
        time = asyncio.get_running_loop().time
        until = time() + _GATHERING_SECONDS
        page = await self.asked(self.connector.products(self.opened.shop, cursor))
        items = [*page.items]
        while page.more and 0 < len(items) < _MOST_PRODUCTS and time() < until:
            try:
                page = await self.asked(self.connector.products(self.opened.shop, page.cursor))
            except Exception as error:
                # What came before is taken in; the next round begins here, and says what it meets.
                _log.info("a page of %s failed: %s", self.access.address, error)
                break
            items += page.items
        return replace(page, items=tuple(items))

    async def _move(self, stream: Stream, value: str, *, more: bool) -> None:
        wait = timedelta(0) if more else await self.pace.until_next()
        await self.run(
            timers.move_cursor,
            connection_id=self.connection_id,
            stream=stream,
            value=value,
            next_due=self.engine.clock() + wait,
            complete=not more,
        )

    async def _old_counts(self, _: str) -> None:
        """The periodic poll reads every variant; as many a round as the budget bears beside everything else."""
        manifest = self.connector.manifest
        most = max(1, int(manifest.pace.per_second * self.pace.base / 4)) * _MOST_COUNTS
        old = max(_OLD_COUNT, timedelta(seconds=2 * self.pace.base))
        shop = self.connection_id
        wished = await self.run(counts.want_old_counts, connection_id=shop, older_than=old, limit=most)
        # What was wished for the last time has been read by now, or the stream is not done.
        since = self.engine.clock() - old - 2 * timedelta(seconds=max(self.pace.base, PROVEN)) - PATIENCE[COUNTS]
        done = await self.engine.threads.run(counts.all_read_since, connection_id=shop, since=since)
        wait = timedelta(seconds=self.pace.base) if wished == most else await self.pace.until_next()
        await self._later(COUNTS, wait, done=done)

    async def _renewal(self, _: str) -> None:
        """The renewal itself is done at the start of each round; this keeps the time of the next."""
        at = self.connector.renew_at(self.opened.shop)
        wait = timedelta(days=1) if at is None else max(timedelta(seconds=30), at - self.engine.clock())
        await self._later(SECRETS, wait, done=True)

    async def _audit(self, _: str) -> None:
        """Shops switch webhooks off without a word; create and heal them."""
        if self.pace.listens:
            await self._later(HOOKS, timedelta(minutes=5))
            audit = await self.asked(self.connector.subscribe(self.opened.shop))
            await self.run(
                timers.keep_audit,
                connection_id=self.connection_id,
                expected=audit.expected,
                active=audit.active,
                healed=audit.healed,
            )
        await self._look_at_money()
        await self.run(want_old_copies, connection_id=self.connection_id)
        await self._later(HOOKS, _AUDIT_EVERY, done=True)

    async def _look_at_money(self) -> None:
        """Currency, decimals and countries change without a word, and prices carry none of them.

        By the connection test where the platform has no smaller look.
        """
        if not await self.run(shop_money.look_due, connection_id=self.connection_id, every=_AUDIT_EVERY):
            return
        look = self.connector.look if isinstance(self.connector, Looks) else self.connector.prove
        proof = await self.asked(look(self.opened.shop))
        await self.run(
            shop_money.money_seen,
            connection_id=self.connection_id,
            currency=proof.currency,
            settings=dict(proof.settings),
        )
