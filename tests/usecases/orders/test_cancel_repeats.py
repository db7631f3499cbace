"""Where two calls at once are both carried out, a cancel whose answer was lost is looked for, and sent again only when
the first can be carried out no more.
"""

# ruff: noqa: F811

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crossdock.domain.commands import CancelOrder, CancelReason, Outcome, Unknown
from crossdock.engine.engine import Engine
from crossdock.kit.connector import Shop
from crossdock.store.models import Command, Order
from crossdock.usecases.outbox.queue import cancel_order_command
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("doubles", [True, False], ids=["two at once do harm", "repeating is harmless"])
async def test_a_cancel_without_an_answer(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, doubles: bool
) -> None:
    stall = await sync(make)
    order = await sync(stall.buy, 2)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    connector.manifest = replace(connector.manifest, repeats_double=doubles)
    looks: list[bool] = []
    cancel = connector.cancel

    async def unheard(shop: Shop, command: CancelOrder) -> Outcome:
        """The first never arrives."""
        looks.append(command.only_look)
        if len(looks) == 1 or command.only_look:
            return Unknown("The connection broke.", 0.05)
        return await cancel(shop, command)

    monkeypatch.setattr(connector, "cancel", unheard)
    command = await sync(_ask, stall, order)
    engine.wake(stall.shop.party_id)
    if doubles:
        await until(lambda: len(looks) >= 3, what="two looks")
        assert looks[0] is False
        assert all(looks[1:])
        assert not stall.truth.orders[copy_id(await sync(copy_of, order))].cancelled
        long_ago = datetime.now(UTC) - timedelta(minutes=5)
        await rest(engine)
        await sync(Command.objects.filter(pk=command.pk).update, last_sent_at=long_ago, due_at=long_ago)
        engine.wake(stall.shop.party_id)
    await until(lambda: Command.objects.get(pk=command.pk).state == "done", what="the cancel")
    assert looks.count(False) == 2
    assert doubles or looks == [False, False]
    assert not stall.truth.standing(order.reference)


def copy_id(copy: object) -> str:
    return str(copy.shop_order_id)


def _ask(stall: Stall, order: Order) -> Command:
    asked = CancelOrder(order.reference, copy_id(copy_of(order)), CancelReason.BUYER_ASKED)
    cause = f"cancel:{order.reference}"
    cancel_order_command(party=stall.shop.party, command=asked, cause=cause, now=datetime.now(UTC))
    return Command.objects.get(cause=cause)
