"""What a pump does with what it cannot take in: it stands by itself; the page, the other streams, the next order and
the commands go on, and nothing is asked for without a pause.
"""
# ruff: noqa: F811

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.engine.test_engine_reading import deliver, handled, try_now

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import LookKind, Parcel, ShopOrder, ShopProduct, ShopVariant, Unreadable
from crossdock.domain.values import Money
from crossdock.engine import jobs, set_aside
from crossdock.engine.engine import Engine
from crossdock.engine.shop import inbox
from crossdock.kit.connector import Page, Shop, VariantRef
from crossdock.kit.errors import NoAnswer, Strange
from crossdock.store.models import Alert, Command, Cursor, Delivery, Order, Party, Quarantined, VariantStock
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.errors import Stale
from crossdock.usecases.orders import snapshots
from crossdock.usecases.outcomes.kinds import create_order
from crossdock.usecases.shops import privacy
from crossdock.usecases.stock import counts
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import Placed, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


def due(stall: Stall, *streams: str) -> None:
    Cursor.objects.filter(connection=stall.shop, stream__in=streams).update(due_at=datetime.now(UTC))


def cursor(stall: Stall, stream: str) -> Cursor:
    return Cursor.objects.get(connection=stall.shop, stream=stream)


def standing(stall: Stall) -> set[str]:
    rows = Quarantined.objects.filter(party_id=stall.shop.party_id, state__in=["held", "released"])
    return set(rows.values_list("key", flat=True))


def alerts(stall: Stall) -> int:
    return Alert.objects.filter(connection=stall.shop, code=AlertCode.NOT_UNDERSTOOD, settled_at=None).count()


async def two_landed(stall: Stall, engine: Engine) -> tuple[Order, Order]:
    orders = [await sync(stall.buy) for _ in range(2)]
    engine.wake(stall.shop.party_id)
    await until(lambda: all(copy_of(order).state == "equal" for order in orders))
    await rest(engine)
    return orders[0], orders[1]


def ship_there(stall: Stall, order: Order) -> str:
    standing = stall.truth.standing(order.reference)[0]
    standing.parcels.append(Parcel(f"f{order.pk}", (("l-v1", 1),), f"TRK-{order.pk}", "UPS"))
    return standing.shop_id


async def test_an_order_that_trips_is_put_beside_its_page_and_heals(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancel after a credit that stopped a shop for ever, whatever its cause is next time."""
    stall = await sync(make)
    first, second = await two_landed(stall, engine)
    odd = ship_there(stall, first)
    ship_there(stall, second)
    real = snapshots.take_parcels

    def poisoned(*, order: Order, **given: Any) -> None:
        if order.pk == first.pk:
            raise Stale("The amount to credit is 9.00. Look again and confirm that.")
        real(order=order, **given)

    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "take_parcels", poisoned)
        await sync(due, stall, "orders", "products")
        engine.wake(stall.shop.party_id)
        await until(lambda: Order.objects.get(pk=second.pk).parcels == "shipped", what="the rest of the page")
        await until(lambda: cursor(stall, "products").value == "1", what="the next stream")
        await rest(engine)
        assert (await sync(cursor, stall, "orders")).value == "1", "the cursor moved on"
        assert await sync(standing, stall) == {f"order:{odd}"} and await sync(alerts, stall) == 1
        third = await sync(stall.buy)
        engine.wake(stall.shop.party_id)
        await until(lambda: copy_of(third).state == "equal", what="the next order")
        await rest(engine)
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert (party.failures, party.resting_until) == (0, None), "the shop is well"
    await sync(try_now, stall)
    engine.wake(stall.shop.party_id)
    await until(lambda: Order.objects.get(pk=first.pk).parcels == "shipped", what="its next try")
    await until(lambda: standing(stall) == set() and alerts(stall) == 0, what="its healing")


async def test_a_page_of_which_all_trip_backs_off_and_keeps_its_place(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    bad = tuple(Unreadable(LookKind.ORDER, f"x{n}", "No amount at total.", "total") for n in range(3))

    async def orders(shop: Shop, at: str) -> Page[ShopOrder | Unreadable]:
        connector.truth(shop).calls.append(("orders", at, 0.0))
        return Page(bad, "9", False)

    with monkeypatch.context() as patched:
        patched.setattr(connector, "orders", orders)
        await sync(due, stall, "orders", "products")
        engine.wake(stall.shop.party_id)
        await until(lambda: cursor(stall, "products").value == "1", what="the next stream")
        await rest(engine)
    row = await sync(cursor, stall, "orders")
    assert (row.value, row.failures) == ("", 1) and row.due_at > datetime.now(UTC)
    assert row.trouble.startswith("None of the 3 orders on a page could be read: No amount at total.")
    assert stall.truth.kinds().count("orders") == 1, "no hot loop"
    assert await sync(standing, stall) == set() and await sync(alerts, stall) == 1
    await sync(due, stall, "orders")
    engine.wake(stall.shop.party_id)
    await until(lambda: cursor(stall, "orders").value == "1", what="the page once it is understood")
    await until(lambda: alerts(stall) == 0, what="its alert to settle")


async def test_after_its_patience_the_page_is_set_aside_row_by_row(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    bad = tuple(Unreadable(LookKind.ORDER, f"x{n}", "No amount at total.", "total") for n in range(2))

    async def orders(shop: Shop, at: str) -> Page[ShopOrder | Unreadable]:
        return Page(bad, "9", False)

    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await sync(Cursor.objects.filter(connection=stall.shop, stream="orders").update, failures=9, failing_since=long_ago)
    monkeypatch.setattr(connector, "orders", orders)
    await sync(due, stall, "orders")
    engine.wake(stall.shop.party_id)
    await until(lambda: cursor(stall, "orders").value == "9", what="the cursor to go on")
    assert await sync(standing, stall) == {"order:x0", "order:x1"}


@pytest.mark.parametrize("error", [NoAnswer("500 of the products' page"), KeyError("price"), Strange("a", "b", 1)])
async def test_a_stream_that_fails_holds_up_no_other(make: Make, engine: Engine, error: Exception) -> None:
    stall = await sync(make)
    stall.truth.answer_read = lambda what, which: error if what == "products" else None
    await sync(due, stall, "orders", "products", "hooks")
    engine.wake(stall.shop.party_id)
    await until(lambda: cursor(stall, "products").failures == 1, what="the failure")
    await rest(engine)
    assert (await sync(cursor, stall, "orders")).value == "1"
    assert stall.truth.kinds().count("products") == 1, "no hot loop"
    assert (await sync(Party.objects.get, pk=stall.shop.party_id)).failures == 0
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the next order")


async def test_one_count_that_spoils_the_answer_for_all_is_found(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    variants = tuple(ShopVariant(f"v{n}", "", "", Money(1000, "USD"), 5) for n in range(1, 6))
    await sync(
        import_products.receive_products,
        connection_id=stall.shop.pk,
        products=[ShopProduct("p1", "Ember Fox", variants)],
        read_no=await sync(counts.draw_read_no),
        now=datetime.now(UTC),
    )
    stall.truth.counts.update({f"v{n}": 7 for n in range(1, 6)})
    real = connector.counts

    async def spoiled(shop: Shop, refs: list[VariantRef]) -> Any:
        if any(ref.variant_id == "v3" for ref in refs):
            raise Strange("stock[2]", "number", None)
        return await real(shop, refs)

    monkeypatch.setattr(connector, "counts", spoiled)
    await sync(VariantStock.objects.filter(variant__connection=stall.shop).update, want_no=1)
    engine.wake(stall.shop.party_id)
    read = lambda: dict(VariantStock.objects.values_list("variant__shop_variant_id", "count"))  # noqa: E731
    await until(lambda: read()["v5"] == 7, what="the others")
    await rest(engine)
    assert (await sync(read))["v1"] == 7
    assert "counts:v3" in await sync(standing, stall)


async def test_an_answer_that_cannot_be_taken_in_stops_nothing_and_is_sent_once(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    first, second = await sync(stall.buy), await sync(stall.buy)
    real, broken = create_order.bind, [True]

    def poisoned(*, order: Order, **given: Any) -> None:
        if order.pk == first.pk and broken[0]:
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        real(order=order, **given)

    monkeypatch.setattr(create_order, "bind", poisoned)
    monkeypatch.setattr("crossdock.usecases.outcomes.look_up.bind", poisoned)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(second).state == "equal", what="the other order")
    await rest(engine)
    command = await sync(Command.objects.get, cause=f"create:{first.reference}")
    assert (command.state, command.unresolved) == ("waiting", True)
    assert await sync(standing, stall) == {f"command:{command.pk}"} and await sync(alerts, stall) == 1
    assert (await sync(Party.objects.get, pk=stall.shop.party_id)).failures == 0
    broken[0] = False
    await sync(Command.objects.filter(pk=command.pk).update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(first).state == "equal", what="the look-up")
    await until(lambda: standing(stall) == set(), what="its healing")
    assert len(stall.truth.standing(first.reference)) == 1, "it was never sent twice"
    created = [which for kind, which, _ in stall.truth.calls if kind == "create"]
    assert sorted(created) == sorted([first.reference, second.reference])


async def test_news_that_our_own_code_stumbles_over_is_set_aside(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    stall.truth.orders["s2"] = Placed("s2", "", {"v1": 1}, Money(1000, "USD"))
    requests = privacy.data_requested

    def stumbles(**_: Any) -> None:
        raise RuntimeError("not today")

    monkeypatch.setattr(privacy, "data_requested", stumbles)
    keys = [
        await sync(deliver, stall, looks=looks, key=looks[0][0])
        for looks in ((("data_request", "77:s9"),), (("order", "s2"),), (("counts", "v\x01"),))
    ]
    engine.wake(stall.shop.party_id)
    await until(lambda: not Delivery.objects.filter(pk__in=keys, handled_at=None).exists(), what="all of them")
    assert await sync(standing, stall) == {"delivery:data_request:77:s9"}
    monkeypatch.setattr(privacy, "data_requested", requests)
    await sync(try_now, stall)
    engine.wake(stall.shop.party_id)
    await until(lambda: standing(stall) == set(), what="the next try")
    assert await sync(Alert.objects.filter(code=AlertCode.DATA_REQUEST).exists), "the request was not lost"


async def test_requests_of_a_closed_shop_are_tried_again_without_a_pump(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    stall.shop.state = "disconnected"
    await sync(stall.shop.save)
    real = privacy.data_requested

    def stumbles(**given: Any) -> None:
        if given["request"] == "77":
            raise RuntimeError("not today")
        real(**given)

    monkeypatch.setattr(privacy, "data_requested", stumbles)
    odd = await sync(deliver, stall, looks=(("data_request", "77:s9"),), key="a")
    other = await sync(deliver, stall, looks=(("data_request", "78:s9"),), key="b")
    assert await sync(inbox.obey_for_closed_shops) == 2
    assert await handled(odd) and await handled(other)
    assert await sync(standing, stall) == {"delivery:data_request:77:s9"}
    monkeypatch.setattr(privacy, "data_requested", real)
    assert await set_aside.try_again(engine) == 0, "not before its time"
    await sync(try_now, stall)
    assert await set_aside.try_again(engine) == 1
    assert await sync(standing, stall) == set()


class TestAPile:
    """Twenty thousand deliveries: folded into lists; what is fresh is read at once."""

    async def test_old_news_is_read_by_lists_and_fresh_news_first(
        self, make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stall = await sync(make)
        monkeypatch.setattr(inbox, "PILE", 30)
        monkeypatch.setattr(inbox, "_AT_ONCE", 10)

        def pour() -> None:
            at = datetime.now(UTC)
            Delivery.objects.bulk_create(
                Delivery(
                    party_id=stall.shop.party_id,
                    topic="t",
                    dedupe=f"d{n}",
                    news={
                        "topic": "t",
                        "dedupe": f"d{n}",
                        "looks": [{"kind": "order" if n % 2 else "product", "entity_id": f"e{n}"}],
                        "hints": [],
                    },
                    body=b"",
                    received_at=at,
                )
                for n in range(400)
            )

        order, _ = await two_landed(stall, engine)
        before = stall.truth.kinds()
        await sync(pour)
        fresh = ship_there(stall, order)
        for n in range(400):
            stall.truth.orders[f"e{n}"] = Placed(f"e{n}", "", {"v1": 1}, Money(1000, "USD"))
        await sync(deliver, stall, looks=(("order", fresh),), key="fresh")
        engine.wake(stall.shop.party_id)
        waiting = Delivery.objects.filter(party_id=stall.shop.party_id, handled_at=None)
        await until(lambda: not waiting.exists(), what="the pile")
        await until(lambda: cursor(stall, "products").value == "1", what="the lists")
        await rest(engine)
        asked = stall.truth.calls[len(before) :]
        kinds = [kind for kind, _, _ in asked]
        assert ("order", fresh) in [(kind, which) for kind, which, _ in asked[:6]], "the fresh one did not wait"
        assert kinds.count("orders") == 1 and kinds.count("products") == 1, "one list each"
        assert len(kinds) <= 30, f"{len(kinds)} calls for 400 deliveries"
        assert (await sync(Order.objects.get, pk=order.pk)).parcels == "shipped"

    async def test_what_lists_do_not_tell_is_never_folded(self, make: Make, engine: Engine) -> None:
        stall = await sync(make)
        deletions = [await sync(deliver, stall, looks=(("product_gone", f"g{n}"),), key=f"g{n}") for n in range(12)]
        from unittest import mock

        with mock.patch.object(inbox, "PILE", 5), mock.patch.object(inbox, "_AT_ONCE", 4):
            engine.wake(stall.shop.party_id)
            await until(lambda: not Delivery.objects.filter(pk__in=deletions, handled_at=None).exists())
            await rest(engine)
        assert stall.truth.kinds().count("product") == 12


async def test_a_step_of_a_timer_that_stumbles_holds_up_no_other() -> None:
    done: list[str] = []

    async def bad() -> None:
        raise RuntimeError("not today")

    async def good() -> None:
        done.append("good")

    with pytest.raises(RuntimeError):
        await jobs._each(bad, good)
    assert done == ["good"]
