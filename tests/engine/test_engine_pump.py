"""The pump: wake-ups never lost, orders of one shop in line but shops side by side, look before repeat, leases of the
dead taken over.
"""
# ruff: noqa: F811

import asyncio
import itertools
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability, No, Pace
from crossdock.domain.commands import CancelReason, Later, Refused, SignInAgain, Unknown, Why
from crossdock.engine.contain import MOST_SECONDS
from crossdock.engine.engine import Engine
from crossdock.engine.shop.commands import FRESH
from crossdock.store.models import Alert, Command, Connection, Order, Party, Reservation, ShopCopy, VariantStock
from crossdock.store.vault import unseal
from crossdock.usecases.orders.actions import resend_command
from crossdock.usecases.outcomes import claims
from crossdock.usecases.parties import leases
from crossdock.usecases.stock import reservations
from crossdock_lab.patience import patient
from stall import Make, connector, copy_of, engine, make, no_jobs, rest, started, stopped, sweep, sync, until  # noqa: F401
from toy import Placed, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_kill_between_commit_and_wake_up_is_found_by_the_sweep(
    make: Make, engine: Engine, no_jobs: list[int]
) -> None:
    stall = await sync(make)
    order = await sync(stall.buy)
    assert stall.shop.party_id in no_jobs, "placing an order wakes its shop"
    assert stall.truth.calls == []
    assert stall.shop.party_id in await sweep(engine)
    await until(lambda: copy_of(order).state == "equal", what="the order to be read back")
    assert len(stall.truth.standing(order.reference)) == 1
    await rest(engine)
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.lease_owner == "" and party.lease_until is None, "the pump exits cleanly"
    assert stall.shop.party_id not in await sweep(engine)


async def test_after_landing_the_order_is_read_back_and_the_count_read(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    await sync(stall.buy, 3)
    engine.wake(stall.shop.party_id)
    await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).count == 997, what="the count")
    await rest(engine)
    assert "order" in stall.truth.kinds() and "counts" in stall.truth.kinds()
    assert not await sync(Reservation.objects.exclude(state="ended").exists), "the read after the fence ends the hold"
    assert await sync(reservations.availability, variants=[stall.variant], now=datetime.now(UTC)) == {
        stall.variant.pk: 997
    }


@pytest.mark.parametrize("first", ["create", "cancel"])
async def test_commands_of_one_order_run_in_order(make: Make, engine: Engine, first: str) -> None:
    """A reject while the create is in the air: created once, then cancelled, whichever answer comes first."""
    from crossdock.usecases.orders.reject import reject_order

    stall = await sync(make)
    stall.truth.seconds = 0.3
    order = await sync(stall.buy)
    if first == "create":
        engine.wake(stall.shop.party_id)
        await until(lambda: "create" in stall.truth.kinds(), what="the create to be sent")
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.OTHER,
        actor=None,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert stall.truth.standing(order.reference) == []
    if first == "create":
        assert stall.truth.kinds().index("create") < stall.truth.kinds().index("cancel")
    else:
        assert "create" not in stall.truth.kinds(), "a command that was never sent is withdrawn"
    assert stall.truth.counts["v1"] == 1000


@pytest.mark.parametrize("steps", sorted(set(itertools.permutations("AABB"))), ids="".join)
async def test_two_orders_of_one_shop_interleaved_in_every_order(
    make: Make, engine: Engine, steps: tuple[str, ...]
) -> None:
    """Each letter is one step of that order: placed, then woken for. Both land once, however the steps fall."""
    stall = await sync(make)
    orders: dict[str, Order] = {}
    for letter in steps:
        if letter in orders:
            engine.wake(stall.shop.party_id)
            await asyncio.sleep(0)
        else:
            orders[letter] = await sync(stall.buy)
    await until(lambda: all(copy_of(order).state == "equal" for order in orders.values()), what="both orders")
    assert [len(stall.truth.standing(order.reference)) for order in orders.values()] == [1, 1]
    assert stall.truth.kinds().count("create") == 2


async def test_a_hundred_orders_of_one_shop_do_not_wait_for_each_other(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    connector.manifest = replace(connector.manifest, pace=Pace(per_second=1000, burst=1000, parallel=25))
    stall = await sync(make)
    stall.truth.seconds = 0.3
    orders = await sync(lambda: [stall.buy() for _ in range(100)])
    begun = time.monotonic()
    engine.wake(stall.shop.party_id)
    await until(lambda: ShopCopy.objects.filter(state="equal").count() == 100, seconds=60, what="a hundred orders")
    took = time.monotonic() - begun
    in_line = 100 * 2 * 0.3
    print(
        f"\n100 orders, 0.3 s an answer, two calls each: {took:.1f} s, {in_line / took:.1f} times faster than in line"
    )
    assert stall.truth.most_at_once >= 20
    assert all(len(stall.truth.standing(order.reference)) == 1 for order in orders)


async def test_one_slow_shop_does_not_hold_up_another(make: Make, engine: Engine) -> None:
    slow, quick = await sync(make), await sync(make)
    slow.truth.seconds = 4.0
    await sync(slow.buy)
    order = await sync(quick.buy)
    engine.wake(slow.shop.party_id)
    await until(lambda: slow.truth.kinds() == ["create"])
    engine.wake(quick.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the quick shop")
    assert (slow.truth.kinds(), slow.truth.at_once) == (["create"], 1), "the slow one has not answered yet"
    slow.truth.seconds = 0.0


async def test_a_wake_up_reaches_a_running_pump_at_once(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.seconds = 2.0
    await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: "create" in stall.truth.kinds())
    second = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: any(which == second.reference for _, which, _ in stall.truth.calls), what="the second order")
    assert stall.truth.at_once >= 2, "the first one is still in flight"
    stall.truth.seconds = 0.0


async def test_a_wake_up_that_meets_another_workers_lease_is_seen_by_its_holder(make: Make, engine: Engine) -> None:
    other = await started()
    try:
        stall = await sync(make)
        stall.truth.seconds = 2.0
        await sync(stall.buy)
        engine.wake(stall.shop.party_id)
        await until(lambda: "create" in stall.truth.kinds())
        second = await sync(stall.buy)
        other.wake(stall.shop.party_id)
        await until(
            lambda: any(which == second.reference for _, which, _ in stall.truth.calls),
            what="the second order to be sent",
        )
        assert stall.truth.at_once >= 2, "while something is in flight the holder looks again and again"
        stall.truth.seconds = 0.0
        await rest(other)
        await until(lambda: copy_of(second).state == "equal")
        assert len(stall.truth.standing(second.reference)) == 1
    finally:
        await stopped(other)


async def test_the_lease_of_a_dead_worker_is_taken_over_and_its_order_adopted(make: Make) -> None:
    stall = await sync(make)
    order = await sync(stall.buy)
    # The dead worker: it held the lease, had claimed and sent, and the shop did the work.
    now = datetime.now(UTC)
    await sync(leases.take_lease, party_id=stall.shop.party_id, owner="dead", seconds=3, now=now)
    await sync(claims.claim_commands, party_id=stall.shop.party_id, owner="dead", limit=5, now=now)
    stall.truth.counts["v1"] -= 1
    stall.truth.orders["s9"] = Placed("s9", order.reference, {"v1": 1}, order.total)
    engine = await started()
    try:
        assert stall.shop.party_id not in await sweep(engine), "while the lease lasts nobody else touches the shop"
        assert stall.truth.calls == []
        await asyncio.sleep(3.1)
        assert stall.shop.party_id in await sweep(engine)
        await until(lambda: copy_of(order).state == "equal", what="the adoption")
        copy = await sync(copy_of, order)
        assert (copy.shop_order_id, copy.adopted) == ("s9", True)
        assert "create" not in stall.truth.kinds(), "what may have been sent is looked for, not sent again"
    finally:
        await stopped(engine)


async def test_a_lost_lease_stops_sending(make: Make) -> None:
    engine = await started(lease_seconds=0.4)
    try:
        stall = await sync(make)
        stall.truth.seconds = 1.5
        order = await sync(stall.buy)
        engine.wake(stall.shop.party_id)
        await until(lambda: "create" in stall.truth.kinds())
        await sync(
            Party.objects.filter(pk=stall.shop.party_id).update,
            lease_owner="thief",
            lease_until=datetime.now(UTC) + timedelta(seconds=60),
        )
        await rest(engine, 1.0)
        party = await sync(Party.objects.get, pk=stall.shop.party_id)
        assert party.lease_owner == "thief", "somebody else's lease is not released"
        command = await sync(Command.objects.get, cause=f"create:{order.reference}")
        assert command.state == "in_flight", "the new holder finds it in flight and looks first"
    finally:
        await stopped(engine)


async def test_a_lost_reply_is_looked_up_and_adopted(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.after_create = lambda command, outcome: Unknown("The reply was lost.")
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the adoption")
    assert stall.truth.kinds().count("create") == 1
    assert (await sync(copy_of, order)).adopted
    assert len(stall.truth.standing(order.reference)) == 1


async def test_found_without_its_units_it_is_refused_for_good(make: Make, engine: Engine) -> None:
    """As when the answer had come: the shop took it back, the seller is told, the units stay unsold, and nothing is
    created again.
    """
    stall = await sync(make)
    stall.truth.after_create = lambda command, outcome: Unknown("The reply was lost.")
    stall.truth.answer_confirm = lambda found: Refused(Why.NO_STOCK, "The shop has not enough of it.", ("v1",))
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "refused", what="the refusal")
    await rest(engine)
    command = await sync(Command.objects.get, cause=f"create:{order.reference}")
    assert (command.state, command.result, command.unresolved) == ("done", "refused", False)
    kinds = stall.truth.kinds()
    assert (kinds.count("create"), kinds.count("confirm")) == (1, 1)
    assert not stall.truth.standing(order.reference)
    assert (await sync(copy_of, order)).shop_order_id == ""
    assert await sync(Alert.objects.filter(code=AlertCode.ORDER_REFUSED, order=order, settled_at=None).exists)
    assert await sync(Reservation.objects.filter(order=order).exclude(state="ended").exists), "the units stay held"


async def test_what_was_found_is_looked_at_again_until_it_can_be_said(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.after_create = lambda command, outcome: Unknown("The reply was lost.")
    answers = [Later("Slow down.", 0.05), Unknown("No answer.", 0.05), None]
    stall.truth.answer_confirm = lambda found: answers.pop(0)
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the adoption")
    kinds = stall.truth.kinds()
    assert (kinds.count("create"), kinds.count("confirm"), kinds.count("find")) == (1, 3, 3)
    assert len(stall.truth.standing(order.reference)) == 1


async def test_what_can_never_be_looked_at_is_kept_after_the_horizon(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.after_create = lambda command, outcome: Unknown("The reply was lost.")
    stall.truth.answer_confirm = lambda found: Later("Not now.", 0.05)
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.kinds().count("confirm") >= 2, what="two looks")
    await sync(
        Command.objects.filter(cause=f"create:{order.reference}").update,
        last_sent_at=datetime.now(UTC) - timedelta(seconds=MOST_SECONDS + 1),
    )
    await until(lambda: copy_of(order).state == "equal", what="the adoption")
    assert stall.truth.kinds().count("create") == 1


@pytest.mark.parametrize("late", [False, True], ids=["several", "late"])
async def test_beside_others_or_late_it_is_not_judged(make: Make, engine: Engine, late: bool) -> None:
    """Together they may have too few units, and one alone enough.

    And what stood there for long its seller may be packing.
    """
    stall = await sync(make)
    stall.truth.answer_confirm = lambda found: Refused(Why.NO_STOCK, "The shop has not enough of it.", ("v1",))
    order = await sync(stall.buy)
    for shop_id in ("s8",) if late else ("s8", "s9"):
        stall.truth.orders[shop_id] = Placed(shop_id, order.reference, {"v1": 1}, order.total)
    await sync(
        Command.objects.filter(cause=f"create:{order.reference}").update,
        unresolved=True,
        attempts=1,
        last_sent_at=datetime.now(UTC) - (FRESH if late else timedelta(0)),
    )
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the adoption")
    await until(lambda: late or stall.truth.orders["s9"].cancelled, what="the second copy to be cancelled")
    assert not stall.truth.orders["s8"].cancelled and "confirm" not in stall.truth.kinds()


async def test_a_connector_that_stumbles_loses_nothing(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.after_create = lambda command, outcome: KeyError("a bug in the mapper")
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the adoption")
    assert stall.truth.kinds().count("create") == 1


async def test_none_found_before_the_horizon_is_not_believed(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    """The create is still on its way while we look: no second one may be sent."""
    stall = await sync(make)
    connector.manifest = replace(
        connector.manifest, answers={**connector.manifest.answers, Capability.REFERENCE_UNIQUE: No("no")}
    )
    stall.truth.answer_create = lambda command: Unknown("The connection broke.")
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.kinds().count("find") >= 2, what="two look-ups")
    assert stall.truth.kinds().count("create") == 1
    command = await sync(Command.objects.get, cause=f"create:{order.reference}")
    assert command.unresolved
    assert await sync(Reservation.objects.filter(order=order).exclude(state="ended").exists), "the units stay held"


async def test_doubles_are_cancelled_and_told(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    order = await sync(stall.buy)
    for shop_id in ("s8", "s9"):
        stall.truth.orders[shop_id] = Placed(shop_id, order.reference, {"v1": 1}, order.total)
    await sync(
        Command.objects.filter(cause=f"create:{order.reference}").update,
        unresolved=True,
        attempts=1,
        last_sent_at=datetime.now(UTC),
    )
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.orders["s9"].cancelled, what="the second copy to be cancelled")
    assert not stall.truth.orders["s8"].cancelled
    assert await sync(Alert.objects.filter(code=AlertCode.ORDER_DOUBLE, order=order).exists)


async def test_retry_after_is_obeyed_by_all_of_a_shop(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_create = lambda command: Later("Slow down.", 200.0)
    orders = await sync(lambda: [stall.buy() for _ in range(40)])
    engine.wake(stall.shop.party_id)
    await rest(engine)
    sent = stall.truth.kinds().count("create")
    assert sent <= 8, "the others don't each try"
    stall.truth.answer_create = lambda command: None
    for waited in (0, 0, 0, 50, 100):
        # The clock is moved: nothing here depends on how fast the machine is.
        engine.clock = lambda waited=waited: datetime.now(UTC) + timedelta(seconds=waited)  # type: ignore[misc]
        engine.wake(stall.shop.party_id)
        await rest(engine)
    assert stall.truth.kinds().count("create") == sent, "not even a wake-up shortens the wait"
    engine.clock = lambda: datetime.now(UTC) + timedelta(seconds=400)
    engine.wake(stall.shop.party_id)
    await until(lambda: ShopCopy.objects.filter(state="equal").count() == 40, what="all of them")
    assert all(len(stall.truth.standing(order.reference)) == 1 for order in orders)


async def test_an_unreachable_shop_rests_longer_each_time(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_create = lambda command: Later("It does not accept connections.")
    await sync(lambda: [stall.buy() for _ in range(30)])
    engine.wake(stall.shop.party_id)
    await until(lambda: Party.objects.get(pk=stall.shop.party_id).failures >= 2, seconds=15, what="a second failure")
    assert stall.truth.kinds().count("create") <= 8 + 1, "after a failure one command tries, not all"
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.failing_since is not None and party.last_error == "It does not accept connections."
    stall.truth.answer_create = lambda command: None
    await until(
        lambda: ShopCopy.objects.filter(state="equal").count() == 30, seconds=20, what="all orders once it is back"
    )
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.failures == 0 and party.failing_since is None


async def test_needs_reauth_stops_and_says_so(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_create = lambda command: SignInAgain("The key was revoked.")
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: Connection.objects.get(pk=stall.shop.pk).state == "needs_reauth", what="the connection to stop")
    await rest(engine)
    sent = len(stall.truth.calls)
    engine.wake(stall.shop.party_id)
    assert stall.shop.party_id not in await sweep(engine)
    await rest(engine)
    assert len(stall.truth.calls) == sent, "nothing more is sent"
    alert = await sync(Alert.objects.get, code=AlertCode.SIGN_IN_AGAIN, connection=stall.shop)
    assert "The key was revoked." in alert.sentence
    command = await sync(Command.objects.get, cause=f"create:{order.reference}")
    assert command.state == "waiting", "the order waits for the seller"


async def test_renewed_credentials_are_tried_before_the_seller_is_bothered(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.renew_at = datetime.now(UTC) + timedelta(hours=1)
    stall.truth.answer_create = lambda command: SignInAgain("Token expired.") if stall.truth.renewals == 0 else None
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order")
    shop = await sync(Connection.objects.get, pk=stall.shop.pk)
    assert shop.state == "active" and unseal(shop.secrets)["key"] == "k1"
    assert stall.truth.renewals == 1


async def test_a_token_is_renewed_before_it_ends_by_one_refresher(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.renew_at = datetime.now(UTC) - timedelta(seconds=1)
    await sync(lambda: [stall.buy() for _ in range(8)])
    engine.wake(stall.shop.party_id)
    await until(lambda: ShopCopy.objects.filter(state="equal").count() == 8, what="the orders")
    assert stall.truth.kinds().count("renew") == 1
    assert stall.truth.kinds()[0] == "renew", "before anything else"


async def test_a_graceful_stop_finishes_what_is_in_flight(make: Make) -> None:
    engine = await started()
    stall = await sync(make)
    stall.truth.seconds = 0.5
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: "create" in stall.truth.kinds())
    await stopped(engine)
    command = await sync(Command.objects.get, cause=f"create:{order.reference}")
    assert (command.state, command.result) == ("done", "ok")
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.lease_owner == ""


async def test_an_impatient_stop_gives_back_what_was_not_sent_and_marks_the_rest_unknown(make: Make) -> None:
    engine = await started()
    stall = await sync(make)
    stall.truth.seconds = 3600
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: "create" in stall.truth.kinds())
    looking = await sync(stall.buy)
    await sync(
        Command.objects.filter(cause=f"create:{looking.reference}").update,
        unresolved=True,
        attempts=1,
        last_sent_at=datetime.now(UTC),
    )
    engine.wake(stall.shop.party_id)
    await until(lambda: "find" in stall.truth.kinds())
    begun = time.monotonic()
    await stopped(engine, grace=0.3)
    assert time.monotonic() - begun < patient(25), "the shop answers after an hour"
    sent = await sync(Command.objects.get, cause=f"create:{order.reference}")
    assert (sent.state, sent.unresolved) == ("waiting", True)
    given_back = await sync(Command.objects.get, cause=f"create:{looking.reference}")
    assert (given_back.state, given_back.unresolved, given_back.attempts) == ("waiting", True, 1)
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.lease_owner == "", "another worker can start at once"


async def test_a_dead_command_is_visible_and_can_be_sent_again(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_create = lambda command: Later("Broken.", 0.05)
    order = await sync(stall.buy)
    await sync(
        Command.objects.filter(cause=f"create:{order.reference}").update,
        created_at=datetime.now(UTC) - timedelta(days=3),
    )
    engine.wake(stall.shop.party_id)
    await until(
        lambda: Command.objects.get(cause=f"create:{order.reference}").state == "dead",
        what="the command to be given up",
    )
    assert await sync(Alert.objects.filter(code=AlertCode.COMMAND_DEAD, order=order).exists)
    await rest(engine)
    stall.truth.answer_create = lambda command: None
    command = await sync(Command.objects.get, cause=f"create:{order.reference}")
    owner = await sync(lambda: stall.shop.seller.owner)
    await sync(resend_command, command=command, actor=owner, now=datetime.now(UTC))
    await asyncio.sleep(0.2)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order sent again")
    assert len(stall.truth.standing(order.reference)) == 1
