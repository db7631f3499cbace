"""Several statements in one round trip behave as if each had been sent alone."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.web.api.test_api import Program, order_for, token_for

from crossdock.store.models import IdempotentReply, Mail, Order, Party, Reservation
from crossdock.store.together import ask, insert_of, keys_of, send, update_of
from crossdock.store.work import PUMP, wake
from crossdock.usecases.stock.reservations import lock_with_promises
from databases import until_somebody_waits
from market import World, user

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def mail(cause: str) -> Mail:
    return Mail(cause=cause, to="a@example.test", subject="100 % of ‘it’", body="a; b %s\n\n;", written_at=NOON)


class TestAsking:
    def test_each_gives_what_it_gives_alone(self) -> None:
        order = World(units=3).buy()
        with CaptureQueriesContext(connection) as caught:
            whole, pairs, none, rows = ask(
                Order.objects.select_related("seller", "connection"),
                Reservation.objects.values_list("cause", "quantity"),
                Order.objects.filter(pk__in=[]),
                ("SELECT %(s)s, %(n)s::int", {"s": "50 %", "n": 7}),
            )
            assert whole == [order] and whole[0].seller.name and whole[0].ship_to == order.ship_to
        assert len(caught.captured_queries) == 1
        assert pairs == list(Reservation.objects.values_list("cause", "quantity"))
        assert (none, rows) == ([], [("50 %", 7)])

    def test_what_is_asked_after_a_lock_sees_what_the_lock_waited_for(self) -> None:
        """Otherwise the last unit could be promised twice."""
        world = World(units=5)
        order, locked = world.buy(), threading.Event()
        seen: list[int] = []

        def other() -> None:
            try:
                with transaction.atomic():
                    locked.set()
                    _, held = lock_with_promises([world.variant.pk])
                    seen.append(held[world.variant.pk])
            finally:
                connections.close_all()

        thread = threading.Thread(target=other)
        with transaction.atomic():
            lock_with_promises([world.variant.pk])
            thread.start()
            locked.wait()
            until_somebody_waits()
            Reservation.objects.filter(order=order).update(quantity=4)
        thread.join()
        assert seen == [4]


class TestWriting:
    def test_rows_with_their_keys_and_those_without(self) -> None:
        ((((key,),),),) = ask(keys_of({Mail: 1}))
        own, other = mail("a"), mail("b")
        own.pk = key
        with CaptureQueriesContext(connection) as caught:
            send([insert_of([own]), insert_of([other])])
        assert len(caught.captured_queries) == 1
        assert list(Mail.objects.order_by("cause").values_list("cause", "subject", "body")) == [
            ("a", own.subject, own.body),
            ("b", other.subject, other.body),
        ]
        assert Mail.objects.get(cause="a").pk == own.pk and own._state.adding is False
        own.sent_at, own.subject = NOON, "not this one"
        send([update_of(own, "sent_at")])
        assert Mail.objects.get(pk=own.pk).sent_at == NOON and Mail.objects.get(pk=own.pk).subject != "not this one"

    def test_one_that_is_refused_takes_all_of_them_back(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            send([insert_of([mail("a")]), insert_of([mail("a")])])
        assert not Mail.objects.exists()


class TestWakingUp:
    def test_the_job_is_what_the_library_would_have_written(self) -> None:
        party, other = (Party.objects.create(kind="notify", name=name) for name in ("a", "b"))
        app.configure_task(PUMP, queueing_lock=f"party:{party.pk}").defer(party_id=party.pk)
        wake([party.pk, other.pk, party.pk])
        columns = [field.attname for field in ProcrastinateJob._meta.concrete_fields]
        locks = [f"party:{party.pk}", f"party:{other.pk}"]
        theirs, ours = ProcrastinateJob.objects.filter(queueing_lock__in=locks).order_by("id").values(*columns)
        assert (theirs.pop("args"), ours.pop("args")) == ({"party_id": party.pk}, {"party_id": other.pk})
        assert [theirs.pop("queueing_lock"), ours.pop("queueing_lock")] == locks
        assert ours.pop("id") > theirs.pop("id") and ours == theirs


def test_an_old_answer_is_no_answer_any_more() -> None:
    """Housekeeping has not come by; the key is free all the same."""
    world = World(units=5)
    world.later()
    market = Program(token_for(None, user(is_staff=True)))
    first = market.post("/orders", order_for(world), key="k")
    IdempotentReply.objects.update(created_at=datetime.now(UTC) - timedelta(days=8))
    again = market.post("/orders", order_for(world, 2), key="k")
    assert first.status_code == 201 and "Idempotent-Replayed" not in again
    assert IdempotentReply.objects.get().created_at > datetime.now(UTC) - timedelta(days=1)
