"""A test order: every step ticked, nothing left behind, and nothing made twice, whatever is lost on the way."""
# ruff: noqa: F811

from datetime import UTC, datetime, timedelta

import pytest

from crossdock.domain.commands import Done, Refused, Unknown, Why
from crossdock.domain.trial_order import StepName
from crossdock.domain.values import Money
from crossdock.engine.engine import Engine
from crossdock.engine.shop import trying
from crossdock.kit.errors import NoAnswer
from crossdock.store.crash import TRIAL_POINTS
from crossdock.store.models import Alert, Command, Order, Reservation, VariantStock
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.shops.trial_orders import Trial, fit_for_trial, trials_of, try_order
from market import ADDRESS, user
from stall import Make, Stall, connector, engine, make, no_jobs, rest, sweep, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def ask(stall: Stall) -> None:
    try_order(
        connection=stall.shop,
        variant=stall.variant,
        ship_to=ADDRESS,
        actor=stall.seller.owner,
        now=datetime.now(UTC),
    )


async def played(stall: Stall, engine: Engine) -> Trial:
    await sync(ask, stall)
    engine.wake(stall.shop.party_id)
    await until(lambda: not trials_of(stall.shop)[0].running, what="the test order to end")
    await rest(engine)
    trial: Trial = (await sync(trials_of, stall.shop))[0]
    return trial


def ticks(trial: Trial) -> dict[str, bool | None]:
    return {step.name.value: step.ok for step in trial.order.steps}


ALL_WELL = dict.fromkeys((name.value for name in StepName), True)


async def test_every_step_is_ticked_and_nothing_is_left(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    trial = await played(stall, engine)
    assert ticks(trial) == ALL_WELL and trial.passed, trial
    (placed,) = stall.truth.orders.values()
    assert placed.cancelled and stall.truth.counts["v1"] == 1000
    assert trial.order.named == "#s1" and placed.reference.startswith("CD-TEST-")
    # It is no order here: nobody pays, nothing is held, nobody is told.
    assert not await sync(Order.objects.exists) and not await sync(Reservation.objects.exists)
    assert not await sync(Alert.objects.exists)


async def test_a_lost_answer_is_looked_for_and_nothing_is_made_twice(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    lost = [NoAnswer("cut off")]
    stall.truth.after_create = lambda command, outcome: lost.pop() if lost else outcome
    trial = await played(stall, engine)
    assert ticks(trial) == ALL_WELL, trial
    assert stall.truth.kinds().count("create") == 1 and "find" in stall.truth.kinds()
    assert trial.order.steps[1].sentence.startswith("It was found there")
    assert all(order.cancelled for order in stall.truth.orders.values())


async def test_one_that_is_found_without_its_units_was_taken_back(make: Make, engine: Engine) -> None:
    """Some shops take an order in several calls: what is found is asked whether it is whole, as every order is."""
    stall = await sync(make)
    lost = [NoAnswer("cut off")]
    stall.truth.after_create = lambda command, outcome: lost.pop() if lost else outcome
    stall.truth.answer_confirm = lambda found: Refused(Why.NO_STOCK, "The shop had no unit of it.")
    trial = await played(stall, engine)
    assert ticks(trial) == {"counted": True, "created": False} and not trial.order.stands
    assert all(order.cancelled for order in stall.truth.orders.values())


@pytest.mark.parametrize("which", ["order", "counts"])
async def test_a_reading_that_fails_goes_on_where_it_was(make: Make, engine: Engine, which: str) -> None:
    stall = await sync(make)
    troubles = [NoAnswer("cut off")]

    def answer(kind: str, _: str) -> BaseException | None:
        begun = "create" in stall.truth.kinds()
        return troubles.pop() if troubles and begun and kind == which else None

    stall.truth.answer_read = answer
    trial = await played(stall, engine)
    assert trial.passed and stall.truth.kinds().count("create") == 1, trial
    assert [step.name for step in trial.order.steps] == list(StepName), "each step stands once"


async def test_a_shop_that_refuses_says_why_and_nothing_stands(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_create = lambda command: Refused(Why.INVALID, "The postal code is wrong.")
    trial = await played(stall, engine)
    assert ticks(trial) == {"counted": True, "created": False} and not trial.passed and not trial.order.stands
    assert trial.sentence == "The postal code is wrong." and stall.truth.orders == {}
    assert not await sync(Alert.objects.exists), "the page says it; there is nothing to do in the shop"


async def test_one_that_cannot_be_cancelled_asks_its_seller(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.no_cancel = "It was invoiced."
    trial = await played(stall, engine)
    assert trial.order.stands and not trial.passed and ticks(trial)["cancelled"] is False
    alert = await sync(Alert.objects.get)
    assert "#s1 still stands" in alert.sentence and alert.connection_id == stall.shop.pk


async def test_a_product_that_is_gone_there_is_not_ordered(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.counts = {}
    trial = await played(stall, engine)
    assert ticks(trial) == {"counted": False} and "create" not in stall.truth.kinds()


async def test_another_total_there_is_told_and_it_is_cancelled_all_the_same(make: Make, engine: Engine) -> None:
    stall = await sync(make)

    def taxed(command: object, outcome: object) -> Done:
        (placed,) = stall.truth.orders.values()
        placed.total = Money(1190, "USD")
        return Done(placed.shop_id, f"#{placed.shop_id}", stock_taken=True)

    stall.truth.after_create = taxed
    trial = await played(stall, engine)
    assert ticks(trial) == {**ALL_WELL, "read_back": False} and not trial.passed
    assert "$10.00 here, $11.90 in the shop" in trial.order.steps[2].sentence
    assert all(order.cancelled for order in stall.truth.orders.values())


async def test_a_create_that_never_arrived_is_made_after_the_horizon_only(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    lost = [Unknown("cut off")]
    stall.truth.answer_create = lambda command: lost.pop() if lost else None
    await sync(ask, stall)
    engine.wake(stall.shop.party_id)
    await until(lambda: "find" in stall.truth.kinds(), what="the look")
    assert stall.truth.kinds().count("create") == 1
    await rest(engine)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    await sync(lambda: Command.objects.update(last_sent_at=long_ago, due_at=long_ago))
    assert stall.shop.party_id in await sweep(engine)
    await until(lambda: not trials_of(stall.shop)[0].running, what="the test order to end")
    assert stall.truth.kinds().count("create") == 2 and len(stall.truth.orders) == 1
    assert (await sync(trials_of, stall.shop))[0].passed


@pytest.mark.parametrize("name", TRIAL_POINTS)
async def test_a_worker_that_dies_is_followed_by_one_that_looks_first(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The command stands as a dead worker leaves it: in flight, with what was kept until then."""
    stall = await sync(make)
    dies = [name]

    def point(at: str) -> None:
        if [at] == dies:
            dies.clear()
            raise RuntimeError("killed")

    monkeypatch.setattr(trying, "point", point)
    await sync(ask, stall)
    engine.wake(stall.shop.party_id)
    await until(lambda: not dies, what=name)
    await rest(engine)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    left = {"state": "in_flight", "outcome": {"owner": "dead"}, "unresolved": False, "last_sent_at": long_ago}
    await sync(lambda: Command.objects.update(**left))
    engine.wake(stall.shop.party_id)
    await until(lambda: not trials_of(stall.shop)[0].running, what="the test order to end")
    trial = (await sync(trials_of, stall.shop))[0]
    assert trial.passed and len(stall.truth.orders) == 1, trial
    assert all(order.cancelled for order in stall.truth.orders.values()) and stall.truth.counts["v1"] == 1000


def test_pressed_twice_is_one_and_who_may(make: Make) -> None:
    stall = make()
    ask(stall)
    ask(stall)
    assert Command.objects.filter(kind="try_order").count() == 1
    Command.objects.update(state="done")
    with pytest.raises(NotAllowed):
        try_order(connection=stall.shop, variant=stall.variant, ship_to=ADDRESS, actor=user(), now=datetime.now(UTC))
    other = make()
    with pytest.raises(Invalid, match="this shop's products"):
        try_order(
            connection=stall.shop,
            variant=other.variant,
            ship_to=ADDRESS,
            actor=stall.seller.owner,
            now=datetime.now(UTC),
        )
    assert [each.variant for each in fit_for_trial(stall.shop, now=datetime.now(UTC))] == [stall.variant]
    VariantStock.objects.update(count=1)
    assert fit_for_trial(stall.shop, now=datetime.now(UTC)) == []
    with pytest.raises(Stale, match="Only 1"):
        ask(stall)
