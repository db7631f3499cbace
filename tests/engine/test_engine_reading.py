"""What a pump reads: deliveries as hints, wanted orders and counts, polls by cursor, timers; and what it does when
reading fails.
"""
# ruff: noqa: F811

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Lag
from crossdock.domain.events import Parcel
from crossdock.domain.values import Money
from crossdock.engine.engine import Engine
from crossdock.engine.shop import polling
from crossdock.engine.shop.session import Session
from crossdock.kit.connector import Page, Subscriptions
from crossdock.kit.errors import AuthDead, NoAnswer, NotSent, Strange, Throttled
from crossdock.store.models import (
    Alert,
    Connection,
    Cursor,
    Delivery,
    Listing,
    Party,
    Quarantined,
    Reservation,
    Shipment,
    VariantStock,
)
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.shops import connect, timers
from crossdock.usecases.stock import reservations
from stall import Make, connector, copy_of, engine, make, no_jobs, rest, started, stopped, sweep, sync, until  # noqa: F401
from toy import Placed, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


def deliver(
    stall: Any,
    *,
    topic: str = "order",
    looks: tuple[tuple[str, str], ...] = (),
    hints: tuple[tuple[str, int], ...] = (),
    key: str = "",
) -> int:
    """As the door writes it."""
    news = {
        "topic": topic,
        "dedupe": key or f"{topic}:{looks}:{hints}",
        "looks": [{"kind": kind, "entity_id": entity} for kind, entity in looks],
        "hints": [{"variant_id": variant, "count": count, "version": ""} for variant, count in hints],
    }
    return Delivery.objects.create(
        party_id=stall.shop.party_id,
        topic=topic,
        dedupe=str(news["dedupe"]),
        news=news,
        body=b"{}",
        received_at=datetime.now(UTC),
    ).pk


async def handled(pk: int) -> bool:
    return bool((await sync(Delivery.objects.get, pk=pk)).handled_at)


async def test_a_delivery_about_an_order_is_looked_up_not_believed(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal")
    await rest(engine)
    standing = stall.truth.standing(order.reference)[0]
    standing.parcels.append(Parcel("f1", (("l-v1", 1),), "TRK-1", "UPS"))
    pk = await sync(deliver, stall, looks=(("order", standing.shop_id),))
    assert stall.shop.party_id in await sweep(engine), "a waiting delivery makes its shop due"
    await until(
        lambda: Shipment.objects.filter(order=order, tracking_number="TRK-1").exists(), what="the tracking number"
    )
    await rest(engine)
    assert await handled(pk)
    assert (await sync(Connection.objects.get, pk=stall.shop.pk)).last_delivery_at is not None


async def test_ten_deliveries_about_one_order_are_one_read(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal")
    await rest(engine)
    shop_id = stall.truth.standing(order.reference)[0].shop_id
    before = stall.truth.kinds().count("order")
    keys = [await sync(deliver, stall, looks=(("order", shop_id),), key=f"k{number}") for number in range(10)]
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert stall.truth.kinds().count("order") == before + 1
    assert [await handled(pk) for pk in keys] == [True] * 10


async def test_a_number_in_a_delivery_only_lowers_and_asks_for_a_read(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.counts["v1"] = 900
    stall.truth.answer_read = lambda what, which: NoAnswer("broken") if what == "counts" else None
    await sync(deliver, stall, topic="stock", hints=(("v1", 5),))
    engine.wake(stall.shop.party_id)
    await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).ceiling == 5, what="the ceiling")
    stall.truth.answer_read = lambda what, which: None
    await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).count == 900, seconds=20, what="the read")
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).ceiling is None


async def test_a_delivery_that_came_again_while_it_was_handled_is_read_again(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.orders["s1"] = Placed("s1", "", {"v1": 1}, Money(1000, "USD"))
    stall.truth.seconds = 0.4
    pk = await sync(deliver, stall, looks=(("order", "s1"),))
    engine.wake(stall.shop.party_id)
    await until(lambda: "order" in stall.truth.kinds(), what="the read to begin")
    await sync(Delivery.objects.filter(pk=pk).update, doubles=1)
    await until(lambda: stall.truth.kinds().count("order") == 2, what="a second read")
    await rest(engine)
    assert await handled(pk)


def row_of(stall: Any, entity: str) -> Quarantined:
    return Quarantined.objects.get(party_id=stall.shop.party_id, entity=entity)


def try_now(stall: Any) -> None:
    """As if the pause were over."""
    now = datetime.now(UTC)
    Quarantined.objects.filter(party_id=stall.shop.party_id).update(next_try_at=now)
    Cursor.objects.filter(connection=stall.shop, stream="quarantine").update(due_at=now)


async def test_what_the_shop_never_answers_about_waits_by_itself(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    for shop_id in ("s1", "s2"):
        stall.truth.orders[shop_id] = Placed(shop_id, "", {"v1": 1}, Money(1000, "USD"))
    stall.truth.answer_read = lambda what, which: NoAnswer("broken") if which == "s1" else None
    keys = [await sync(deliver, stall, looks=(("order", shop_id),)) for shop_id in ("s1", "s2")]
    engine.wake(stall.shop.party_id)
    await until(lambda: not Delivery.objects.filter(pk__in=keys, handled_at=None).exists(), what="both deliveries")
    row = await sync(row_of, stall, "s1")
    assert (row.kind, row.state, row.cause) == ("order", "held", "broken")
    assert row.next_try_at and row.next_try_at > row.last_at, "it is not asked for without a pause"
    await rest(engine)
    asked = stall.truth.kinds().count("order")
    stall.truth.answer_read = lambda what, which: None
    await sync(try_now, stall)
    engine.wake(stall.shop.party_id)
    await until(lambda: row_of(stall, "s1").state == "healed", seconds=15, what="the other, later")
    assert stall.truth.kinds().count("order") > asked
    assert (await sync(Party.objects.get, pk=stall.shop.party_id)).failures == 0


async def test_news_of_all_that_the_shop_does_not_answer_stays(make: Make, engine: Engine) -> None:
    """A shop that answers nothing is out of order as a whole: nothing of it is set aside."""
    stall = await sync(make)
    stall.truth.answer_read = lambda what, which: NoAnswer("broken")
    bad = await sync(deliver, stall, looks=(("order", "s1"),))
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.kinds().count("order") >= 2, what="a second try")
    assert not await handled(bad)
    assert not await sync(Quarantined.objects.filter(party_id=stall.shop.party_id).exists)


async def test_an_entity_that_is_never_understood_stands_in_quarantine(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_read = lambda what, which: Strange("order.total", "amount", None) if which == "s1" else None
    pk = await sync(deliver, stall, looks=(("order", "s1"),))
    engine.wake(stall.shop.party_id)
    await until(lambda: Delivery.objects.get(pk=pk).handled_at is not None, what="the delivery")
    await rest(engine)
    assert stall.truth.kinds().count("order") == 1, "no hot loop"
    for tries in (2, 3):
        assert not await sync(Alert.objects.filter(code=AlertCode.NOT_UNDERSTOOD).exists), "it may pass by itself"
        await sync(try_now, stall)
        engine.wake(stall.shop.party_id)
        await until(lambda tries=tries: row_of(stall, "s1").tries == tries, what="the next try")
    row = await sync(row_of, stall, "s1")
    assert row.path == "order.total" and "Strange" in row.trace
    alert = await sync(Alert.objects.get, code=AlertCode.NOT_UNDERSTOOD, settled_at=None)
    assert "1 order (s1)" in alert.sentence and row.cause in alert.sentence
    stall.truth.orders["s1"] = Placed("s1", "", {"v1": 1}, Money(1000, "USD"))
    stall.truth.answer_read = lambda what, which: None
    await sync(deliver, stall, looks=(("order", "s1"),), key="news")
    engine.wake(stall.shop.party_id)
    await until(lambda: row_of(stall, "s1").state == "healed", what="its next news")
    assert (await sync(Alert.objects.get, pk=alert.pk)).settled_at, "the alert settles with it"


async def test_a_product_deleted_there_is_archived_here(make: Make, engine: Engine, connector: ToyConnector) -> None:
    stall = await sync(make)
    stall.truth.gone = True
    await sync(deliver, stall, topic="product", looks=(("product_gone", "p1"),))
    engine.wake(stall.shop.party_id)
    await until(lambda: Listing.objects.get(connection=stall.shop).gone_in_shop, what="the listing to be archived")


async def test_our_removal_there_stops_the_connection(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    pk = await sync(deliver, stall, topic="uninstalled", looks=(("uninstalled", ""),))
    engine.wake(stall.shop.party_id)
    await until(lambda: Connection.objects.get(pk=stall.shop.pk).state == "needs_reauth", what="the connection to stop")
    await rest(engine)
    assert await handled(pk)
    assert await sync(Alert.objects.filter(code=AlertCode.SIGN_IN_AGAIN, connection=stall.shop).exists)


async def test_the_polls_run_when_due_and_not_before(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    await sync(Cursor.objects.filter(connection=stall.shop).update, due_at=datetime.now(UTC))
    stall.truth.counts["v1"] = 77
    assert stall.shop.party_id in await sweep(engine)
    await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).count == 77, what="the poll's count")
    await rest(engine)
    assert {"products", "orders"} <= set(stall.truth.kinds())
    streams = await sync(lambda: {c.stream: c for c in Cursor.objects.filter(connection=stall.shop)})
    now = datetime.now(UTC)
    assert set(streams) == set(timers.STREAMS)
    waits = {stream: cursor.due_at - now for stream, cursor in streams.items()}
    # The first comparison of all counts waits, minute by minute, for the first reading to be whole.
    assert waits.pop("recount") > timedelta(0)
    assert min(waits.values()) > timedelta(minutes=5), waits
    assert (streams["products"].value, streams["orders"].value) == ("1", "1")
    assert streams["products"].completed_at is not None
    sent = len(stall.truth.calls)
    assert stall.shop.party_id not in await sweep(engine)
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert len(stall.truth.calls) == sent


async def test_a_long_import_goes_page_by_page_and_does_not_hold_up_orders(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    pages, landed = 0, False

    async def products(shop: Any, cursor: str) -> Page[Any]:
        nonlocal pages
        await asyncio.sleep(0.2)
        pages += 1
        return Page((), str(pages), not landed)

    monkeypatch.setattr(connector, "products", products)
    await sync(Cursor.objects.filter(connection=stall.shop, stream="products").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(lambda: pages >= 2, what="the import to be under way")
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order, in the middle of an import without an end")
    landed = True
    await until(
        lambda: Cursor.objects.get(connection=stall.shop, stream="products").completed_at is not None, what="the import"
    )
    assert await sync(lambda: Cursor.objects.get(connection=stall.shop, stream="products").value) == str(pages)


async def test_a_page_and_its_cursor_are_kept_together(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read and not kept is read again: the cursor stays where it was."""
    stall = await sync(make)

    def broken(**_: object) -> None:
        raise ValueError("a bug in taking it in")

    with monkeypatch.context() as patched:
        patched.setattr(import_products, "receive_products", broken)
        await sync(Cursor.objects.filter(connection=stall.shop, stream="products").update, due_at=datetime.now(UTC))
        engine.wake(stall.shop.party_id)
        await until(lambda: "products" in stall.truth.kinds(), what="the poll")
        await rest(engine)
    cursor = await sync(Cursor.objects.get, connection=stall.shop, stream="products")
    assert cursor.value == "" and cursor.failures == 1 and "ValueError" in cursor.trouble
    assert cursor.due_at > datetime.now(UTC), "no hot loop"
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.lease_owner == "", "a stumble lets go of the lease"
    await sync(Cursor.objects.filter(pk=cursor.pk).update, due_at=datetime.now(UTC))
    assert stall.shop.party_id in await sweep(engine)
    await until(lambda: Cursor.objects.filter(pk=cursor.pk, value="1", failures=0).exists(), what="the poll again")


@pytest.mark.parametrize("error", [NotSent("It does not accept connections."), Throttled("Slow down.", 60.0)])
async def test_trouble_in_reading_rests_the_shop(make: Make, engine: Engine, error: Exception) -> None:
    stall = await sync(make)
    stall.truth.answer_read = lambda what, which: error
    await sync(Cursor.objects.filter(connection=stall.shop, stream="orders").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(lambda: Party.objects.get(pk=stall.shop.party_id).failures == 1, what="the shop to rest")
    party = await sync(Party.objects.get, pk=stall.shop.party_id)
    assert party.resting_until > datetime.now(UTC)
    if isinstance(error, Throttled):
        assert party.resting_until > datetime.now(UTC) + timedelta(seconds=50)
        sent = len(stall.truth.calls)
        engine.wake(stall.shop.party_id)
        await rest(engine)
        assert len(stall.truth.calls) == sent


async def test_lost_answers_are_bad_luck_until_the_third_in_a_row(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_read = lambda what, which: NoAnswer("no answer in time")
    await sync(Cursor.objects.filter(connection=stall.shop, stream="orders").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(lambda: Party.objects.get(pk=stall.shop.party_id).failures == 1, seconds=15, what="the shop to rest")
    assert stall.truth.kinds().count("orders") == 3


async def test_dead_credentials_found_in_reading_stop_the_connection(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    stall.truth.answer_read = lambda what, which: AuthDead("The key was revoked.")
    await sync(Cursor.objects.filter(connection=stall.shop, stream="orders").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(lambda: Connection.objects.get(pk=stall.shop.pk).state == "needs_reauth", what="the connection to stop")
    await rest(engine)
    sent = len(stall.truth.calls)
    assert stall.shop.party_id not in await sweep(engine)
    assert len(stall.truth.calls) == sent


async def test_the_audit_of_webhooks_tells_what_is_lost_and_settles_when_healed(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HOOK_URL = "https://market.example"
    stall = await sync(make)
    found = Subscriptions(("order", "product"), ("order",))

    async def subscribe(shop: Any) -> Subscriptions:
        assert shop.hook_url == f"https://market.example/hooks/shop/toy/{stall.shop.public_id}"
        return found

    monkeypatch.setattr(connector, "subscribe", subscribe)
    await sync(Cursor.objects.filter(connection=stall.shop, stream="hooks").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    alert = Alert.objects.filter(code=AlertCode.WEBHOOK_LOST, connection=stall.shop)
    await until(alert.filter(settled_at=None).exists, what="the alert")
    assert "product" in (await sync(alert.get)).sentence
    found = Subscriptions(("order", "product"), ("order", "product"), ("product",))
    await rest(engine)
    await sync(Cursor.objects.filter(connection=stall.shop, stream="hooks").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(alert.exclude(settled_at=None).exists, what="the alert to settle")
    assert (await sync(Connection.objects.get, pk=stall.shop.pk)).hooks["healed"] == ["product"]


async def test_a_session_from_before_asks_for_webhooks_as_it_is_now(make: Make, engine: Engine, settings: Any) -> None:
    """Shadow mode begins and ends while a worker holds the shop: it writes no webhook into it, and then all at once."""
    settings.HOOK_URL = "https://market.example"
    stall = await sync(make)
    rows = Connection.objects.filter(pk=stall.shop.pk)

    def held() -> Session:
        return Session(engine, stall.shop.pk, connect.access_of(connection=rows.get()))

    session = await sync(held)
    await sync(rows.update, shadow_since=datetime.now(UTC))
    await polling._audit(session, "")
    assert "subscribe" not in stall.truth.kinds()
    session = await sync(held)
    await sync(rows.update, shadow_since=None)
    await polling._audit(session, "")
    assert "subscribe" in stall.truth.kinds()


async def test_without_a_public_address_no_webhook_is_asked_for(make: Make, engine: Engine, settings: Any) -> None:
    settings.HOOK_URL = ""
    stall = await sync(make)
    await sync(Cursor.objects.filter(connection=stall.shop, stream="hooks").update, due_at=datetime.now(UTC))
    engine.wake(stall.shop.party_id)
    await until(
        lambda: Cursor.objects.get(connection=stall.shop, stream="hooks").due_at > datetime.now(UTC),
        what="the next time",
    )
    assert "subscribe" not in stall.truth.kinds()


async def test_a_read_that_is_killed_before_applying_is_wanted_still(make: Make) -> None:
    """Rule 5: the wish is met by applying, not by starting."""
    first = await started()
    stall = await sync(make)
    await sync(timers.want_counts, connection_id=stall.shop.pk, shop_variant_ids=["v1"], now=datetime.now(UTC))
    stall.truth.seconds = 5
    first.wake(stall.shop.party_id)
    await until(lambda: "counts" in stall.truth.kinds(), what="the read to begin")
    await stopped(first, grace=0.1)
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).want_no > 0
    stall.truth.seconds, stall.truth.counts["v1"] = 0, 12
    second = await started()
    try:
        assert stall.shop.party_id in await sweep(second)
        await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).count == 12, what="the read")
    finally:
        await stopped(second)


async def test_a_lagging_count_ends_no_hold(make: Make, engine: Engine, connector: ToyConnector) -> None:
    """C9: the shop's counts lag its own writes; only a read drawn after ack and lag knows the order.

    Not a poll's, not a webhook's wish.
    """
    connector.manifest = replace(connector.manifest, lag=Lag(count=3, search=0, late_execution=0))
    stall = await sync(make)
    order = await sync(stall.buy, 3)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order")
    # The replica still answers the old count, to a poll and to what a webhook asked for.
    stall.truth.counts["v1"] = 1000
    await sync(deliver, stall, topic="product", looks=(("product", "p1"), ("counts", "v1")))
    engine.wake(stall.shop.party_id)
    await until(lambda: "product" in stall.truth.kinds(), what="the poll's read")
    await asyncio.sleep(0.3)
    assert await sync(reservations.availability, variants=[stall.variant], now=datetime.now(UTC)) == {
        stall.variant.pk: 997
    }
    stall.truth.counts["v1"] = 997
    await until(lambda: not Reservation.objects.exclude(state="ended").exists(), what="the read after the lag")
    when = {kind: at for kind, _, at in reversed(stall.truth.calls)}
    assert when["counts"] - when["create"] > 3, "a wish without a wait does not shorten the wait"
    assert await sync(reservations.availability, variants=[stall.variant], now=datetime.now(UTC)) == {
        stall.variant.pk: 997
    }
