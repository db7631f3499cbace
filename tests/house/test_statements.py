"""What the database is asked for one order and for one product: facts, counted, so that none of them grows unseen.

A round trip is anything that is sent and waited for: BEGIN, COMMIT and savepoints are among them. Several statements
may be sent together (`store/together.py`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from tests.web.api.test_api import Program, order_for, token_for

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason, Done
from crossdock.domain.events import OrderLine as ShopRow
from crossdock.domain.events import Parcel, ShopOrder, ShopOrderState
from crossdock.domain.risk import RuleSet
from crossdock.domain.values import Money
from crossdock.store.models import (
    Alert,
    Command,
    Entry,
    Mail,
    Movement,
    Order,
    Party,
    RiskAssessment,
    RiskTrace,
    ShopCopy,
    Transfer,
)
from crossdock.store.models.risk import RiskChoice
from crossdock.store.once import insert_new
from crossdock.store.together import BETWEEN
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.money import books
from crossdock.usecases.orders import snapshots
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outbox import queue
from crossdock.usecases.outcomes import claims
from crossdock.usecases.outcomes.endpoints import add_endpoint
from crossdock.usecases.outcomes.settle import settle_command
from crossdock.usecases.outcomes.settle_mails import settle_mails
from crossdock.usecases.record import mail
from crossdock.usecases.record.alerts import raise_alert, settle_alert
from crossdock.usecases.risk.holds import choose
from crossdock.usecases.risk.rules import keep_fitted, release
from crossdock.usecases.stock import reservations
from crossdock.web.api.order_shape import order_out
from market import ADDRESS, RANDOM, World, user
from toy import ToyConnector

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


class Spent:
    """Filled in when the block ends."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @property
    def said(self) -> list[str]:
        """Every statement, alone."""
        return [said for sent in self.sent for said in sent.split(BETWEEN)]

    @property
    def round_trips(self) -> int:
        return len(self.sent)

    @property
    def statements(self) -> int:
        return len(self.said)

    @property
    def savepoints(self) -> int:
        return sum(said.startswith("SAVEPOINT") for said in self.said)

    @property
    def risk(self) -> list[str]:
        """Those that ask or write anything of the risk analysis. The payment brings its trace along, under one lock."""
        return [said for said in self.said if "store_risk" in said and 'FROM "store_paymentintent"' not in said]

    def to(self, table: str) -> int:
        """Rows are written to this table so often, however many."""
        return sum(said.startswith(f'INSERT INTO "store_{table}"') for said in self.said)


@contextmanager
def spent() -> Iterator[Spent]:
    counted = Spent()
    with CaptureQueriesContext(connection) as caught:
        yield counted
    counted.sent = [query["sql"] for query in caught.captured_queries]


def bought(*worlds: World, units: int = 1) -> Spent:
    """Priced, held and paid for, of each world's seller. The buyer exists, and so does the party that sends mails."""
    buyer, world = user(), worlds[0]
    basket: Basket = {"lines": {one.variant.public_id: units for one in worlds}}
    queue.party_named(kind="notify", name="mail")
    with spent() as counted:
        shown = priced(basket=basket, country="US", now=world.now)
        intent = checkout.open_checkout(
            buyer=buyer,
            basket=basket,
            ship_to=ADDRESS,
            key=f"checkout-{buyer.pk}",
            fingerprint=shown.fingerprint,
            gateway="sandbox",
            now=world.now,
        )
        checkout.place_order(intent_id=intent.public_id, gateway_ref="ref", checks={}, now=world.now)
    return counted


class TestAnOrder:
    def test_it_is_written_with_one_statement_for_each_table_and_without_a_savepoint(self) -> None:
        counted = bought(World(units=5))
        assert counted.savepoints == 0
        assert {table: counted.to(table) for table in ("order", "orderline", "mail", "command", "transfer")} == {
            "order": 1,
            "orderline": 1,
            "mail": 1,
            "command": 1,
            "transfer": 1,
        }
        # 1 asks for the price; 6 to hold the units and write the intent, which asks for it again; 5 to place the order;
        # 1 wakes the pumps.
        # Which rates of commission may hold is asked along with the locks.
        assert (counted.round_trips, counted.statements) == (13, 44)

    def test_an_order_before_it_and_more_units_cost_nothing_more(self) -> None:
        """One only: an address with many buyers in an hour is of high risk, and an alert is told besides."""
        world = World(units=50)
        first = bought(world).round_trips
        assert bought(world, units=3).round_trips == first

    def test_each_line_of_the_flight_recorder_says_what_was_left(self) -> None:
        bought(World(units=5), units=2)
        told = Movement.objects.filter(kind__in=["held", "sold"]).order_by("pk")
        assert list(told.values_list("kind", "quantity", "left")) == [("held", 2, 3), ("sold", 2, 3)]

    def test_all_that_is_told_of_it_is_written(self) -> None:
        world = World(units=5)
        bought(world)
        assert Mail.objects.count() == 2
        assert sorted(Command.objects.values_list("kind", flat=True)) == ["create_order", "send_mail", "send_mail"]
        (transfer,) = Transfer.objects.all()
        assert sum(Entry.objects.filter(transfer=transfer).values_list("amount_minor", flat=True)) == 0


class TestAnOrderOfEachOfFiveSellers:
    def test_it_is_written_as_one_is_whoever_many_sell(self) -> None:
        """What grows is the risk's question, one for each seller in the same round trip, and rows of further tries."""
        worlds = [World(units=5) for _ in range(5)]
        one, five = bought(worlds[0]), bought(*worlds[1:], World(units=5))
        assert Order.objects.count() == 6
        assert five.savepoints == 0
        assert {table: five.to(table) for table in ("order", "orderline", "mail", "command", "transfer")} == {
            "order": 1,
            "orderline": 1,
            "mail": 1,
            "command": 1,
            "transfer": 1,
        }
        assert (five.round_trips - one.round_trips, five.statements - one.statements) == (0, 5)


class TestItsRisk:
    """The buyer waits for it: one question for all that is known, one statement that keeps what was found."""

    def test_it_takes_two_statements_whatever_staff_chose(self) -> None:
        world, staff = World(units=50), user(is_staff=True)
        self._two(bought(world))
        choose(to=RiskChoice.HOLD, actor=staff, now=world.now)
        rules = keep_fitted(rules=RuleSet(), lines=[], beats=True, now=world.now)
        release(row=rules, lines=[], actor=staff, now=world.now)
        shadow = keep_fitted(rules=RuleSet(), lines=[], beats=False, now=world.now)
        self._two(bought(world))
        kept = RiskAssessment.objects.latest("pk")
        assert (kept.rules, kept.shadow_score) == (rules, kept.score) and shadow.live_at is None
        trace = RiskTrace.objects.get(order=kept.order)
        assert (trace.paid, trace.intent) == (True, kept.order.intent)

    def _two(self, counted: Spent) -> None:
        opened, *inside = counted.risk
        assert opened.startswith('INSERT INTO "store_risktrace"'), "the try itself, before any money moves"
        assert [said.split()[0] for said in inside] == ["SELECT", "WITH"]
        assert not any(said.startswith(("SELECT", "WITH")) for said in counted.sent if said in inside), (
            "none sent alone"
        )


class TestAnOrderByTheApi:
    def test_the_whole_request_is_counted(self) -> None:
        world = World(units=5)
        world.later()
        queue.party_named(kind="notify", name="mail")
        user("zoe@elsewhere.test")
        market = Program(token_for(None, user(is_staff=True)))
        asked = order_for(world)
        with spent() as counted:
            assert market.post("/orders", asked, key="k").status_code == 201
        # The shop is asked for its count and does not answer: of these are 15 trips.
        assert (counted.round_trips, counted.savepoints) == (31, 0)
        with spent() as again:
            assert market.post("/orders", asked, key="k").status_code == 201
        assert again.round_trips < 10

    def test_what_is_made_by_hand_takes_less_than_twenty_round_trips_with_its_quote(self) -> None:
        maker, buyer = World().seller, user("zoe@elsewhere.test")
        queue.party_named(kind="notify", name="mail")
        listing = make_listing(
            seller=maker, title="Owl", description="", price=Money(1000, "USD"), count=5, now=datetime.now(UTC)
        )
        variant = listing.variants.get()
        market = Program(token_for(None, user(is_staff=True)))
        lines = [{"variant": variant.public_id, "quantity": 1}]
        with spent() as quoted:
            shown = market.post("/quotes", {"lines": lines, "country": "US"}).json()
        asked = order_for(World()) | {"lines": lines, "fingerprint": shown["fingerprint"]}
        with spent() as counted:
            made = market.post("/orders", asked, key="k")
        assert made.status_code == 201, made.content
        # The token, which notes in the minute's first request that it was used.
        assert [said.split()[0] for said in quoted.said] == ["SELECT", "UPDATE", "SELECT", "SELECT", "SELECT"]
        assert (quoted.round_trips, counted.round_trips, counted.savepoints) == (3, 15, 0)
        order = Order.objects.get(connection=None)
        assert (order.buyer, order.lines.get().quantity, order.intent.orders.get()) == (buyer, 1, order)
        assert made.json() == {**order_out(order), "others": [], "returned": []}


class TestOnce:
    def test_what_is_there_already_is_neither_written_nor_returned(self) -> None:
        party = Party.objects.create(kind="notify", name="mail")
        first, again, other = (_command(party, cause) for cause in ("a", "a", "b"))
        assert insert_new([first, again, other], "cause") == [first, other]
        assert first.pk and other.pk and again.pk is None
        assert insert_new([_command(party, "a"), third := _command(party, "c")], "cause") == [third]
        assert Command.objects.count() == 3

    def test_the_row_is_what_django_would_have_written(self) -> None:
        party = Party.objects.create(kind="notify", name="mail")
        (row,) = insert_new([_command(party, "a")], "cause")
        assert row._state.adding is False and Command.objects.get() == row
        read = Command.objects.get()
        assert (read.payload, read.state, read.outcome, read.due_at) == ({"n": [1]}, "waiting", {}, NOON)

    def test_nothing_asks_nothing(self) -> None:
        with spent() as counted:
            assert insert_new([], "cause") == []  # type: ignore[type-var]
        assert counted.round_trips == 0

    def test_two_at_once_write_it_once(self) -> None:
        party = Party.objects.create(kind="notify", name="mail")
        written: list[int] = []

        def other() -> None:
            try:
                written.append(len(insert_new([_command(party, "a")], "cause")))
            finally:
                connections.close_all()

        thread = threading.Thread(target=other)
        with transaction.atomic():
            written.append(len(insert_new([_command(party, "a")], "cause")))
            thread.start()
        thread.join()
        assert sorted(written) == [0, 1] and Command.objects.count() == 1

    def test_a_mail_is_written_and_sent_once(self) -> None:
        for _ in range(2):
            mail.write_mail(cause="x", to="a@example.test", subject="S", body="B", now=NOON)
        assert Mail.objects.count() == 1 and Command.objects.count() == 1

    def test_a_transfer_is_posted_once(self) -> None:
        order = World(units=1).buy()
        before = Entry.objects.count()
        assert books.post(cause="x", order=order, sentence="S", now=NOON, entries={"a": 5, "b": -5})
        assert not books.post(cause="x", order=order, sentence="S", now=NOON, entries={"a": 5, "b": -5})
        assert Entry.objects.count() == before + 2


def _command(party: Party, cause: str) -> Command:
    return queue.command_to(party_id=party.pk, cause=cause, subject="s", kind="k", payload={"n": [1]}, now=NOON)


def landed(world: World) -> tuple[Order, ShopOrder]:
    """A second order, standing in the shop and read back; and what the shop shows of it."""
    order = world.buy()
    (create,) = world.claim()
    outcome = world.create_there(order)
    world.settle(create, outcome)
    (line,) = order.lines.all()
    row = ShopRow("l1", line.shop_product_id, line.shop_variant_id, line.sku, line.quantity)
    assert isinstance(outcome, Done)
    there = (outcome.shop_id, "#1", order.reference, ShopOrderState.OPEN, (row,), order.total)
    return order, ShopOrder(*there, stock_taken=True)


def read(world: World, seen: ShopOrder) -> None:
    manifest = ToyConnector().manifest
    snapshots.receive_orders(connection_id=world.shop.pk, orders=[seen], manifest=manifest, now=world.now)


class TestTheWorkersWay:
    """From placed to standing in the shop and read back."""

    def test_each_step_is_counted(self) -> None:
        world = World(units=5)
        order, now = world.buy(), world.later()
        (line,) = order.lines.all()
        party = queue.party_named(kind="notify", name="mail")
        done = world.create_there(order)
        assert isinstance(done, Done)
        row = ShopRow("l1", line.shop_product_id, line.shop_variant_id, line.sku, line.quantity)
        seen = ShopOrder(done.shop_id, "#1", order.reference, ShopOrderState.OPEN, (row,), order.total)
        with spent() as claim:
            (create,) = claims.claim_commands(party_id=world.shop.party_id, owner="w", limit=10, now=now)
        with spent() as landed:
            settle_command(command_id=create.id, outcome=done, random=RANDOM, now=now)
        with spent() as read_back:
            read(world, seen)
        with spent() as mails:
            both = claims.claim_commands(party_id=party.pk, owner="w", limit=2, now=now)
        with spent() as sent:
            settle_mails(outcomes={one.id: Done("1") for one in both}, random=RANDOM, now=now)
        assert len(both) == 2
        steps = {"claim": claim, "landed": landed, "read back": read_back, "mails": mails, "sent": sent}
        assert {name: (step.round_trips, step.savepoints) for name, step in steps.items()} == {
            "claim": (6, 0),
            "landed": (18, 0),
            "read back": (16, 0),
            "mails": (4, 0),
            "sent": (5, 0),
        }

    def test_an_order_of_many_lines_is_fenced_in_as_many(self) -> None:
        def fenced(products: int) -> int:
            world = World(units=5)
            (order, other) = world.buy(), world.buy()
            if products > 1:
                other.reservations.update(order=order)
            with spent() as counted, transaction.atomic():
                reservations.fence(order=order, now=world.now)
            assert order.reservations.filter(fence_no=None).count() == 0
            told = Movement.objects.filter(kind="fenced", order=order)
            assert told.count() == products
            return counted.round_trips

        assert fenced(1) == fenced(2)

    def test_an_order_that_is_as_it_was_is_not_written(self) -> None:
        world = World(units=5)
        order, seen = landed(world)
        read(world, seen)
        copy = ShopCopy.objects.get(order=order)
        assert copy.state == "equal"
        at = copy.read_at
        world.later(60)
        with spent() as again:
            read(world, seen)
        assert not [said for said in again.said if said.startswith(("INSERT", "UPDATE", "COPY", "DELETE"))]
        world.later(3600)
        read(world, seen)
        copy.refresh_from_db()
        assert copy.read_at == world.now != at
        read(world, replace(seen, number="#2"))
        copy.refresh_from_db()
        assert copy.shop_number == "#2"


class TestWhatIsTold:
    """With one statement for each table, however much a use-case has to tell. Before it was gathered: 61 round trips
    for the parcels, 58 for the cancel and 30 for the reject. What goes back of the fee is read from what was booked
    when it was paid: one of them. Whether the buyer asked to cancel, which each of these answers, is another. What the
    buyer's bank has of the payment is read for the amount and for the credit: two.
    """

    def test_each_is_counted(self) -> None:
        steps = {"shipped there": self.shipped(), "cancelled there": self.cancelled(), "rejected": self.rejected()}
        assert {name: (step.round_trips, self.told(step)) for name, step in steps.items()} == {
            "shipped there": (43, (1, 1, 1, 1)),
            "cancelled there": (51, (1, 0, 1, 2)),
            "rejected": (24, (1, 0, 1, 3)),
        }

    def told(self, step: Spent) -> tuple[int, ...]:
        return tuple(step.to(table) for table in ("timelineentry", "alert", "mail", "command"))

    def placed(self) -> tuple[World, Order, ShopOrder]:
        """It stands in the shop and is read back; its seller's program listens to everything."""
        world = World(units=5)
        order, seen = landed(world)
        read(world, seen)
        add_endpoint(
            seller=world.seller,
            actor=world.seller.owner,
            url="https://listens.test/",
            name="",
            events=[],
            now=world.later(),
        )
        return world, order, seen

    def shipped(self) -> Spent:
        """Two parcels: one without a number, one with a number that no carrier has."""
        world, order, seen = self.placed()
        two = (Parcel("f1", (("l1", 1),), ""), Parcel("f2", (), "T-4711"))
        with spent() as counted:
            read(world, replace(seen, parcels=two))
        kinds = list(order.timeline.order_by("pk").values_list("kind", flat=True))
        assert kinds[-2:] == ["shipped", "tracking"]
        assert set(Alert.objects.values_list("code", flat=True)) == {"tracking_missing", "tracking_unknown"}
        return counted

    def cancelled(self) -> Spent:
        world, order, seen = self.placed()
        with spent() as counted:
            read(world, replace(seen, state=ShopOrderState.CANCELLED))
        assert list(order.timeline.order_by("pk").values_list("kind", flat=True))[-2:] == [
            "cancelled_there",
            "rejected",
        ]
        return counted

    def rejected(self) -> Spent:
        world, order, _ = self.placed()
        with spent() as counted:
            reject_order(
                order=order,
                reason=CancelReason.BUYER_ASKED,
                actor=world.seller.owner,
                expected_total=None,
                now=world.later(),
            )
        assert order.timeline.latest("pk").kind == "rejected"
        return counted


class TestAnAlert:
    def raised(self, world: World) -> Alert:
        return raise_alert(
            code=AlertCode.STOCK_DIFFERS, seller=world.seller, connection=world.shop, sentence="S", now=world.now
        )

    def test_it_is_raised_without_a_look_before_and_counts_up(self) -> None:
        world = World()
        with spent() as first:
            alert = self.raised(world)
        with spent() as again:
            assert self.raised(world) == alert
        assert (first.savepoints, again.savepoints, again.round_trips) == (0, 0, 4)
        alert.refresh_from_db()
        assert (alert.times, Alert.objects.filter(code=AlertCode.STOCK_DIFFERS).count()) == (2, 1)
        settle_alert(alert=alert, actor=None, how="Done.", now=world.now)
        assert self.raised(world) != alert
