"""S3's races, each through the real path, with its sentence in the timeline: here, there, both, too early, too late,
deleted, opened again.
"""
# ruff: noqa: F811

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crossdock.domain.capability import Capability, No
from crossdock.domain.commands import CancelReason, Done
from crossdock.domain.events import Parcel, ShopOrder, ShopOrderState
from crossdock.engine.engine import Engine
from crossdock.store.models import Alert, Command, Order, Reservation, ShopCopy, VariantStock
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.orders.snapshots import receive_orders
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alerts_only(connector: ToyConnector) -> None:
    """A platform on which a cancel in the shop changes nothing here by itself."""
    answers = {**connector.manifest.answers, Capability.CANCEL_THERE_CANCELS_HERE: No("It raises an alert.")}
    connector.manifest = replace(connector.manifest, answers=answers)


async def landed(make: Make, engine: Engine, quantity: int = 2) -> tuple[Stall, Order]:
    stall = await sync(make)
    order = await sync(stall.buy, quantity)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    return stall, order


def reject(order: Order) -> None:
    order.refresh_from_db()
    reject_order(
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=order.seller.owner,
        expected_total=order.total,
        now=datetime.now(UTC),
    )


async def look(stall: Stall, engine: Engine, order: Order) -> Order:
    """The shop's copy is read again, and its count."""
    await sync(ShopCopy.objects.filter(order=order).update, read_wanted=True)
    engine.wake(stall.shop.party_id)
    await until(lambda: not copy_of(order).read_wanted, what="the copy to be read")
    await until(lambda: not VariantStock.objects.get(pk=stall.variant.pk).want_no, what="the count to be read")
    await rest(engine)
    await sync(order.refresh_from_db)
    return order


def placed(stall: Stall, order: Order) -> str:
    return str(copy_of(order).shop_order_id)


def told(order: Order) -> str:
    return " | ".join(order.timeline.values_list("sentence", flat=True))


def open_alerts(order: Order) -> set[str]:
    return set(Alert.objects.filter(order=order, settled_at=None).values_list("code", flat=True))


def cancel_there(stall: Stall, shop_id: str, *, restock: bool = True) -> None:
    order = stall.truth.orders[shop_id]
    order.cancelled = True
    for variant, units in order.lines.items() if restock else ():
        stall.truth.counts[variant] += units


async def test_cancelled_here_while_it_is_being_created_there(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.seconds = 0.4
    order = await sync(stall.buy, 2)
    engine.wake(stall.shop.party_id)
    await until(lambda: "create" in stall.truth.kinds(), what="the create to leave")
    await sync(reject, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "cancelled", what="the cancel in the shop")
    await until(lambda: not VariantStock.objects.get(pk=stall.variant.pk).want_no, what="the count to be read")
    await rest(engine)
    assert stall.truth.standing(order.reference) == [] and stall.truth.counts["v1"] == 1000
    assert [kind for kind in stall.truth.kinds() if kind in ("create", "cancel")] == ["create", "cancel"]
    assert "may just be being created in the shop" in await sync(told, order)
    assert await sync(Command.objects.filter(kind="refund_payment").count) == 1
    assert not await sync(Reservation.objects.exclude(state="ended").exists)


async def test_cancelled_before_it_ever_reached_the_shop(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    order = await sync(stall.buy, 2)
    await sync(reject, order)
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert stall.truth.orders == {} and "create" not in stall.truth.kinds()
    assert "It was never sent to the shop" in await sync(told, order)
    assert not await sync(Reservation.objects.exclude(state="ended").exists), "what was never sent is free at once"


async def test_cancelled_there_cancels_here_where_the_platform_says_so(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    cancel_there(stall, await sync(placed, stall, order))
    await look(stall, engine, order)
    assert order.cancelled_at is not None and order.money == "credited"
    assert await sync(open_alerts, order) == set()
    assert "cancel" not in stall.truth.kinds(), "nothing is left to cancel there"
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).count == 1000


async def test_elsewhere_it_alerts_blocks_shipping_and_one_button_settles_it(
    make: Make, engine: Engine, alerts_only: None
) -> None:
    """Its units sell again in the shop, so nobody may ship them to this buyer (stock protocol, "deliberate")."""
    stall, order = await landed(make, engine)
    cancel_there(stall, await sync(placed, stall, order))
    await look(stall, engine, order)
    assert order.cancelled_at is None and await sync(open_alerts, order) == {"cancelled_in_shop"}
    with pytest.raises(NotAllowed, match="cancelled in your shop"):
        await sync(
            ship_by_hand,
            order=order,
            lines=None,
            tracking="",
            carrier="",
            actor=stall.seller.owner,
            now=datetime.now(UTC),
        )
    await sync(reject, order)
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert await sync(open_alerts, order) == set()
    assert "cancel" not in stall.truth.kinds() and stall.truth.adjusted == [] and stall.truth.counts["v1"] == 1000


async def test_cancelled_on_both_sides_at_once(make: Make, engine: Engine) -> None:
    """Credited once, put back once by the shop, nothing adjusted by us; the timeline says both."""
    stall, order = await landed(make, engine)
    shop_id = await sync(placed, stall, order)
    await sync(reject, order)
    cancel_there(stall, shop_id)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "cancelled", what="the cancel to be answered")
    await look(stall, engine, order)
    assert "already cancelled in the shop" in await sync(told, order)
    assert stall.truth.counts["v1"] == 1000 and stall.truth.adjusted == []
    assert await sync(Command.objects.filter(kind="refund_payment").count) == 1
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).count == 1000


async def test_cancelled_there_before_it_was_read_back(make: Make, engine: Engine, alerts_only: None) -> None:
    stall = await sync(make)
    reads = iter([True])

    def cancelled_meanwhile(what: str, which: str) -> None:
        if what == "order" and next(reads, False):
            cancel_there(stall, which)

    stall.truth.answer_read = cancelled_meanwhile
    order = await sync(stall.buy, 2)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).cancelled_there, what="the cancel to be seen")
    await rest(engine)
    copy = await sync(copy_of, order)
    assert copy.equal_at is None and copy.state == "cancelled"
    assert "before it was read back" in await sync(told, order)
    assert await sync(open_alerts, order) == {"cancelled_in_shop"}


@pytest.mark.parametrize(("sent", "words"), [(1, "after 1 of 2 units had left"), (2, "after everything had left")])
async def test_cancelled_there_after_shipping(make: Make, engine: Engine, sent: int, words: str) -> None:
    """Even where a cancel there cancels here: what has left is not credited by itself."""
    stall, order = await landed(make, engine)
    shop_id = await sync(placed, stall, order)
    stall.truth.orders[shop_id].parcels.append(
        Parcel("f1", (("l-v1", sent),), "T1", "UPS", shipped_at=datetime.now(UTC))
    )
    await look(stall, engine, order)
    cancel_there(stall, shop_id)
    await look(stall, engine, order)
    assert order.cancelled_at is None and order.credited_minor == 0
    assert words in await sync(told, order)
    alert = await sync(Alert.objects.get, order=order, code="cancelled_in_shop")
    assert words in alert.sentence and "staff" in alert.sentence


async def test_deleted_in_the_shop(make: Make, engine: Engine, alerts_only: None) -> None:
    stall, order = await landed(make, engine)
    copy = await sync(copy_of, order)
    gone = ShopOrder(copy.shop_order_id, "", "", ShopOrderState.GONE, (), order.total)
    await sync(
        receive_orders,
        connection_id=stall.shop.pk,
        orders=[gone],
        manifest=stall_manifest(engine, stall),
        now=datetime.now(UTC),
    )
    assert "The order was deleted in the shop" in await sync(told, order)
    assert await sync(open_alerts, order) == {"cancelled_in_shop"}
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).want_no, (
        "whatever closed it, the count is read again"
    )


def stall_manifest(engine: Engine, stall: Stall):  # type: ignore[no-untyped-def]
    from crossdock.kit import discover

    return discover.connectors()["toy"].manifest


async def test_opened_again_in_the_shop_is_believed_at_the_second_look(
    make: Make, engine: Engine, alerts_only: None
) -> None:
    stall, order = await landed(make, engine)
    shop_id = await sync(placed, stall, order)
    cancel_there(stall, shop_id)
    await look(stall, engine, order)
    standing = stall.truth.orders[shop_id]
    standing.cancelled = False
    stall.truth.counts["v1"] -= 2
    reads = stall.truth.kinds().count("order")
    await look(stall, engine, order)
    await until(lambda: copy_of(order).state == "equal", what="it to be believed and compared")
    assert stall.truth.kinds().count("order") >= reads + 2
    assert "opened again in the shop" in await sync(told, order)
    assert await sync(open_alerts, order) == set()
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).count == 998


async def test_an_old_snapshot_opens_nothing(make: Make, engine: Engine, connector: ToyConnector) -> None:
    """A page that was read before our cancel arrives after it."""
    stall, order = await landed(make, engine)
    shop_id = await sync(placed, stall, order)
    old = connector._order(stall.truth.orders[shop_id])
    await sync(reject, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "cancelled", what="the cancel in the shop")
    await rest(engine)
    await sync(
        receive_orders, connection_id=stall.shop.pk, orders=[old], manifest=connector.manifest, now=datetime.now(UTC)
    )
    assert (await sync(copy_of, order)).read_wanted, "looked at again before anything is believed"
    await look(stall, engine, order)
    assert (await sync(copy_of, order)).cancelled_there
    assert await sync(open_alerts, order) == set() and "open" not in await sync(told, order)


async def test_opened_again_after_it_was_credited_here(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    await sync(reject, order)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "cancelled", what="the cancel in the shop")
    await rest(engine)
    stall.truth.orders[await sync(placed, stall, order)].cancelled = False
    await look(stall, engine, order)
    await until(lambda: not copy_of(order).cancelled_there, what="it to be believed")
    assert await sync(open_alerts, order) == {"cancel_failed"}
    assert "though it is cancelled and credited here" in await sync(told, order)


async def test_a_restore_is_never_added_here(make: Make, engine: Engine) -> None:
    """Planted bug 6, B4: the read that shows the unit comes before the cancel's answer; the answer must add nothing."""
    from crossdock.usecases.outcomes import settle
    from market import RANDOM

    stall, order = await landed(make, engine)
    await sync(reject, order)
    shop_id = await sync(placed, stall, order)
    cancel_there(stall, shop_id)
    from crossdock.usecases.outcomes import claims

    (claimed,) = await sync(
        claims.claim_commands, party_id=stall.shop.party_id, owner="w", limit=5, now=datetime.now(UTC)
    )
    await sync(VariantStock.objects.filter(pk=stall.variant.pk).update, count=1000)
    await sync(
        settle.settle_command, command_id=claimed.id, outcome=Done(shop_id), random=RANDOM, now=datetime.now(UTC)
    )
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).count == 1000
    assert not await sync(Command.objects.filter(kind="adjust_stock").exists)
