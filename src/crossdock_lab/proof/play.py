"""One seed played: the product's use-cases and engine against a simulated shop, every delay, loss and kill drawn from
the seed. Undone afterwards.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from pydantic import TypeAdapter

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability
from crossdock.domain.events import Count, HookNews
from crossdock.engine.engine import Engine
from crossdock.engine.worker import HANDLERS
from crossdock.kit import discover
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.shops import open_shop
from crossdock.kit.webhook import verified_news
from crossdock.store.models import Alert, Cursor, Delivery, Order, VariantStock
from crossdock.store.models.stock import next_stock_no
from crossdock.usecases.checkout import checkout, confirm_stock
from crossdock.usecases.parties import leases
from crossdock.usecases.shops import connect
from crossdock.usecases.shops.timers import ORDERS, RECOUNT
from crossdock.usecases.stock import counts
from crossdock_lab.proof.clock import Inline, SimulatedLoop, Stuck
from crossdock_lab.proof.ledger import Ledger, Wrong, quiet
from crossdock_lab.proof.people import People
from crossdock_lab.proof.plan import Plan
from crossdock_lab.proof.town import (
    ADDRESS,
    BEGIN_SECONDS,
    LEASE_SECONDS,
    POLL_SECONDS,
    Town,
    copied,
    new_shop,
    share,
    simulated,
)
from crossdock_lab.proof.wire import Wire, WireTransport, replaced

_NEWS: TypeAdapter[HookNews] = TypeAdapter(HookNews)
_PATIENCE_SECONDS = 500.0
_SWEEP_SECONDS = 15
# A scheduled reconciliation reads the changed products, which is a fifth of a seed's cost: every so many seeds.
_RECOUNTED = 4
# Whoever writes these changes what may be sold, or ends a claim on it.
_STOCK = tuple(
    f'{verb} "store_{table}"'
    for verb in ("UPDATE", "INSERT INTO")
    for table in ("variantstock", "reservation", "command", "shopcopy")
)


@dataclass(frozen=True, slots=True)
class Result:
    """`broken` is "" when everything held.

    `trace` is the whole play; its hash is the same whenever the same plan is played.
    """

    plan: Plan
    broken: str
    trace: tuple[str, ...]
    seconds: float
    simulated: float

    @property
    def hash(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


class _Undo(Exception):
    """Everything that the seed wrote goes."""


def play(town: Town, plan: Plan) -> Result:
    begun = time.perf_counter()
    made: list[Play] = []
    here = connections["default"]
    logging.disable(logging.CRITICAL)
    try:
        with transaction.atomic():
            with asyncio.Runner(loop_factory=lambda: SimulatedLoop(BEGIN_SECONDS)) as runner:
                loop = runner.get_loop()
                assert isinstance(loop, SimulatedLoop)
                made.append(Play(town, plan, loop))
                with (
                    here.execute_wrapper(made[0].seen),
                    simulated(loop, made[0].wake, Random(plan.seed)),
                    replaced((counts, "draw_read_no", made[0].draw), (confirm_stock, "draw_read_no", made[0].draw)),
                ):
                    runner.run(made[0].run(here))
            raise _Undo
    except _Undo:
        pass
    finally:
        logging.disable(logging.NOTSET)
    one = made[0]
    return Result(plan, one.broken, tuple(one.trace), time.perf_counter() - begun, one.loop.seconds - BEGIN_SECONDS)


class Play:
    def __init__(self, town: Town, plan: Plan, loop: SimulatedLoop) -> None:
        self.town, self.plan, self.loop = town, plan, loop
        self.broken, self.trace = "", list[str]()
        self._faults = dict(plan.faults)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._hooked = 0
        self._wrote = False

    def seen(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Every statement passes here: those that write about stock are looked behind."""
        if not self._wrote and sql.startswith(_STOCK):
            self._wrote = True
        return execute(sql, params, many, context)

    def dice(self, name: str) -> Random:
        """A stream of its own for each purpose, so that leaving a step out changes as little as possible elsewhere."""
        return Random(f"{self.plan.seed} {name}")

    def say(self, text: str) -> None:
        self.trace.append(f"{self.loop.seconds - BEGIN_SECONDS:9.3f}  {text}")

    def draw(self) -> int:
        return self.ledger.drew(next_stock_no())

    # The stage

    async def run(self, here: BaseDatabaseWrapper) -> None:
        share(here)
        try:
            await self._set_up()
            people = People(self)
            steps = asyncio.gather(*(people.step(step) for _, step in self.plan.left()))
            # Looked at also when the play breaks off before; else its cancelled steps are complained about at some
            # later time.
            steps.add_done_callback(lambda done: done.cancelled() or done.exception())
            await self._watched(steps)
            await self._watched(self._come_to_rest())
        except Wrong as wrong:
            self.broken = str(wrong)
        except Stuck as stuck:
            self.broken = f"not at rest: {stuck}"
        if self.broken:
            self.say(f"WRONG: {self.broken}")
        self._die()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _set_up(self) -> None:
        # What a surrounding transaction (a test's) still waits to do is not ours.
        connection.run_on_commit = []
        dice = self.dice("wire")
        self.shop = new_shop(self.town.platform, copied(self.town.shelf), self.loop, self.plan.seed)
        self.wire = Wire(dice, self.say)
        self.wire.open(self.shop, ADDRESS)
        self._hook_dice = self.dice("hooks")
        self.shop.postman.send = self._hook  # type: ignore[method-assign]
        self.ledger = Ledger(self.town, self.shop, self.plan.stock)
        self.web = Inline(self.dice("web"), self._after)
        self.page = self.wire.transport()
        self._failed: asyncio.Future[None] = self.loop.create_future()
        for ref, units in zip(self.town.refs, self.plan.stock, strict=True):
            await self.shop.hand.recount(ref, units)
        await self.shop.delivered()
        Delivery.objects.filter(party_id=self.town.party_id).delete()
        if self.plan.seed % _RECOUNTED:
            later = self.loop.now() + timedelta(hours=1)
            Cursor.objects.filter(connection=self.town.connection, stream=RECOUNT).update(due_at=later)
        counts.apply_counts(
            connection_id=self.town.connection.pk,
            read_no=self.draw(),
            now=self.loop.now(),
            asked=[(ref.product_id, ref.variant_id) for ref in self.town.refs],
            counts=[Count(ref.variant_id, units) for ref, units in zip(self.town.refs, self.plan.stock, strict=True)],
        )
        self.shop.dial.set({name: chance for name, chance in self._faults.items() if name != "late"})
        self.wire.late = self._faults.get("late", 0.0)
        self._work()

    async def _watched(self, doing: Awaitable[Any]) -> None:
        """Until it is done, or something is found to be wrong."""
        task = asyncio.ensure_future(doing)
        await asyncio.wait({task, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            task.cancel()
            self._failed.result()
        task.result()

    def _after(self, given: dict[str, Any]) -> None:
        """Behind every transaction: what waited for the commit, and the invariants."""
        waiting, connection.run_on_commit = connection.run_on_commit, []
        for _, call, *_ in waiting:
            call()
        if self._wrote and not self._failed.done():
            self._wrote = False
            try:
                self.ledger.look(given, self.loop.now())
            except Wrong as wrong:
                self._failed.set_exception(wrong)

    # The worker

    def _work(self) -> None:
        self._threads = Inline(self.dice(f"worker {len(self.trace)}"), self._after)
        self._transport: WireTransport = self.wire.transport()
        self._engine = Engine(
            transport=self._transport,
            threads=self._threads,
            handlers=HANDLERS,
            random=self.dice("engine"),
            clock=self.loop.now,
            lease_seconds=LEASE_SECONDS,
        )
        self._start(self._sweep(self._engine))

    def _start(self, doing: Any) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self, engine: Engine) -> None:
        while not self._threads.dead:
            due = await engine.threads.run(leases.due_parties, now=self.loop.now())
            if self.town.party_id in due:
                engine.wake(self.town.party_id)
            await engine.threads.run(checkout.expire_checkouts, now=self.loop.now())
            await asyncio.sleep(_SWEEP_SECONDS)

    def wake(self, party_id: int) -> None:
        if party_id == self.town.party_id:
            self.loop.call_later(self._hook_dice.uniform(0.001, 0.05), self._ring)

    def _ring(self) -> None:
        if not self._threads.dead:
            self._engine.wake(self.town.party_id)

    def _die(self) -> None:
        """As with -9: nothing that it was about to do happens; what it has sent goes on in the shop."""
        if not hasattr(self, "_threads"):
            return
        self._threads.dead = self._transport.dead = True
        for task in list(self._engine._tasks):
            task.cancel()
        for _, timer in self._engine._timers.values():
            timer.cancel()

    # The door

    async def _hook(self, url: str, headers: Any, body: bytes) -> int | None:
        await asyncio.sleep(self._hook_dice.uniform(0.005, 0.2))
        return await self.web.run(self._keep, dict(headers), body)

    def _keep(self, headers: dict[str, str], body: bytes) -> int:
        """What the door does: verify, keep, wake."""
        self._hooked += 1
        access = connect.access_of(connection=self.town.connection)
        connector, shop = open_shop(access, self._transport)
        try:
            news = verified_news(connector, shop, Hook(headers, body))
        except Forged:
            return 401
        if news.looks or news.hints:
            self.say(f"webhook {news.topic}")
            waiting = Delivery.objects.filter(party_id=self.town.party_id, dedupe=news.dedupe[:200], handled_at=None)
            if not waiting.update(doubles=F("doubles") + 1):
                Delivery.objects.create(
                    party_id=self.town.party_id,
                    topic=news.topic[:80],
                    dedupe=news.dedupe[:200],
                    news=_NEWS.dump_python(news, mode="json"),
                    body=body,
                    received_at=self.loop.now(),
                )
            self.wake(self.town.party_id)
        return 200

    async def kill(self) -> None:
        """The worker dies and another one begins."""
        self.say("the worker is killed")
        self._die()
        await asyncio.sleep(0.5)
        self._work()

    # The end

    async def _come_to_rest(self) -> None:
        self.shop.dial.calm()
        self.wire.late = 0.0
        self.say("the network is well again")
        # A poll under way may have read what is old by now; only one that begins after it sees everything.
        polled = Cursor.objects.get(connection=self.town.connection, stream=ORDERS)
        halfway = polled.completed_at != polled.asked_at
        await self._quiet((2.3 if halfway else 1.15) * POLL_SECONDS)
        if not discover.connector(self.plan.platform).manifest.can(Capability.ORDER_CANCEL):
            await self._cancel_by_hand()
        self.ledger.at_first_rest()
        VariantStock.objects.filter(variant__in=self.town.variants).update(want_no=next_stock_no(), want_after=None)
        self._ring()
        await self._quiet(0.0)
        self.ledger.at_rest(self.loop.now())

    async def _cancel_by_hand(self) -> None:
        """No program may cancel there, so the seller does what the alert asks of them."""
        asked = dict(
            Alert.objects.filter(connection=self.town.connection, code=AlertCode.CANCEL_FAILED, settled_at=None)
            .exclude(order=None)
            .values_list("order__reference", "pk")
        )
        ours = self.ledger.ours()
        for reference in Order.objects.exclude(cancelled_at=None).values_list("reference", flat=True):
            for copy in ours.get(reference, []):
                if copy.cancelled:
                    continue
                if reference not in asked:
                    raise Wrong(
                        "an order is cancelled here and stands in the shop, and its seller is not asked to cancel"
                    )
                await self.shop.hand.cancel(copy.shop_id, restock=True)
                self.say("the seller cancels in the shop what is cancelled here")
        await self._quiet(2.3 * POLL_SECONDS)

    async def _quiet(self, at_least: float) -> None:
        begun = self.loop.seconds
        await asyncio.sleep(at_least)
        while self._engine.busy or self.wire.under_way or self.shop.postman.busy or not quiet(self.town):
            if self.loop.seconds - begun > _PATIENCE_SECONDS:
                raise Wrong("it does not come to rest")
            await asyncio.sleep(3)


def platforms() -> tuple[str, ...]:
    return tuple(discover.connectors())
