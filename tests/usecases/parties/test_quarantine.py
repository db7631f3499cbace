"""One odd thing concerns itself alone: the rest of its page is taken; it is told once per cause, tried again, heals."""

from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import OperationalError, transaction
from django.test import Client
from tests.usecases.test_rules import copy_of, landed, manifest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done
from crossdock.domain.events import (
    Count,
    LookKind,
    Parcel,
    ProductGone,
    ShopOrder,
    ShopProduct,
    ShopVariant,
    StockHint,
    Unreadable,
)
from crossdock.domain.values import Money
from crossdock.kit import replay
from crossdock.store.models import (
    Alert,
    AuditEntry,
    Call,
    Command,
    Cursor,
    Exchange,
    Listing,
    Order,
    Quarantined,
    VariantStock,
)
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.errors import Stale
from crossdock.usecases.orders import snapshots
from crossdock.usecases.outcomes import settle, stumble
from crossdock.usecases.parties import quarantine, streams
from crossdock.usecases.parties.quarantine import PageTripped, Trip, key_of
from crossdock.usecases.stock import counts
from crossdock.usecases.support import quarantine_board
from market import World, user
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
PRICE = Money(1000, "USD")
ODD = Unreadable(LookKind.ORDER, "s77", "The shop's answer has no amount at total.", "total", "Traceback: deep inside.")


@pytest.fixture
def world() -> World:
    return World(units=20, refuses=False)


def take(world: World, *orders: ShopOrder | Unreadable, page: bool = False) -> int:
    return snapshots.receive_orders(
        connection_id=world.shop.pk, orders=orders, manifest=manifest(), page=page, now=world.later()
    )


def product(name: str, *, title: str = "", price: Money = PRICE, count: int | None = 3) -> ShopProduct:
    return ShopProduct(name, title or name, (ShopVariant(f"v-{name}", name.upper(), "", price, count),))


def list_them(world: World, *products: ShopProduct | ProductGone | Unreadable, page: bool = False) -> int:
    return import_products.receive_products(
        connection_id=world.shop.pk,
        products=products,
        read_no=counts.draw_read_no(),
        page=page,
        now=world.later(),
    )


def rows(world: World) -> dict[str, str]:
    """Key -> state."""
    return dict(Quarantined.objects.filter(party_id=world.shop.party_id).values_list("key", "state"))


def alerts(world: World) -> list[Alert]:
    return list(Alert.objects.filter(connection=world.shop, code=AlertCode.NOT_UNDERSTOOD, settled_at=None))


def shipped(order: Order, shop_id: str) -> ShopOrder:
    return replace(copy_of(order), shop_id=shop_id, parcels=(Parcel("f1", (), "TRK-1", "UPS"),))


class TestOrders:
    @pytest.fixture
    def two(self, world: World) -> tuple[Order, Order]:
        return landed(world), landed(world)

    @pytest.mark.parametrize(
        "error", [Stale("The amount changed."), KeyError("x"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no")]
    )
    def test_one_that_trips_is_rolled_back_alone(
        self, world: World, two: tuple[Order, Order], error: Exception
    ) -> None:
        first, second = two
        real = snapshots.take_parcels

        def poisoned(*, order: Order, **given: Any) -> None:
            real(order=order, **given)
            if order.pk == first.pk:
                raise error

        with mock.patch.object(snapshots, "take_parcels", poisoned):
            assert take(world, shipped(first, "s1"), shipped(second, "s2")) == 1
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.parcels, second.parcels) == ("unshipped", "shipped")
        assert not first.shipments.exists(), "half an order was kept"
        row = Quarantined.objects.get()
        assert (row.key, row.order_id, row.tries, row.state) == ("order:s1", first.pk, 1, "held")
        assert type(error).__name__ in row.trace and type(error).__name__ in (row.cause + row.trace)
        (alert,) = alerts(world)
        assert f"#{first.number}" in alert.sentence and "ship by what your shop shows" in alert.sentence
        assert take(world, shipped(first, "s1")) == 0
        first.refresh_from_db()
        assert first.parcels == "shipped" and rows(world) == {"order:s1": "healed"}
        assert not alerts(world), "it settles by itself"

    def test_text_that_no_database_takes(self, world: World, two: tuple[Order, Order]) -> None:
        first, second = two
        odd = replace(copy_of(first), number="A\x001")
        assert take(world, odd, replace(copy_of(first), shop_id="s\ud800"), shipped(second, "s2")) == 2
        second.refresh_from_db()
        assert second.parcels == "shipped"
        assert rows(world) == {"order:s1": "held", key_of("order", "s\ud800"): "held"}

    def test_read_alone_or_in_a_list_it_is_one_cause_and_one_alert(
        self, world: World, two: tuple[Order, Order]
    ) -> None:
        """As seen in a WooCommerce shop: two alerts about one order, of which one was never settled."""

        def met(path: str) -> None:
            cause = f"The shop's answer has no text at {path}."
            trip = Trip(QuarantineKind.ORDER, "s1", cause, path)
            quarantine.hold(party_id=world.shop.party_id, trips=[trip], now=world.later())

        met("orders[].currency")
        met("orders.currency")
        met("orders[12].currency")
        (alert,) = alerts(world)
        assert "at orders.currency." in alert.sentence
        met("orders.status")
        (alert,) = alerts(world)
        assert "orders.status" in alert.sentence, "the alert of the cause before is settled"
        assert rows(world) == {"order:s1": "held"}

    def test_rows_that_the_connector_could_not_read(self, world: World, two: tuple[Order, Order]) -> None:
        first, _ = two
        nameless = replace(ODD, entity_id="")
        assert take(world, ODD, nameless, replace(nameless, path="lines"), shipped(first, "s1")) == 3
        first.refresh_from_db()
        assert first.parcels == "shipped"
        assert Quarantined.objects.count() == 3
        (alert,) = alerts(world)
        assert alert.sentence.startswith("3 orders (s77, …) of"), alert.sentence
        assert ODD.cause in alert.sentence

    def test_a_wish_to_read_it_back_is_no_hot_loop(self, world: World, two: tuple[Order, Order]) -> None:
        assert set(streams.orders_to_read(connection_id=world.shop.pk, limit=9)) == {"s1", "s2"}
        take(world, replace(ODD, entity_id="s1"))
        assert streams.orders_to_read(connection_id=world.shop.pk, limit=9) == ["s2"]
        assert quarantine.due(connection_id=world.shop.pk, limit=9, now=world.now) == []
        later = world.later(3600)
        assert [row.entity for row in quarantine.due(connection_id=world.shop.pk, limit=9, now=later)] == ["s1"]
        assert quarantine.due(connection_id=world.shop.pk, limit=9, now=later) == [], "put off at once"

    def test_a_gone_database_is_nobody_s_row(self, world: World, two: tuple[Order, Order]) -> None:
        with (
            mock.patch.object(snapshots, "take_parcels", side_effect=OperationalError("server closed")),
            pytest.raises(OperationalError),
            transaction.atomic(),
        ):
            take(world, shipped(two[0], "s1"))
        too_large = OperationalError("index row size exceeds")
        too_large.__cause__ = psycopg.errors.ProgramLimitExceeded("index row size exceeds")
        with mock.patch.object(snapshots, "take_parcels", side_effect=too_large):
            assert take(world, shipped(two[0], "s1")) == 1

    def test_a_page_of_which_all_trip_is_the_shop_s_failure(self, world: World, two: tuple[Order, Order]) -> None:
        with pytest.raises(PageTripped, match="None of the 2 orders on a page could be read: The shop's answer"):
            take(world, ODD, replace(ODD, entity_id="s78"), page=True)
        assert rows(world) == {}, "nothing was kept"
        assert take(world, ODD, page=True) == 1, "one bad row alone blocks nothing"
        assert take(world, ODD, copy_of(two[0]), page=True) == 1

    def test_a_known_copy_is_ours_whatever_its_odd_row_says(self, world: World, two: tuple[Order, Order]) -> None:
        odd = [quarantine.of_row(replace(ODD, entity_id=id_, ours=False)) for id_ in ("s1", "s78")]
        quarantine.hold(party_id=world.shop.party_id, trips=odd, now=world.now)
        assert rows(world) == {"order:s1": "held", "order:s78": "foreign"}
        assert Quarantined.objects.get(state="held").order_id == two[0].pk
        (alert,) = alerts(world)
        assert f"#{two[0].number}" in alert.sentence and "s78" not in alert.sentence

    def test_tries_back_off_and_dismissed_stays_quiet(self, world: World) -> None:
        waits = []
        for _ in range(4):
            take(world, ODD)
            row = Quarantined.objects.get()
            waits.append((row.next_try_at - row.last_at).total_seconds())
        assert waits == sorted(set(waits)), "the pauses grow"
        assert row.tries == 4
        assert quarantine_board.dismiss(causes=[row.cause], actor=None, now=world.later()) == 1
        assert not alerts(world)
        take(world, ODD)
        assert rows(world) == {"order:s77": "dismissed"} and not alerts(world)
        take(world, replace(ODD, cause="Something else."))
        assert rows(world) == {"order:s77": "held"} and len(alerts(world)) == 1, "another cause is news"

    def test_released_is_tried_at_once(self, world: World) -> None:
        for _ in range(9):
            take(world, ODD)
        now = world.later()
        assert quarantine_board.release(causes=[ODD.cause], actor=None, now=now) == 1
        assert Cursor.objects.get(connection=world.shop, stream="quarantine").due_at <= now
        assert [row.entity for row in quarantine.due(connection_id=world.shop.pk, limit=9, now=now)] == ["s77"]
        take(world, ODD)
        assert rows(world) == {"order:s77": "held"}

    def test_a_row_without_an_id_is_over_when_it_is_not_shown_any_more(self, world: World) -> None:
        take(world, replace(ODD, entity_id=""))
        assert quarantine.due(connection_id=world.shop.pk, limit=9, now=world.later(600)) == []
        assert set(rows(world).values()) == {"held"}
        assert quarantine.due(connection_id=world.shop.pk, limit=9, now=world.later(2 * 86_400)) == []
        assert set(rows(world).values()) == {"healed"} and not alerts(world)


class TestProducts:
    def test_the_rest_of_the_page_is_listed(self, world: World) -> None:
        big = product("big", price=Money(10**30, "USD"))
        nul = product("nul", title="A\x00B")
        assert list_them(world, product("one"), big, nul, ProductGone("p1"), product("two")) == 2
        titles = set(Listing.objects.filter(connection=world.shop, gone_in_shop=False).values_list("title", flat=True))
        assert titles == {"one", "two"}
        assert rows(world) == {"product:big": "held", "product:nul": "held"}
        assert len(alerts(world)) == 1, "one alert per cause"
        assert list_them(world, product("big"), product("nul")) == 0
        assert set(rows(world).values()) == {"healed"} and not alerts(world)

    def test_the_normal_page_is_taken_at_once(self, world: World) -> None:
        with mock.patch.object(quarantine.Intake, "take", side_effect=AssertionError("one by one")):
            list_them(world, *(product(f"n{i}") for i in range(40)))

    def test_a_whole_page(self, world: World) -> None:
        bad = [Unreadable(LookKind.PRODUCT, f"x{i}", "No price at price.", "price") for i in range(5)]
        with pytest.raises(PageTripped, match="Perhaps the platform changed its format"):
            list_them(world, *bad, page=True)
        assert rows(world) == {}


class TestCounts:
    def ask(self, world: World, *answers: Count | Unreadable) -> tuple[str, ...]:
        return counts.apply_counts(
            connection_id=world.shop.pk,
            read_no=counts.draw_read_no(),
            asked=[("p1", "v1"), ("one", "v-one")],
            counts=answers,
            now=world.later(),
        )

    def count(self, variant: str) -> int | None:
        return VariantStock.objects.get(variant__shop_variant_id=variant).count

    @pytest.mark.parametrize(
        "odd", [Count("v1", 10**30), Count("v1", 5, "\x00"), Unreadable(LookKind.COUNTS, "v1", "No number at stock.")]
    )
    def test_one_odd_count_sells_nothing_and_the_others_are_taken(self, world: World, odd: Count | Unreadable) -> None:
        list_them(world, product("one"))
        assert self.ask(world, odd, Count("v-one", 9)) == ("p1",)
        assert self.count("v-one") == 9 and self.count("v1") is None
        assert rows(world) == {"counts:v1": "held"}
        (alert,) = alerts(world)
        assert "not sold here until its count can be read" in alert.sentence
        self.ask(world, Count("v1", 4), Count("v-one", 9))
        assert self.count("v1") == 4 and rows(world) == {"counts:v1": "healed"} and not alerts(world)

    def test_one_odd_hint_holds_up_no_other(self, world: World) -> None:
        list_them(world, product("one"))
        counts.take_hints(
            connection_id=world.shop.pk,
            hints=[StockHint("v1", -(10**30)), StockHint("v-one", 1), StockHint("\x00", 1)],
            now=world.later(),
        )
        assert VariantStock.objects.get(variant__shop_variant_id="v-one").ceiling == 1
        assert rows(world) == {"counts:v1": "held"}


class TestCommands:
    def trip(self, claimed_id: int) -> Trip:
        return quarantine.trip_of(QuarantineKind.COMMAND, str(claimed_id), ValueError("odd"))

    def test_an_outcome_that_cannot_be_taken_in_is_looked_up_and_never_sent_twice(self, world: World) -> None:
        order = world.buy()
        (claimed,) = world.claim()
        world.create_there(order)
        stumble.stumbled(command_id=claimed.id, trip=self.trip(claimed.id), now=world.later())
        row = Command.objects.get(pk=claimed.id)
        assert (row.state, row.unresolved) == ("waiting", True) and row.due_at > world.now
        assert Quarantined.objects.get().order_id == order.pk
        assert "looked up again; nothing is done twice" in alerts(world)[0].sentence
        world.later(60)
        (again,) = world.claim()
        assert again.look_first, "never sent before it is looked for"
        world.settle(again, Done("s1", already=True))
        stumble.taken_in(command_id=claimed.id, now=world.later())
        assert set(rows(world).values()) == {"healed"} and not alerts(world)

    def test_after_two_days_a_person_decides(self, world: World) -> None:
        world.buy()
        (claimed,) = world.claim()
        now = world.later(settle.GIVE_UP_AFTER.total_seconds() + 1)
        stumble.stumbled(command_id=claimed.id, trip=self.trip(claimed.id), now=now)
        assert Command.objects.get(pk=claimed.id).state == "dead"
        assert Alert.objects.filter(code=AlertCode.COMMAND_DEAD, settled_at=None).exists()


class TestStreams:
    def fail(self, world: World, times: int, alert_at: int = 3) -> Cursor:
        for _ in range(times):
            streams.stream_failed(
                connection_id=world.shop.pk,
                stream="products",
                sentence="None of the 4 products could be read.",
                alert_at=alert_at,
                now=world.later(),
            )
        return Cursor.objects.get(connection=world.shop, stream="products")

    def test_it_backs_off_from_where_it_stands_and_is_told(self, world: World) -> None:
        Cursor.objects.filter(connection=world.shop, stream="products").update(value="c9")
        first = self.fail(world, 1)
        assert not alerts(world) and first.value == "c9"
        pause = first.due_at - world.now
        third = self.fail(world, 2)
        assert third.due_at - world.now > pause and third.value == "c9"
        (alert,) = alerts(world)
        assert "what it says about its products cannot be understood" in alert.sentence
        streams.stream_well(connection_id=world.shop.pk, stream="products", now=world.later())
        assert not alerts(world)

    def test_patience_ends(self, world: World) -> None:
        self.fail(world, 1, alert_at=1)
        assert len(alerts(world)) == 1

        def over(now: datetime) -> bool:
            return streams.patience_over(connection_id=world.shop.pk, stream="products", now=now)

        assert not over(world.later())
        assert over(world.now + streams.PATIENCE + timedelta(minutes=1))


class TestPages:
    def staff(self) -> Client:
        client = Client()
        client.force_login(user(is_staff=True))
        return client

    def words(self, client: Client, url: str) -> str:
        answer = client.get(url)
        assert answer.status_code == 200, url
        return " ".join(unescape(answer.content.decode()).split())

    def recorded(self, world: World) -> Quarantined:
        """As the worker keeps it: a call that could not be understood, with its exchange."""
        Call.objects.create(
            key="c1",
            party=world.shop.party,
            about=["s77"],
            operation="order",
            given={"shop_id": "s77"},
            made={"type": "Strange", "raised": "no"},
            at=world.now,
        )
        Exchange.objects.create(
            party=world.shop.party,
            call="c1",
            at=world.now,
            method="GET",
            url=f"{world.shop.address}/orders/s77",
            status=200,
            milliseconds=4,
            response='{"total": null}',
        )
        snapshots.receive_orders(
            connection_id=world.shop.pk, orders=[ODD], manifest=manifest(), call="c1", now=world.later()
        )
        return Quarantined.objects.get()

    def test_staff_see_it_by_cause_and_end_it_in_bulk(self, world: World) -> None:
        take(world, ODD, replace(ODD, entity_id="s78"), replace(ODD, entity_id="s79", cause="Another."))
        client = self.staff()
        page = self.words(client, "/staff/quarantine/")
        assert page.count(ODD.cause) == 1 and "Another." in page
        assert "Causes in quarantine" in self.words(client, "/staff/")
        row = Quarantined.objects.get(entity="s77")
        one = self.words(client, f"/staff/quarantine/{row.pk}/")
        assert ODD.trace in one and "s78" in one and "s79" not in one and "ship by what your shop shows" in one
        client.post(f"/staff/quarantine/{row.pk}/end/", {"deed": "dismiss"})
        assert rows(world) == {"order:s77": "dismissed", "order:s78": "dismissed", "order:s79": "held"}
        assert ODD.cause not in self.words(client, "/staff/quarantine/")
        assert ODD.cause in self.words(client, "/staff/quarantine/?which=dismissed")
        last = Quarantined.objects.get(entity="s79")
        client.post(f"/staff/quarantine/{last.pk}/end/", {"deed": "release"})
        assert Quarantined.objects.get(pk=last.pk).state == "released"
        assert AuditEntry.objects.filter(action__contains="quarantine").count() == 2

    def test_staff_play_it_against_today_s_code(self, world: World) -> None:
        with dropped_in():
            row = self.recorded(world)
            client = self.staff()
            page = self.words(client, f"/staff/quarantine/{row.pk}/")
            assert '"total": null' in page and "What today's code makes of it" not in page
            assert "What today's code makes of it" in self.words(client, f"/staff/quarantine/{row.pk}/?play=1")
            document = replay.read(client.get(f"/staff/quarantine/{row.pk}/file/").content.decode())
        assert [call.operation for call in document.calls] == ["order"]
        assert document.shop and document.shop.platform == "toy"

    def test_the_seller_reads_what_it_means(self, world: World) -> None:
        order = landed(world)
        take(world, replace(ODD, entity_id="s1"))
        client = Client()
        client.force_login(world.seller.owner)
        for url in (f"/seller/orders/{order.public_id}/", f"/seller/shops/{world.shop.public_id}/"):
            page = self.words(client, url)
            assert ODD.cause in page and "ship by what your shop shows" in page, url
            assert ODD.trace not in page
        take(world, copy_of(order))
        for url in (f"/seller/orders/{order.public_id}/", f"/seller/shops/{world.shop.public_id}/"):
            assert ODD.cause not in self.words(client, url)


def test_two_things_never_share_a_key() -> None:
    """Ids that are cut or cleaned to be kept stay apart."""
    ids = ["a", "a\x00", "a\ud800", "a\udfff", "a\ufffd", "x" * 200, "x" * 201, "x" * 200 + "y"]
    keys = {key_of("product", entity) for entity in ids}
    assert len(keys) == len(ids)
    assert all(len(key) <= 220 and "\x00" not in key for key in keys)
