"""What a use-case tells is one value until its end, and is written as if each had been written at once."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connections, transaction

from crossdock.domain.alerts import AlertCode, Group, MailChoice
from crossdock.store.models import Alert, AlertMail, Command, Mail, TimelineEntry
from crossdock.store.work import wake
from crossdock.usecases.orders import parcel_alerts
from crossdock.usecases.outcomes.endpoints import add_endpoint
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.record.written import Line, Raised, Settled, Writing
from market import World

pytestmark = pytest.mark.django_db(transaction=True)
DIFFERS, MISSING = AlertCode.STOCK_DIFFERS, AlertCode.TRACKING_MISSING


def at_once(world: World) -> None:
    for group in Group:
        AlertMail.objects.create(seller=world.seller, group=group, choice=MailChoice.AT_ONCE)


def listens(world: World) -> None:
    add_endpoint(
        seller=world.seller, actor=world.seller.owner, url="https://a.test/", name="", events=[], now=world.later()
    )


def events() -> list[str]:
    rows = Command.objects.filter(kind="send_event").order_by("pk")
    return [row.payload["body"]["type"] for row in rows]


class TestOneValue:
    def test_a_test_asks_what_is_told_before_anything_is_written(self) -> None:
        world = World()
        order = world.buy()
        order.shipments.create(parcel_id="p", source="shop", shipped_at=world.now)
        told = Telling(world.now)
        parcel_alerts.ask_about_parcels(order=order, told=told)
        raised, settled = told.said
        assert isinstance(raised, Raised) and isinstance(settled, Settled)
        assert (raised.alert.code, raised.if_changed) == (MISSING, True)
        assert not Alert.objects.exists()
        with transaction.atomic():
            told.write()
        assert Alert.objects.get().code == MISSING and told.said == []

    def test_what_trips_tells_nothing(self) -> None:
        world = World()
        order = world.buy()
        before = order.timeline.count()
        with suppress(RuntimeError), telling(world.now) as told:
            told.tell(order=order, source="shop", kind="x", sentence="S")
            raise RuntimeError
        assert order.timeline.count() == before

    def test_a_part_that_is_undone_is_not_told_and_the_rest_is(self) -> None:
        world = World()
        order = world.buy()
        with telling(world.now) as told:
            told.tell(order=order, source="shop", kind="x", sentence="before")
            with suppress(RuntimeError), telling(world.now, told) as part:
                part.tell(order=order, source="shop", kind="x", sentence="undone")
                raise RuntimeError
            told.tell(order=order, source="shop", kind="x", sentence="after")
        assert list(order.timeline.filter(kind="x").values_list("sentence", flat=True)) == ["before", "after"]

    def test_order_of_lines_mails_and_events_is_the_order_in_which_they_were_told(self) -> None:
        world = World()
        order = world.buy()
        at_once(world)
        listens(world)
        first = TimelineEntry.objects.latest("pk").pk
        with telling(world.later()) as told:
            told.tell(order=order, source="shop", kind="shipped", sentence="1")
            told.raise_alert(code=DIFFERS, seller=world.seller, sentence="2")
            told.write_mail(cause="m", to="a@b.test", subject="3", body="3", order=order)
            told.tell(order=order, source="shop", kind="rejected", sentence="4")
            told.settle_by_fact(codes=(DIFFERS,), how="5")
        rows = TimelineEntry.objects.filter(pk__gt=first).order_by("pk")
        assert list(rows.values_list("sentence", flat=True)) == ["1", "4"]
        assert events() == ["order.shipped", "alert.raised", "order.cancelled", "alert.settled"]
        kinds = list(Command.objects.order_by("pk").values_list("kind", flat=True))[-6:]
        assert kinds == ["send_event", "send_mail", "send_event", "send_mail", "send_event", "send_event"]
        assert Mail.objects.latest("pk").subject == "3"

    def test_an_event_says_how_the_order_was_when_it_was_told(self) -> None:
        world = World()
        order = world.buy()
        listens(world)
        with telling(world.later()) as told:
            told.tell(order=order, source="shop", kind="shipped", sentence="S")
            order.parcels = "shipped"
        assert Command.objects.get(kind="send_event").payload["body"]["data"]["order"]["parcels"] == "unshipped"


class TestAlerts:
    def both(self, world: World, say: Callable[[Telling], None]) -> Alert:
        with telling(world.later()) as told:
            say(told)
        return Alert.objects.latest("pk")

    def test_raised_twice_is_one_row_that_counts_and_one_mail(self) -> None:
        world = World()
        at_once(world)

        def twice(told: Telling) -> None:
            told.raise_alert(code=DIFFERS, seller=world.seller, sentence="first")
            told.raise_alert(code=DIFFERS, seller=world.seller, sentence="second")

        alert = self.both(world, twice)
        assert (alert.times, alert.sentence, Alert.objects.count()) == (2, "second", 1)
        assert "first" in Mail.objects.get().body

    def test_raised_and_settled_at_once_is_told_twice_and_does_not_stay_open(self) -> None:
        world = World()
        listens(world)

        def both(told: Telling) -> None:
            told.raise_alert(code=DIFFERS, seller=world.seller, sentence="S")
            told.settle_by_fact(codes=(DIFFERS,), how="H")
            told.raise_alert(code=DIFFERS, seller=world.seller, sentence="again")

        alert = self.both(world, both)
        assert alert.sentence == "again" and alert.settled_at is None
        assert Alert.objects.filter(settled_how="H", sentence="S").exists()
        assert events() == ["alert.raised", "alert.settled", "alert.raised"]

    def test_what_says_the_same_is_not_seen_again(self) -> None:
        world = World()

        def say(told: Telling) -> None:
            told.raise_alert(code=DIFFERS, seller=world.seller, sentence="S", evidence={"a": [1]}, if_changed=True)

        for _ in range(2):
            self.both(world, say)
        assert Alert.objects.get().times == 1

    def test_raised_by_somebody_else_meanwhile_it_is_counted_and_not_mailed_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()
        at_once(world)
        told = Telling(world.later())
        raised = told.raise_alert(code=DIFFERS, seller=world.seller, sentence="mine")
        good = Writing._settle_and_raise

        def late(self: Writing, opened: list[Alert]) -> None:
            good(self, opened)
            monkeypatch.undo()
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

        def other() -> None:
            try:
                raise_alert(code=DIFFERS, seller=world.seller, sentence="theirs", now=world.now)
            finally:
                connections.close_all()

        monkeypatch.setattr(Writing, "_settle_and_raise", late)
        with transaction.atomic():
            told.write()
        alert = Alert.objects.get()
        assert (alert, alert.times, alert.sentence) == (raised.alert, 2, "mine")
        assert Mail.objects.count() == 1


class TestWakeUps:
    def test_those_of_one_transaction_are_one_statement(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[list[int]] = []
        monkeypatch.setattr("crossdock.store.work.defer", sent.append)
        with transaction.atomic():
            wake([3])
            with transaction.atomic(savepoint=False):
                wake([1])
            wake([3, 2])
        assert sent == [[1, 2, 3]]

    def test_one_that_is_undone_takes_no_other_with_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[list[int]] = []
        monkeypatch.setattr("crossdock.store.work.defer", sent.append)
        with transaction.atomic():
            with suppress(RuntimeError), transaction.atomic():
                wake([1])
                raise RuntimeError
            wake([2])
        assert sent == [[2]]


def test_lines_are_values() -> None:
    world = World()
    order = world.buy()
    told = Telling(world.now)
    told.tell(order=order, source="shop", kind="landed", sentence="S")
    (line,) = told.said
    assert isinstance(line, Line) and line.news is not None and line.entry.sentence == "S"
