"""Money back: exact shares, once per cause, never more than was paid; staff's second person; single units rejected;
refunds made in the shop.
"""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.commands import CancelReason, Done, Refused, Why
from crossdock.domain.credit import Paid, for_lines, for_units, with_shipping
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.store.models import (
    Alert,
    AuditEntry,
    Case,
    Command,
    Credit,
    Entry,
    Order,
    PolicySwitch,
    ShopRefund,
    User,
)
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.errors import Invalid, NotAllowed, Problem, Stale
from crossdock.usecases.money import credits
from crossdock.usecases.money.credits import ask_credit, decide_credit, staff_credit, try_refund_again
from crossdock.usecases.money.left import room
from crossdock.usecases.orders import shop_refunds
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts
from crossdock.usecases.record.telling import telling
from crossdock_lab.buying import Till
from crossdock_lab.patience import patient
from market import ADDRESS, World

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BUYER = CancelReason.BUYER_ASKED
GONE = CancelReason.NOT_AVAILABLE

LINES = st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 12)), min_size=1, max_size=6)


@given(lines=LINES, shipping=st.integers(0, 50_000), order=st.randoms(use_true_random=False))
def test_units_one_by_one_add_up_to_the_whole(lines: list[tuple[int, int]], shipping: int, order: Any) -> None:
    """In any order of rejecting, whatever the currency's decimals: minor units in, minor units out."""
    paid = [Paid(items, units) for items, units in lines]
    assert sum(with_shipping(paid, shipping)) == sum(items for items, _ in lines) + shipping
    steps = [i for i, (_, units) in enumerate(lines) for _ in range(units)]
    order.shuffle(steps)
    gone, back = [0] * len(lines), 0
    for i in steps:
        now = [Paid(items, units, done) for (items, units), done in zip(lines, gone, strict=True)]
        back += sum(for_lines(now, shipping, [int(j == i) for j in range(len(lines))]))
        gone[i] += 1
    assert back == sum(items for items, _ in lines) + shipping


def test_more_units_than_there_are_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="more units"):
        for_units(100, 2, 1, 2)


def lift(rule: str = "S8") -> None:
    PolicySwitch.objects.create(rule=rule, lifted=True, changed_at=NOW)


def balanced(order: Order) -> None:
    """Every transfer is balanced by the database; here: what is promised is what the order says, and never more than
    was paid.
    """
    order.refresh_from_db()
    due = (
        Entry.objects.filter(transfer__order=order, account="refunds_due").aggregate(sum=Sum("amount_minor"))["sum"]
        or 0
    )
    back = (
        Entry.objects.filter(transfer__order=order, account="gateway", amount_minor__lt=0).aggregate(
            sum=Sum("amount_minor")
        )["sum"]
        or 0
    )
    assert -due + -back == order.credited_minor <= order.total_minor
    granted = (
        order.credits.filter(state__in=["granted", "refunded", "failed"]).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    )
    assert granted == order.credited_minor
    if order.credited_minor == order.total_minor:
        owed = Entry.objects.filter(transfer__order=order).exclude(account__in=["gateway", "refunds_due"])
        assert not any(row["sum"] for row in owed.values("account").annotate(sum=Sum("amount_minor"))), (
            "seller and fees gave all back"
        )


@pytest.mark.django_db
class TestParts:
    def shop(self, quantity: int = 3) -> tuple[World, Order]:
        world = World(units=5, now=NOW)
        lift()
        return world, world.buy(quantity)

    def reject(
        self,
        world: World,
        order: Order,
        units: int,
        reason: CancelReason = BUYER,
        key: str = "k1",
        platform: str = "woocommerce",
    ) -> Credit | None:
        manifest = discover.connectors()[platform].manifest
        line = order.lines.get()
        picks = {line.pk: Pick(units, reason)}
        shown = preview_parts(order=order, picks=picks, manifest=manifest)
        return reject_parts(
            order=order,
            picks=picks,
            expected_total=shown.total,
            key=key,
            manifest=manifest,
            actor=world.seller.owner,
            now=world.later(),
        )

    def test_one_of_three_before_it_was_sent(self) -> None:
        world, order = self.shop()
        credit = self.reject(world, order, 1)
        assert credit and credit.amount == Money((3000 + 500) // 3 + 1, "USD"), (
            "a third of items and shipping, the rest first"
        )
        assert world.available == 3, "two are promised, one is free again: nobody ever asked the shop"
        (claimed,) = world.claim()
        assert [line["quantity"] for line in claimed.payload["lines"]] == [2]
        balanced(order)
        assert order.money == "partly_credited" and order.parcels == "unshipped"

    def test_after_it_landed_the_shop_takes_them_out_and_only_a_later_read_frees_them(self) -> None:
        world, order = self.shop()
        (claimed,) = world.claim()
        world.settle(claimed, Done("s1", shop_number="#1", stock_taken=True))
        world.units = 2
        world.read()
        assert world.available == 2
        self.reject(world, order, 1)
        assert world.available == 2, "nothing is added here"
        (taken,) = world.claim()
        assert (taken.kind, taken.payload["lines"], taken.payload["shop_order_id"]) == (
            "cancel_lines",
            [["v1", 1]],
            "s1",
        )
        world.units = 3
        world.settle(taken, Done("r1"))
        assert world.available == 2
        world.read()
        assert world.available == 3
        assert order.timeline.filter(kind="lines_gone").count() == 1
        balanced(order)

    def test_rejected_while_the_create_is_on_its_way(self) -> None:
        world, order = self.shop()
        (claimed,) = world.claim()
        self.reject(world, order, 1)
        assert world.available == 2, "all three are still held"
        world.settle(claimed, Done("s9", stock_taken=True))
        world.units = 2
        (taken,) = world.claim()
        assert taken.payload["shop_order_id"] == "s9", "it waited for the id"
        world.read()
        world.units = 3
        world.settle(taken, Done(""))
        world.read()
        assert world.available == 3

    def test_a_shop_that_says_no_is_an_alert_and_the_credit_stays(self) -> None:
        world, order = self.shop()
        (claimed,) = world.claim()
        world.settle(claimed, Done("s1", stock_taken=True))
        self.reject(world, order, 2)
        (taken,) = world.claim()
        world.settle(taken, Refused(Why.TOO_LATE, "It was shipped."))
        assert Alert.objects.get(code="cancel_failed").sentence.count("by hand") == 1
        balanced(order)

    def test_what_is_not_there_is_set_aside(self) -> None:
        world, order = self.shop()
        self.reject(world, order, 1, GONE)
        assert world.available == 0
        world.read()
        assert world.available == 0, "no read lifts it"

    def test_the_last_unit_cancels_the_order_and_gives_back_the_rest(self) -> None:
        world, order = self.shop()
        first = self.reject(world, order, 2)
        assert first
        order.refresh_from_db()
        last = self.reject(world, order, 1, key="k2")
        order.refresh_from_db()
        assert last and last.amount + first.amount == order.total
        assert order.cancelled_at and order.money == "credited"
        balanced(order)

    def test_units_that_are_gone_are_another_wish_to_the_shop_than_those_that_go_back(self) -> None:
        from crossdock.usecases.orders.reject_units import PartLine, _groups

        _, order = self.shop()
        line, zero = order.lines.get(), Money.zero("USD")
        back, gone = PartLine(line, 1, BUYER, zero, ""), PartLine(line, 1, CancelReason.DAMAGED, zero, "")
        assert _groups([back, gone], "c") == {"c": [back], "c:gone": [gone]}
        assert _groups([gone], "c") == {"c": [gone]} and _groups([back], "c") == {"c": [back]}

    def test_pressed_twice_it_is_one(self) -> None:
        world, order = self.shop()
        assert self.reject(world, order, 1) == self.reject(world, order, 1)
        balanced(order)
        assert order.lines.get().rejected == 1

    def test_another_amount_than_shown_changes_nothing(self) -> None:
        world, order = self.shop()
        line = order.lines.get()
        with pytest.raises(Stale, match="Look again"):
            reject_parts(
                order=order,
                picks={line.pk: Pick(1, BUYER)},
                expected_total=Money(1, "USD"),
                key="k",
                manifest=None,
                actor=world.seller.owner,
                now=NOW,
            )
        assert not Credit.objects.exists() and order.lines.get().rejected == 0

    def test_as_described_only_the_whole_order(self) -> None:
        world = World(units=5, now=NOW)
        order = world.buy(2)
        with pytest.raises(NotAllowed, match="whole order"):
            self.reject(world, order, 1)

    def test_shipped_units_stay_and_the_rest_can_be_rejected(self) -> None:
        world, order = self.shop()
        line = order.lines.get()
        ship_by_hand(
            order=order, lines={line.pk: 2}, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later()
        )
        order.refresh_from_db()
        with pytest.raises(Invalid, match="between 1 and 1"):
            self.reject(world, order, 2)
        self.reject(world, order, 1)
        order.refresh_from_db()
        assert order.parcels == "shipped" and not order.cancelled_at, "what is left of it is shipped"
        balanced(order)


@pytest.mark.django_db
class TestStaff:
    def shipped(self, minor: int = 1000) -> tuple[World, Order, User, User]:
        world = World(units=500, now=NOW)
        order = world.buy(minor // 1000)
        ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
        order.refresh_from_db()
        one = User.objects.create_user("one@example.test", is_staff=True)
        return world, order, one, User.objects.create_user("two@example.test", is_staff=True)

    def test_the_seller_asks_and_staff_credit(self) -> None:
        world, order, staff, _ = self.shipped()
        credit = ask_credit(
            order=order,
            amount=Money(300, "USD"),
            reason="Arrived damaged",
            body="One corner.",
            actor=world.seller.owner,
            now=NOW,
        )
        again = ask_credit(
            order=order, amount=Money(400, "USD"), reason="More", body="", actor=world.seller.owner, now=NOW
        )
        assert again == credit and Case.objects.get().kind == "credit"
        balanced(order)
        assert order.credited_minor == 0, "a wish moves nothing"
        decide_credit(
            credit=credit, grant_it=True, actor=staff, remark="Seen the picture.", now=NOW, amount=Money(250, "USD")
        )
        decide_credit(credit=credit, grant_it=True, actor=staff, remark="Again.", now=NOW)
        order.refresh_from_db()
        assert order.credited_minor == 250
        balanced(order)
        assert AuditEntry.objects.filter(action="credited").count() == 1

    def test_a_large_one_needs_a_second_person(self) -> None:
        _, order, one, two = self.shipped(400_000)
        credit = staff_credit(order=order, amount=Money(20_001, "USD"), reason="Lost", actor=one, key="k", now=NOW)
        assert (credit.state, order.credits.count()) == ("second", 1)
        with pytest.raises(NotAllowed, match="second person"):
            decide_credit(credit=credit, grant_it=True, actor=one, remark="Yes.", now=NOW)
        balanced(order)
        assert order.credited_minor == 0
        decided = decide_credit(credit=credit, grant_it=True, actor=two, remark="I agree.", now=NOW)
        assert (decided.state, decided.second_by) == ("granted", two)
        small = staff_credit(order=order, amount=Money(20_000, "USD"), reason="Lost", actor=one, key="k2", now=NOW)
        assert small.state == "granted", "up to the limit one is enough"
        balanced(order)

    def test_declined(self) -> None:
        world, order, staff, _ = self.shipped()
        credit = ask_credit(
            order=order, amount=Money(300, "USD"), reason="Goodwill", body="", actor=world.seller.owner, now=NOW
        )
        with pytest.raises(Invalid, match="Say why"):
            decide_credit(credit=credit, grant_it=False, actor=staff, remark=" ", now=NOW)
        decide_credit(credit=credit, grant_it=False, actor=staff, remark="Not our fault.", now=NOW)
        balanced(order)
        assert order.credited_minor == 0 and Credit.objects.get().state == "declined"

    def test_never_more_than_was_paid(self) -> None:
        world, order, staff, _ = self.shipped()
        staff_credit(order=order, amount=Money(1000, "USD"), reason="x", actor=staff, key="a", now=NOW)
        order.refresh_from_db()
        with pytest.raises(Invalid, match=r"5\.00"):
            staff_credit(order=order, amount=Money(501, "USD"), reason="x", actor=staff, key="b", now=NOW)
        with pytest.raises(NotAllowed):
            staff_credit(order=order, amount=Money(1, "USD"), reason="x", actor=world.seller.owner, key="c", now=NOW)
        assert room(order) == Money(500, "USD")

    def test_a_refused_refund_stays_due_and_is_tried_again(self) -> None:
        _, order, staff, _ = self.shipped()
        credit = staff_credit(order=order, amount=Money(300, "USD"), reason="x", actor=staff, key="a", now=NOW)
        first = Command.objects.get(kind="refund_payment")
        settle(first, Refused(Why.INVALID, "The card is closed."))
        credit.refresh_from_db()
        assert (credit.state, credit.sentence) == ("failed", "The card is closed.")
        balanced(order)
        try_refund_again(credit=credit, actor=staff, now=NOW)
        with pytest.raises(NotAllowed):
            try_refund_again(credit=credit, actor=staff, now=NOW)
        second = Command.objects.filter(kind="refund_payment").latest("pk")
        assert second.cause != first.cause
        settle(second, Done("re_1"))
        credit.refresh_from_db()
        assert credit.state == "refunded"
        balanced(order)


def settle(command: Command, outcome: Any) -> None:
    from random import Random

    from crossdock.usecases.outcomes.settle import settle_command

    Command.objects.filter(pk=command.pk).update(state="in_flight")
    settle_command(command_id=command.pk, outcome=outcome, random=Random(1), now=NOW)


@pytest.mark.django_db
class TestRefundInTheShop:
    def seen(self, minor: int, refund_id: str = "r1", currency: str = "USD") -> tuple[World, Order]:
        world = World(units=500, now=NOW)
        order = world.buy(20)
        refund = ShopRefund.objects.create(
            order=order, refund_id=refund_id, amount_minor=minor, currency=currency, seen_at=NOW
        )
        locked = credits.locked_order
        with telling(NOW) as told:
            self.took = shop_refunds.credit_shop_refund(order=locked(order), refund=refund, told=told)
        order.refresh_from_db()
        return world, order

    def test_as_described_it_moves_nothing(self) -> None:
        _, order = self.seen(500)
        assert not self.took and order.credited_minor == 0

    def test_lifted_it_credits_up_to_the_limit(self) -> None:
        lift()
        _, order = self.seen(500)
        assert self.took and order.credited_minor == 500
        balanced(order)

    def test_above_the_limit_staff_get_a_prefilled_case(self) -> None:
        lift()
        _, order = self.seen(10_001)
        assert self.took and order.credited_minor == 0
        assert Case.objects.get().kind == "shop_refund"
        assert Credit.objects.get().amount == Money(10_001, "USD")

    def test_never_more_than_is_left(self) -> None:
        lift()
        _, order = self.seen(9_999)
        refund = ShopRefund.objects.create(order=order, refund_id="r2", amount_minor=9_999, currency="USD", seen_at=NOW)
        third = ShopRefund.objects.create(order=order, refund_id="r3", amount_minor=9_999, currency="USD", seen_at=NOW)
        for one in (refund, third, refund):
            with telling(NOW) as told:
                shop_refunds.credit_shop_refund(order=credits.locked_order(order), refund=one, told=told)
        balanced(order)
        assert order.credited_minor == order.total_minor == 20_500, (
            "the third gives what is left; the second, seen again, nothing"
        )


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_credit_exactly_what_was_paid() -> None:
    """Rejects, staff credits and doubles in real threads with connections of their own; counted in the bank's own
    ledger afterwards.
    """
    import asyncio
    import sqlite3

    from crossdock.kit.payments import open_gateway

    world = World(units=50, now=datetime.now(UTC))
    listing = make_listing(
        seller=world.seller, title="Own", description="", price=Money(700, "USD"), count=9, now=world.now
    )
    buyer = User.objects.create_user("zoe@example.test", None, name="Zoë")
    order = Till(settings.CONFIG.data).buy(buyer=buyer, variant=listing.variants.get(), quantity=3, ship_to=ADDRESS)
    staff = [User.objects.create_user(f"staff{i}@example.test", is_staff=True) for i in range(4)]
    lift()
    line = order.lines.get()
    ready = threading.Barrier(50)
    trouble: list[BaseException] = []

    def one(n: int) -> None:
        try:
            mine = Order.objects.get(pk=order.pk)
            ready.wait(patient(60))
            if n % 5 == 0:
                reject_order(
                    order=mine, reason=BUYER, actor=world.seller.owner, expected_total=room(mine), now=datetime.now(UTC)
                )
            elif n % 5 == 1:
                picks = {line.pk: Pick(1, BUYER)}
                shown = preview_parts(order=mine, picks=picks, manifest=None)
                reject_parts(
                    order=mine,
                    picks=picks,
                    expected_total=shown.total,
                    key=f"p{n % 3}",
                    manifest=None,
                    actor=world.seller.owner,
                    now=datetime.now(UTC),
                )
            else:
                staff_credit(
                    order=mine,
                    amount=Money(190 + n, "USD"),
                    reason="x",
                    actor=staff[n % 4],
                    key=f"s{n % 20}",
                    now=datetime.now(UTC),
                )
        except Problem:
            pass
        except BaseException as error:
            trouble.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[n]) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    order.refresh_from_db()
    if not order.cancelled_at and room(order).minor:
        staff_credit(
            order=order, amount=room(order), reason="the rest", actor=staff[0], key="rest", now=datetime.now(UTC)
        )
    balanced(order)
    assert order.credited_minor == order.total_minor
    bank = open_gateway("sandbox", settings.CONFIG.data)
    for command in Command.objects.filter(kind="refund_payment", subject=f"money:{order.reference}"):
        amount = Money(command.payload["amount_minor"], "USD")
        for _ in range(2):
            outcome = asyncio.run(bank.refund(order.intent.asked, amount, command.cause))
            assert isinstance(outcome, Done), outcome
    with sqlite3.connect(settings.CONFIG.data / "payments" / "sandbox" / "ledger.sqlite") as db:
        (back,) = db.execute("SELECT sum(minor) FROM refund WHERE intent = ?", [order.intent.public_id]).fetchone()
    assert back == order.total_minor
    connection.close()


def test_limits_are_the_operators(settings: Any) -> None:
    assert credits.needs_second(Money(20_001, "USD")) and not credits.needs_second(Money(20_000, "USD"))
    assert credits.needs_second(Money(201, "JPY")) and not credits.needs_second(Money(200_000, "KWD"))
