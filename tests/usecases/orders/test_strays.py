"""An order that arrives in the shop after everybody gave it up: later than the look-up's horizon allows.

The poll finds it by our reference, and nobody ships it in vain.
"""
# ruff: noqa: F811

from datetime import UTC, datetime

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason, Refused, Why
from crossdock.engine.engine import Engine
from crossdock.store.models import Alert, Command, Order, Reservation
from crossdock.usecases.orders import snapshots
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.orders.snapshots import receive_orders
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import Placed, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


async def refused(make: Make, engine: Engine) -> tuple[Stall, Order]:
    """The shop refused the only attempt that we know of."""
    stall = await sync(make)
    stall.truth.answer_create = lambda command: Refused(Why.NO_STOCK, "There is none left.")
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "refused", what="the refusal")
    await rest(engine)
    stall.truth.answer_create = None
    return stall, order


async def arrives_late(stall: Stall, order: Order, connector: ToyConnector) -> None:
    stall.truth.orders["s7"] = Placed("s7", order.reference, {"v1": 1}, order.total)
    await sync(
        receive_orders,
        connection_id=stall.shop.pk,
        orders=[connector._order(stall.truth.orders["s7"])],
        manifest=connector.manifest,
        now=datetime.now(UTC),
    )


async def test_an_order_that_is_cancelled_here_is_cancelled_there_too(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    stall, order = await refused(make, engine)
    await sync(order.refresh_from_db)
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=None,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    await arrives_late(stall, order, connector)
    old = connector._order(stall.truth.orders["s7"])
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.orders["s7"].cancelled, what="the orphan to be cancelled")
    await rest(engine)
    # An old page says once more that it is open.
    await sync(
        receive_orders, connection_id=stall.shop.pk, orders=[old], manifest=connector.manifest, now=datetime.now(UTC)
    )
    assert await sync(Command.objects.filter(kind="cancel_order", payload__shop_order_id="s7").count) == 1
    told = await sync(Alert.objects.get, code=AlertCode.ORDER_DOUBLE, order=order)
    assert "arrived in your shop late" in told.sentence
    assert told.settled_at is not None, "nothing is left to do"
    assert not await sync(Reservation.objects.filter(order=order).exclude(state="ended").exists)


async def test_an_order_that_is_open_here_is_kept(make: Make, engine: Engine, connector: ToyConnector) -> None:
    stall, order = await refused(make, engine)
    assert await sync(Alert.objects.filter(order=order, code=AlertCode.ORDER_REFUSED, settled_at=None).exists)
    await arrives_late(stall, order, connector)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the late copy to be read back")
    await rest(engine)
    assert (await sync(copy_of, order)).shop_order_id == "s7"
    assert not stall.truth.orders["s7"].cancelled, "the buyer waits for it"
    assert not await sync(Alert.objects.filter(order=order, settled_at=None).exists), "nothing is left to decide"
    assert not await sync(Command.objects.filter(kind="cancel_order").exists)


async def test_while_the_create_is_being_settled_nothing_is_concluded(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    """The look-up decides, or there would be two who do."""
    stall, order = await refused(make, engine)
    await sync(Command.objects.filter(cause=f"create:{order.reference}").update, state="waiting")
    await arrives_late(stall, order, connector)
    assert (await sync(copy_of, order)).shop_order_id == ""
    assert not await sync(Command.objects.filter(kind="cancel_order").exists)


async def test_a_page_from_before_the_answer_is_no_double(make: Make, engine: Engine, connector: ToyConnector) -> None:
    """The poll saw the order before its create was settled here, and takes the page in afterwards."""
    stall = await sync(make)
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    shop_id = (await sync(copy_of, order)).shop_order_id
    await sync(snapshots._stray, stall.shop.pk, connector._order(stall.truth.orders[shop_id]), now=datetime.now(UTC))
    assert not await sync(Command.objects.filter(kind="cancel_order").exists)
    assert not await sync(Alert.objects.filter(order=order).exists)
