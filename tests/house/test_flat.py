"""What must not grow with the number of rows: statements are counted, and plans of a few thousand rows looked at."""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.store.models import (
    Command,
    Listing,
    Order,
    RiskAssessment,
    RiskTrace,
    ShopCopy,
    TimelineEntry,
    Variant,
    VariantStock,
)
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.catalogue import finding
from crossdock.usecases.orders.daily.order_list import in_queue, queues
from crossdock.usecases.parties import leases, root_causes
from crossdock.usecases.risk.again import judge_newly_linked
from crossdock.usecases.shops import timers
from crossdock.web.seller import export
from market import World, user

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MANY = 4_000


def statements(deed: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as seen:
        deed()
    return len(seen)


def plan(rows: Any) -> str:
    """As the database would answer it after it has looked at its tables."""
    return str(rows.explain(format="text"))


def plans_of(deed: Callable[[], Any]) -> str:
    """Of every question that this asks."""
    with CaptureQueriesContext(connection) as seen:
        deed()
    with connection.cursor() as cursor:
        found = []
        for query in seen.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN {query['sql']}")
                found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


@contextlib.contextmanager
def only_by(*others: str) -> Iterator[None]:
    """Whether it could be answered so at all: a table of a test is too small for the price to decide."""
    with connection.cursor() as cursor:
        for way in ("seqscan", *others):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        yield
        for way in ("seqscan", *others):
            cursor.execute(f"SET LOCAL enable_{way} = on")


@pytest.fixture
def world(db: None) -> World:
    return World(units=50)


def copies_of(order: Order, many: int) -> None:
    """As many more orders of the same seller, each landed, with one line and a sentence in its story."""
    reference = {"number": "900000 + n", "reference": "'CD-' || (900000 + n) || '-AAAAA'"}
    landed = {
        "shop_order_id": "'c' || n",
        "shop_number": "'#c' || n",
        "state": "'equal'",
        "stock_taken": "true",
        "equal_at": "t.intended_at",
    }
    _copied("store_order", "id", order.pk, many, {"public_id": PUBLIC_ID, **reference})
    _copied("store_orderline", "order_id", order.pk, many, {})
    _copied("store_timelineentry", "order_id", order.pk, many, {})
    _copied("store_shopcopy", "order_id", order.pk, many, landed)


PUBLIC_ID = "'x' || lpad(n::text, 13, '0')"


def _copied(table: str, key: str, whose: int, many: int, fresh: dict[str, str]) -> None:
    """The rows of this key again, `many` times, with keys from a million on; `fresh`: what copy `n` has of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema ="
            " current_schema() ORDER BY ordinal_position",
            [table],
        )
        names = [row[0] for row in cursor.fetchall()]
        own_id = "5000000 + n * 50 + row_number() OVER (PARTITION BY n ORDER BY t.id)"
        values = {name: own_id if name == "id" else f"t.{name}" for name in names}
        values |= {key: "1000000 + n", **fresh}
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values[name] for name in names)}"
            f" FROM {table} t, generate_series(1, %s) n WHERE t.{key} = %s",
            [many, whose],
        )
        cursor.execute(f"ANALYZE {table}")


class TestExport:
    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export, "PAGE", 10)

    def signed_in(self, world: World) -> Client:
        client = Client()
        client.force_login(world.seller.owner)
        return client

    @pytest.mark.parametrize("queue", ["all", "to_ship"])
    def test_each_page_is_one_statement_and_no_line_is_lost_or_doubled(self, world: World, queue: str) -> None:
        copies_of(world.buy(), 34)
        answer = self.signed_in(world).get(f"/seller/orders/export.csv?queue={queue}")
        assert answer.streaming
        parts = iter(answer)
        next(parts)
        with CaptureQueriesContext(connection) as seen:
            rest = b"".join(parts)
        # By ship-by date, where the last page ended is looked up.
        assert len(seen) == (4 if queue == "all" else 7)
        shown = [line.split(",")[1] for line in rest.decode().splitlines()]
        assert len(shown) == len(set(shown)) == 35
        assert shown == [order.reference for order in in_queue(seller=world.seller, queue=queue, now=NOW, limit=100)]

    def test_a_full_last_page_is_the_end(self, world: World) -> None:
        copies_of(world.buy(), 19)
        text = b"".join(self.signed_in(world).get("/seller/orders/export.csv?queue=all"))
        assert len(text.decode().splitlines()) == 21

    def test_parcels_and_several_lines(self, world: World) -> None:
        order = world.buy()
        order.shipments.create(parcel_id="a", source="seller", tracking_number="1Z1", shipped_at=NOW)
        order.shipments.create(parcel_id="b", source="seller", tracking_number="", shipped_at=NOW)
        order.shipments.create(parcel_id="c", source="seller", tracking_number="1Z2", shipped_at=NOW)
        (line,) = order.lines.all()
        line.pk = None
        line.save()
        text = b"".join(self.signed_in(world).get("/seller/orders/export.csv?queue=all")).decode("utf-8-sig")
        _, *rows = text.splitlines()
        assert len(rows) == 2 and all(row.endswith(",1Z1 1Z2") for row in rows)
        assert ",1,10.00,USD,15.00,1Z1 1Z2" in rows[0]


class TestDue:
    def test_the_sweep_wakes_nobody_for_what_its_pump_leaves_alone(self, world: World) -> None:
        """A command behind a dead one of its order, and a wish to read an order that the shop has no id of."""
        order = world.buy()
        now = world.later()
        first = Command.objects.get(kind="create_order")
        Command.objects.exclude(pk=first.pk).delete()
        world.shop.cursors.update(due_at=now + timedelta(hours=1))
        VariantStock.objects.update(want_no=0)
        assert leases.due_parties(now=now) == [world.shop.party_id]
        Command.objects.filter(pk=first.pk).update(state="dead")
        Command.objects.create(
            party=world.shop.party,
            cause="c2",
            subject=order.reference,
            kind="x",
            payload={},
            due_at=now,
            created_at=now,
        )
        ShopCopy.objects.update(read_wanted=True, shop_order_id="")
        due = timers.due_of(party_id=world.shop.party_id, now=now)
        assert due is not None and not due.anything
        assert leases.due_parties(now=now) == []
        Command.objects.filter(pk=first.pk).update(state="withdrawn")
        assert leases.due_parties(now=now) == [world.shop.party_id]

    @pytest.mark.parametrize("lease", [None, timedelta(seconds=-1)])
    def test_what_a_dead_worker_left_in_flight_is_due(self, world: World, lease: timedelta | None) -> None:
        world.buy()
        now = world.later()
        world.shop.cursors.update(due_at=now + timedelta(hours=1))
        VariantStock.objects.update(want_no=0)
        Command.objects.exclude(kind="create_order").delete()
        Command.objects.update(state="in_flight", outcome={"owner": "w1"})
        party = world.shop.party
        party.lease_owner, party.lease_until = ("w1", now + lease) if lease else ("", None)
        party.save()
        assert leases.due_parties(now=now) == [party.pk]


class TestTimers:
    def test_a_flagged_order_is_looked_at_once(self, world: World) -> None:
        order = world.buy()
        judged = RiskAssessment.objects.filter(order=order).latest("pk")
        # The database refuses to change one, so another is added.
        judged.pk, judged.inputs, judged.why = None, {"buyers_of_card": 3}, "placed"
        judged.save(force_insert=True)
        assert RiskTrace.objects.filter(order=order).exists()
        seen: set[int] = set()
        at = judged.at + timedelta(minutes=1)
        assert statements(lambda: judge_newly_linked(now=at, seen=seen)) > 2
        assert statements(lambda: judge_newly_linked(now=at, seen=seen)) == 1
        judge_newly_linked(now=judged.at + timedelta(hours=7), seen=seen)
        assert seen == set(), "what is too old to be asked again is forgotten"

    def test_late_copies_read_only_what_has_not_landed(self, world: World) -> None:
        copies_of(world.buy(), MANY)
        shown = plans_of(lambda: root_causes.late_copies(now=NOW))
        assert "copy_waiting" in shown and "copy_not_taken" in shown and "Seq Scan on store_shopcopy" not in shown


class TestPages:
    def test_the_queues_are_counted_from_an_index(self, world: World) -> None:
        with CaptureQueriesContext(connection) as seen:
            queues(seller=world.seller, now=NOW)
        alerts, counted = seen.captured_queries
        (index,) = [index for index in Order._meta.indexes if index.name == "order_queues"]
        kept = {"seller_id", "parcels", "cancelled_at", "ship_by", *index.include}
        assert set(re.findall(r'"store_order"\."(\w+)"', counted["sql"])) <= kept, "the index has all that is read"
        assert "store_alert" not in counted["sql"] and "store_alert" in alerts["sql"]

    def test_set_aside_listings_are_found_by_an_index_of_those_alone(self, world: World) -> None:
        _listings(world, MANY)
        VariantStock.objects.filter(variant=world.variant).update(aside_why="counted wrong")
        client = Client()
        client.force_login(world.seller.owner)
        with CaptureQueriesContext(connection) as seen:
            page = client.get("/seller/listings/?show=aside").content.decode()
        assert "Ember Fox" in page and "Many 1" not in page
        (asked,) = [query["sql"] for query in seen if "aside_why" in query["sql"] and "EXISTS" in query["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked}")
            shown = "\n".join(row[0] for row in cursor.fetchall())
        assert "stock_aside" in shown

    @pytest.mark.parametrize("state", ["archived", "left_out"])
    def test_archived_listings_are_not_looked_for_among_the_live(self, world: World, state: str) -> None:
        _listings(world, MANY)
        Listing.objects.filter(pk=world.variant.listing_id).update(state=state)
        rows = Listing.objects.filter(seller=world.seller, state=state).order_by("-pk")[:26]
        assert "listing_by_state" in plan(rows)

    def test_two_letters_are_looked_for_where_a_word_begins(self, world: World) -> None:
        _listings(world, MANY)
        with only_by("indexscan"):
            assert plan(Listing.objects.filter(finding.has_word("zq"))).count("listing_search") == 2
        for words in ("em", "fo", "ember fo", "mbe"):
            assert finding.find(wanted=finding.Wanted(words), now=world.now).listings, words
        for words in ("mb", "ox", "ember ox"):
            assert not finding.find(wanted=finding.Wanted(words), now=world.now).listings, words

    @pytest.mark.parametrize("sort", [finding.Sort.CHEAPEST, finding.Sort.DEAREST])
    def test_prices_are_asked_of_their_index(self, world: World, sort: finding.Sort) -> None:
        _listings(world, MANY)
        with CaptureQueriesContext(connection) as seen:
            finding.find(wanted=finding.Wanted(currency="USD", sort=sort, low=1), now=world.now, after="500.7", limit=5)
        asked = next(query["sql"] for query in seen if "lowest_minor" in query["sql"])
        with only_by("indexscan"), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked}")
            shown = "\n".join(row[0] for row in cursor.fetchall())
        assert "listing_by_price" in shown, shown

    def test_words_written_alike_are_asked_of_an_index(self, world: World) -> None:
        _listings(world, MANY)
        with only_by("indexscan"):
            assert "listing_search" in plan(finding._written_like(Listing.objects.all(), ["charzard"]))

    def test_two_characters_of_a_script_without_spaces_are_found_anywhere(self, world: World) -> None:
        Listing.objects.update(search="新しい日本の本")
        assert finding.find(wanted=finding.Wanted("日本"), now=world.now).listings

    def test_the_seller_s_search_asks_a_fixed_number_of_questions(self, world: World) -> None:
        order = world.buy()
        few = statements(lambda: in_queue(seller=world.seller, queue="all", now=NOW, query="ember"))
        copies_of(order, 60)
        assert statements(lambda: in_queue(seller=world.seller, queue="all", now=NOW, query="ember")) == few <= 8
        other = World()
        for text in (order.reference, f"#{order.number}", "#c17"):
            assert in_queue(seller=world.seller, queue="all", now=NOW, query=text), text
            assert not in_queue(seller=other.seller, queue="all", now=NOW, query=text), "another's order"

    def test_the_shop_s_number_is_found_by_an_index(self, world: World) -> None:
        copies_of(world.buy(), MANY)
        assert "copy_number_any_case" in plan(ShopCopy.objects.filter(shop_number__iexact="#C17"))

    def test_a_seller_s_token_reads_its_listings_in_a_fixed_number_of_questions(self, world: World) -> None:
        _, secret = make_token(name="t", seller=world.seller, actor=world.seller.owner, now=NOW)
        ask = Client(headers={"Authorization": f"Bearer {secret}"})
        # Its first use of the minute is written down.
        ask.get("/api/v1/listings")
        few = statements(lambda: ask.get("/api/v1/listings"))
        _listings(world, 30)
        answer: Any = None

        def read() -> None:
            nonlocal answer
            answer = ask.get("/api/v1/listings")

        assert statements(read) == few
        assert len(answer.json()["items"]) == 31 and answer.json()["items"][0]["why_not_live"]


class TestAdmin:
    @pytest.fixture
    def staff(self, db: None) -> Client:
        client = Client()
        client.force_login(user(is_staff=True))
        return client

    def test_the_timeline_is_read_from_its_end_and_never_counted(self, world: World, staff: Client) -> None:
        copies_of(world.buy(), MANY)
        with CaptureQueriesContext(connection) as seen:
            assert staff.get("/admin/store/timelineentry/").status_code == 200
        asked = [query["sql"] for query in seen if 'FROM "store_timelineentry"' in query["sql"]]
        assert asked and not [sql for sql in asked if "DISTINCT" in sql or "COUNT(" in sql]
        with connection.cursor() as cursor:
            for sql in asked:
                cursor.execute(f"EXPLAIN {sql}")
                shown = "\n".join(row[0] for row in cursor.fetchall())
                assert "Sort" not in shown and "LIMIT" in sql, shown

    @pytest.mark.parametrize("model", ["timelineentry", "movement", "order", "shopcopy", "transfer"])
    def test_a_search_is_one_indexed_question_each(self, world: World, staff: Client, model: str) -> None:
        order, other = world.buy(), world.buy()
        page = staff.get(f"/admin/store/{model}/", {"q": order.reference.lower()})
        assert page.status_code == 200
        shown = page.context["cl"].result_list
        own = {row.pk if model == "order" else row.order_id for row in shown}
        assert own == {order.pk} and other.pk not in own
        assert staff.get(f"/admin/store/{model}/", {"q": "no such thing"}).context["cl"].result_count == 0

    def test_the_values_of_a_filter_are_those_of_the_newest_rows(self, world: World, staff: Client) -> None:
        order = world.buy()
        TimelineEntry.objects.create(order=order, at=NOW, source="seller", kind="odd_kind", sentence="Odd.")
        page = staff.get("/admin/store/timelineentry/", {"kind": "odd_kind"})
        assert "odd_kind" in page.content.decode() and page.context["cl"].result_count == 1


def test_no_index_is_kept_for_what_is_only_compared_whole(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename ~ '^store_' AND"
            " indexname ~ '_like$'"
        )
        assert [row[0] for row in cursor.fetchall() if not row[0].startswith("store_reservation")] == []


def _listings(world: World, many: int) -> None:
    """As many more, each with one variant of which there are none."""
    first = Listing.objects.create(
        seller=world.seller, title="Many 0", search="many 0", currency="USD", created_at=NOW, updated_at=NOW
    )
    variant = Variant.objects.create(listing=first, price_minor=100)
    VariantStock.objects.create(variant=variant, count=0, count_at=NOW)
    words = {"title": "'Many ' || n", "search": "'many ' || n"}
    _copied("store_listing", "id", first.pk, many - 1, {"public_id": PUBLIC_ID, **words})
    _copied("store_variant", "listing_id", first.pk, many - 1, {"id": "1000000 + n", "public_id": PUBLIC_ID})
    _copied("store_variantstock", "variant_id", variant.pk, many - 1, {})
