"""Health from promises kept: whichever stream of a shop stands still, the seller's page, staff's board and /healthz
say so in time and agree; no error has to be seen.
"""

# ruff: noqa: F811

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import market
from crossdock.domain.health import FIRST, ODD_AFTER, PATIENCE, Promise, Stream, due_by, overdue
from crossdock.engine.engine import Engine
from crossdock.kit.connector import Subscriptions
from crossdock.kit.errors import NoAnswer
from crossdock.store.models import Command, Connection, Cursor, Delivery, Party, Quarantined, VariantStock
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.parties import quarantine
from crossdock.usecases.shops import pausing, timers
from crossdock.usecases.shops.health import not_working, shops_now
from crossdock.usecases.shops.incidents import incidents_now
from crossdock.usecases.support.dashboard import counts as desk_counts
from market import World
from stall import Make, Stall, connector, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import ToyConnector

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class TestThePromise:
    @pytest.mark.parametrize("stream", list(PATIENCE))
    def test_is_kept_until_its_time_and_broken_after_it(self, stream: Stream) -> None:
        due = due_by(stream, done_at=NOON, interval=10 * MINUTE)
        assert due == NOON + 10 * MINUTE + PATIENCE[stream]
        promise = Promise(stream, NOON, due, waiting=2)
        assert overdue(promise, now=due) is None
        late = overdue(promise, now=due + timedelta(seconds=1))
        assert late is not None and late.since == NOON
        assert "since 12:00 UTC" in late.sentence and late.sentence.endswith(".")

    def test_that_was_never_made_is_not_broken(self) -> None:
        assert timers.first_promise(Stream.QUARANTINE, now=NOON) is None
        assert overdue(Promise(Stream.QUARANTINE, NOON, NOON), now=NOON + MINUTE) is None
        assert overdue(Promise(Stream.RECOUNT, None, None), now=NOON + timedelta(days=900)) is None

    def test_counts_what_waits(self) -> None:
        def said(many: int) -> str:
            late = overdue(Promise(Stream.COMMANDS, NOON, NOON, many), now=NOON + MINUTE)
            assert late is not None
            return late.sentence

        assert said(1).startswith("1 change has waited for this shop since 12:00 UTC.")
        assert said(3).startswith("3 changes have waited for this shop since 12:00 UTC.")

    def test_names_the_day_when_it_is_not_today(self) -> None:
        late = overdue(Promise(Stream.ORDERS, NOON, NOON), now=NOON + timedelta(days=2))
        assert late is not None and "since 23 Nov, 12:00 UTC" in late.sentence


def three_places(shop: Connection, *, now: datetime, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, Any]:
    """What the seller reads, what staff read in the list of shops that do not work, and /healthz."""
    for module in ("web.seller.health", "web.health", "web.staff.shops", "web.staff.panel"):
        monkeypatch.setattr(f"crossdock.{module}.timezone.now", lambda: now)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    seller, staff = Client(), Client()
    seller.force_login(shop.seller.owner)
    staff.force_login(market.user(is_staff=True))
    page = seller.get(f"/seller/shops/{shop.public_id}/").content.decode()
    home = seller.get("/seller/").content.decode()
    board = staff.get("/staff/shops/?state=ill").content.decode()
    assert ("1 shop healthy" in home) == ("Healthy" in page), "the two pages of the seller disagree"
    return page, board, Client().get("/healthz?deep=1")


def all_say(shop: Connection, stream: Stream, words: str, *, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    page, board, healthz = three_places(shop, now=now, monkeypatch=monkeypatch)
    assert "Behind" in page and words in page and "Healthy" not in page
    assert shop.name in board and words in board
    assert healthz.status_code == 503
    assert healthz.json()["shops"]["late_streams"].get(stream) == 1
    assert (healthz.json()["shops"]["healthy"], healthz.json()["shops"]["late"]) == (0, 1)
    assert desk_counts(now=now)["ill"] == 1
    assert Client().get("/healthz").status_code == 200, "the shallow one is for a load balancer"


def none_say(shop: Connection, *, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    page, board, healthz = three_places(shop, now=now, monkeypatch=monkeypatch)
    assert "Healthy" in page and "Every shop works" in board
    assert (healthz.status_code, healthz.json()["shops"]["late"]) == (200, 0)
    assert desk_counts(now=now)["ill"] == 0


WORDS = {
    Stream.ORDERS: "orders have not been read",
    Stream.PRODUCTS: "products have not been read",
    Stream.COUNTS: "stock counts have not all been read",
    Stream.HOOKS: "webhooks have not been checked",
    Stream.SECRETS: "sign-in has not been renewed",
}


@pytest.mark.django_db
class TestNothingRuns:
    """The worker was killed, or never started: nobody sees an error."""

    @pytest.mark.parametrize("stream", list(WORDS))
    def test_each_timer(self, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(now=NOON)
        timers.ensure_timers(connection_id=world.shop.pk, now=NOON)
        for each in WORDS:
            timers.set_timer(connection_id=world.shop.pk, stream=each, at=NOON + 10 * MINUTE, done=True, now=NOON)
        late = NOON + 10 * MINUTE + PATIENCE[stream]
        Cursor.objects.filter(connection=world.shop).exclude(stream=stream).update(due_by=late + timedelta(days=1))
        none_say(world.shop, now=late, monkeypatch=monkeypatch)
        all_say(world.shop, stream, WORDS[stream], now=late + timedelta(seconds=1), monkeypatch=monkeypatch)

    def test_a_shop_that_was_never_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(now=NOON)
        Cursor.objects.filter(connection=world.shop).delete()
        timers.ensure_timers(connection_id=world.shop.pk, now=NOON)
        assert not not_working(now=NOON + FIRST)
        later = NOON + FIRST + MINUTE
        all_say(world.shop, Stream.ORDERS, WORDS[Stream.ORDERS], now=later, monkeypatch=monkeypatch)

    def test_commands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(now=NOON)
        order = world.buy()
        command = Command.objects.get(subject=order.reference)
        stuck = command.due_at + PATIENCE[Stream.COMMANDS]
        none_say(world.shop, now=stuck, monkeypatch=monkeypatch)
        all_say(
            world.shop,
            Stream.COMMANDS,
            "1 change has waited for this shop",
            now=stuck + timedelta(seconds=1),
            monkeypatch=monkeypatch,
        )
        Command.objects.filter(pk=command.pk).update(state="done")
        none_say(world.shop, now=stuck + timedelta(hours=1), monkeypatch=monkeypatch)

    def test_commands_that_are_tried_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(now=NOON)
        order = world.buy()
        command = Command.objects.filter(subject=order.reference)
        now = command.get().created_at + 16 * MINUTE
        command.update(attempts=9, due_at=now + MINUTE)
        all_say(world.shop, Stream.COMMANDS, "1 change has waited", now=now, monkeypatch=monkeypatch)
        command.update(attempts=0, created_at=now - MINUTE)
        none_say(world.shop, now=now, monkeypatch=monkeypatch)

    def test_deliveries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(now=NOON)
        for key in "ab":
            Delivery.objects.create(
                party_id=world.shop.party_id, topic="order", dedupe=key, news={}, body=b"", received_at=NOON
            )
        none_say(world.shop, now=NOON + 5 * MINUTE, monkeypatch=monkeypatch)
        all_say(
            world.shop,
            Stream.DELIVERIES,
            "2 messages from the shop have not been looked at",
            now=NOON + 6 * MINUTE,
            monkeypatch=monkeypatch,
        )

    def test_what_stands_in_quarantine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It holds up nothing else, so that nobody is woken; yet no page calls the shop healthy."""
        world = World(now=NOON)
        for entity in ("41", "42"):
            error = ValueError("no number")
            trip = quarantine.trip_of(QuarantineKind.PRODUCT, entity, error, sentence="Its price is no number.")
            quarantine.hold(party_id=world.shop.party_id, trips=[trip], now=NOON)
        words = "2 things from the shop have not been read since 12:00 UTC."
        assert not not_working(now=NOON + ODD_AFTER), "it is tried again within seconds first"
        now = NOON + ODD_AFTER + timedelta(seconds=1)
        page, board, healthz = three_places(world.shop, now=now, monkeypatch=monkeypatch)
        assert "Needs attention" in page and words in page and "Healthy" not in page
        assert world.shop.name in board and words in board
        said = healthz.json()["shops"]
        assert (healthz.status_code, said["odd"], said["healthy"], said["late"]) == (200, 1, 0, 0)
        assert desk_counts(now=now)["ill"] == 1

        Cursor.objects.filter(connection=world.shop, stream="orders").update(due_by=NOON)
        assert not_working(now=now)[world.shop.pk].trouble == "late", "the worse one is told"
        Cursor.objects.filter(connection=world.shop, stream="orders").update(due_by=now + timedelta(days=1))
        rows = Quarantined.objects.filter(connection=world.shop)
        rows.filter(entity="41").update(state="dismissed")
        assert not_working(now=now)[world.shop.pk].sentence.startswith("1 thing from the shop has not been read")
        quarantine.heal(party_id=world.shop.party_id, kind=QuarantineKind.PRODUCT, entities=["42"], now=now)
        assert not not_working(now=now)

    def test_one_format_that_changed_is_one_incident(self) -> None:
        for number in range(4):
            shop = market.connection(market.seller(), now=NOON)
            for entity in range(number + 1):
                trip = quarantine.Trip(QuarantineKind.PRODUCT, str(entity), "Its price is no number.")
                quarantine.hold(party_id=shop.party_id, trips=[trip], now=NOON)
        (incident,) = incidents_now(now=NOON + ODD_AFTER + MINUTE)
        assert incident.error == "What the shop sent could not be read." and len(incident.shops) == 4

    @pytest.mark.parametrize("state", ["paused", "disconnected"])
    def test_what_is_closed_by_wish_promises_nothing(self, state: str) -> None:
        world = World(now=NOON)
        Cursor.objects.filter(connection=world.shop).update(due_by=NOON)
        assert not_working(now=NOON + MINUTE)
        Connection.objects.filter(pk=world.shop.pk).update(state=state)
        assert not not_working(now=NOON + MINUTE)

    def test_after_a_pause_the_promise_begins_anew(self) -> None:
        world = World(now=NOON)
        Cursor.objects.filter(connection=world.shop).update(due_by=NOON)
        pausing.pause(connection=world.shop, actor=world.seller.owner, now=NOON)
        now = NOON + timedelta(days=3)
        pausing.resume(connection=world.shop, actor=world.seller.owner, now=now)
        assert not not_working(now=now)
        assert not_working(now=now + FIRST + MINUTE)

    def test_a_shop_that_does_not_answer_explains_its_streams(self) -> None:
        world = World(now=NOON)
        Cursor.objects.filter(connection=world.shop).update(due_by=NOON)
        Party.objects.filter(pk=world.shop.party_id).update(failing_since=NOON, failures=3, last_error="No answer.")
        ill = not_working(now=NOON + MINUTE)[world.shop.pk]
        assert (ill.trouble, ill.error, ill.late) == ("failing", "No answer.", ())
        assert shops_now(now=NOON + MINUTE).late == 0

    def test_when_our_worker_is_silent_no_platform_is_blamed(self) -> None:
        for _ in range(4):
            shop = market.connection(market.seller(), now=NOON)
            Cursor.objects.filter(connection=shop).update(due_by=NOON, completed_at=NOON)
        assert len(not_working(now=NOON + MINUTE)) == 4
        assert incidents_now(now=NOON + MINUTE) == []
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
        (incident,) = incidents_now(now=NOON + MINUTE)
        assert incident.error == "Its orders have not been read." and len(incident.shops) == 4

    def test_it_costs_the_same_for_any_number_of_shops(self) -> None:
        def asked() -> int:
            with CaptureQueriesContext(
                connection,
            ) as caught:
                not_working(now=NOON + timedelta(days=1))
            return len(caught)

        World(now=NOON)
        Cursor.objects.update(due_by=NOON)
        one = asked()
        for _ in range(5):
            World(now=NOON).buy()
        Cursor.objects.update(due_by=NOON)
        assert asked() == one == 5


async def stand_still(engine: Engine, stall: Stall, stream: Stream, spoil: Callable[[], None]) -> datetime:
    """Every stream is done once; then `stream` is spoiled, and the rest goes on until its promise is broken."""
    await sync(Cursor.objects.filter(connection=stall.shop).update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    done = Cursor.objects.filter(connection=stall.shop, stream=stream, completed_at__isnull=False)
    await until(done.exists, what=f"{stream} to be done once")
    await rest(engine)
    cursor = await sync(done.get)
    spoil()
    late: datetime = cursor.due_by + timedelta(seconds=1)
    engine.clock = lambda: late
    await sync(Cursor.objects.filter(connection=stall.shop).update, due_at=late)
    engine.wake(stall.shop.party_id)
    return late


@pytest.mark.django_db(transaction=True)
class TestTheEngine:
    @pytest.mark.parametrize("how", ["hangs", "raises", "answers nothing"])
    @pytest.mark.parametrize("stream", [Stream.ORDERS, Stream.PRODUCTS, Stream.HOOKS, Stream.SECRETS])
    async def test_a_stream_that_stands_still_is_told(
        self,
        make: Make,
        engine: Engine,
        connector: ToyConnector,
        monkeypatch: pytest.MonkeyPatch,
        settings: Any,
        stream: Stream,
        how: str,
    ) -> None:
        settings.HOOK_URL = "https://market.example"
        stall = await sync(make)
        method = {Stream.HOOKS: "subscribe", Stream.SECRETS: "renew"}.get(stream, stream.value)
        begun, over = asyncio.Event(), asyncio.Event()

        async def spoiled(*_: Any, **__: Any) -> Subscriptions:
            begun.set()
            if how == "hangs":
                await over.wait()
            raise ValueError("a bug of ours") if how == "raises" else NoAnswer("It did not answer in time.")

        def spoil() -> None:
            monkeypatch.setattr(connector, method, spoiled)
            stall.truth.renew_at = datetime(2020, 1, 1, tzinfo=UTC) if stream is Stream.SECRETS else None

        now = await stand_still(engine, stall, stream, spoil)
        await asyncio.wait_for(begun.wait(), 20)
        late = await sync(not_working, now=now + timedelta(seconds=1))
        # Whatever the engine made of it meanwhile, it is not called healthy.
        ill = late[stall.shop.pk]
        assert ill.trouble == "failing" or stream in [each.stream for each in ill.late]
        assert (await sync(shops_now, now=now + timedelta(seconds=1))).healthy == 0
        over.set()

    async def test_slow_pages_are_no_stream_that_is_done(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It answers, page after page, and is not through by its time."""
        stall = await sync(make)
        plain = connector.orders
        pages = 0

        async def endless(shop: Any, cursor: str) -> Any:
            nonlocal pages
            page = await plain(shop, cursor)
            pages += 1
            engine.stopping = pages > 3
            return type(page)(page.items, str(pages), True)

        now = await stand_still(engine, stall, Stream.ORDERS, lambda: monkeypatch.setattr(connector, "orders", endless))
        await until(lambda: pages > 3, what="pages that never end")
        await rest(engine)
        ill = (await sync(not_working, now=now + timedelta(seconds=1)))[stall.shop.pk]
        assert [each.stream for each in ill.late] == [Stream.ORDERS]

    async def test_counts_that_are_never_all_read_are_told(self, make: Make, engine: Engine) -> None:
        stall = await sync(make)
        now = await stand_still(engine, stall, Stream.COUNTS, lambda: None)
        # A wish that nobody fulfils: the number was read long ago, and the shop's stock says to wait with the next.
        await rest(engine)
        await sync(
            VariantStock.objects.filter(pk=stall.variant.pk).update,
            count_at=now - timedelta(days=1),
            want_no=1,
            want_after=now + timedelta(days=9),
        )
        cursor = await sync(Cursor.objects.get, connection=stall.shop, stream="counts")
        later = cursor.due_by + timedelta(seconds=1)
        engine.clock = lambda: later
        await sync(Cursor.objects.filter(connection=stall.shop).update, due_at=later, due_by=later + timedelta(days=1))
        await sync(Cursor.objects.filter(connection=stall.shop, stream="counts").update, due_by=cursor.due_by)
        engine.wake(stall.shop.party_id)
        await until(lambda: Cursor.objects.get(connection=stall.shop, stream="counts").due_at > later, what="the timer")
        await rest(engine)
        ill = (await sync(not_working, now=later + timedelta(seconds=1)))[stall.shop.pk]
        assert [each.stream for each in ill.late] == [Stream.COUNTS]

    async def test_when_it_goes_on_it_is_healthy_again(self, make: Make, engine: Engine) -> None:
        stall = await sync(make)
        now = await stand_still(engine, stall, Stream.ORDERS, lambda: None)
        await rest(engine)
        assert not await sync(not_working, now=now + timedelta(seconds=1))
