"""Units taken out of an order that stays open.

Looked for after a lost answer, taken once, and the rest is read back.
"""

# ruff: noqa: F811

from datetime import UTC, datetime, timedelta

import pytest

from crossdock.domain.commands import CancelLines, CancelReason, Unknown
from crossdock.engine.engine import Engine
from crossdock.store.models import Command, Order
from crossdock.usecases.outbox.queue import cancel_lines_command
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import Truth

pytestmark = pytest.mark.django_db(transaction=True)


async def landed(make: Make, engine: Engine, quantity: int = 3) -> tuple[Stall, Order]:
    stall = await sync(make)
    order = await sync(stall.buy, quantity)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    return stall, order


def ask(stall: Stall, order: Order, units: int = 1) -> Command:
    command = CancelLines(order.reference, "", (("v1", units),), CancelReason.DAMAGED, f"part:{order.reference}:1")
    cancel_lines_command(party=stall.shop.party, command=command, now=datetime.now(UTC))
    return Command.objects.get(cause=f"take:{command.key}")


def left(truth: Truth, order: Order) -> int:
    (standing,) = truth.standing(order.reference)
    return standing.lines["v1"]


def finished(command: Command) -> bool:
    return Command.objects.get(pk=command.pk).state == "done"


async def test_the_shops_id_is_filled_in_and_the_units_leave_once(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    command = await sync(ask, stall, order)
    await sync(ask, stall, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: finished(command), what="the units to leave")
    await rest(engine)
    assert left(stall.truth, order) == 2
    assert stall.truth.kinds().count("take") == 1
    assert stall.truth.kinds()[stall.truth.kinds().index("take") :].count("order") == 1, "the rest is read back"


async def test_a_lost_answer_is_looked_for_and_found(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    stall.truth.after_take = lambda command, outcome: Unknown("The reply was lost.", 0.05)
    command = await sync(ask, stall, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: finished(command), what="the look to find it")
    assert left(stall.truth, order) == 2
    assert (stall.truth.kinds().count("take"), stall.truth.kinds().count("look")) == (1, 1)


async def test_not_found_is_not_believed_before_the_horizon_and_sent_again_after_it(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)

    def lost_before(command: CancelLines) -> Unknown | None:
        return Unknown("The connection broke.", 0.05) if stall.truth.kinds().count("take") == 1 else None

    stall.truth.before_take = lost_before
    command = await sync(ask, stall, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.kinds().count("look") >= 2, what="two looks")
    assert left(stall.truth, order) == 3 and stall.truth.kinds().count("take") == 1
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    await sync(Command.objects.filter(pk=command.pk).update, last_sent_at=long_ago)
    await rest(engine)
    await sync(Command.objects.filter(pk=command.pk).update, last_sent_at=long_ago, due_at=long_ago)
    engine.wake(stall.shop.party_id)
    await until(lambda: finished(command), what="the second sending")
    assert left(stall.truth, order) == 2
    assert stall.truth.kinds().count("take") == 2
    assert (await sync(Command.objects.get, pk=command.pk)).attempts == 2


async def test_of_an_order_that_never_reached_the_shop_nothing_is_taken(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    order = await sync(stall.buy, 2)
    await sync(Command.objects.filter(cause=f"create:{order.reference}").delete)
    command = await sync(ask, stall, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: finished(command), what="the end of it")
    assert (await sync(Command.objects.get, pk=command.pk)).result == "refused"
    assert "take" not in stall.truth.kinds()
