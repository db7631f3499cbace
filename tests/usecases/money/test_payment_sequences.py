"""Money over random sequences of what can happen to payments of several sellers: parts that are gone, rejects, credits,
refunds at the bank's own pages, disputes. The bank is kept beside it, so that the test counts there.
"""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crossdock.domain.commands import CancelReason, Done, Outcome, Refused, Why
from crossdock.domain.earnings.protection import Bearer
from crossdock.domain.payments import BankRefund, Dispute, DisputeState, RefundState, Standing
from crossdock.domain.values import Money
from crossdock.engine import invariants
from crossdock.store.models import (
    Command,
    Entry,
    LostDispute,
    Order,
    PaymentIntent,
    Reservation,
    ShippingRate,
    User,
    Variant,
    VariantStock,
)
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import priced
from crossdock.usecases.checkout.parts import parts_of
from crossdock.usecases.errors import Problem, Stale
from crossdock.usecases.money import bank_news, disputes, rounds
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.money.left import room, uncredited, with_the_bank
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outcomes import claims, settle
from market import ADDRESS, RANDOM, World, user

WHICH, PART = st.integers(0, 5), st.integers(0, 3)


@dataclass
class Bank:
    """One payment in the bank's own books: refunds by our key, refunds at its pages, what it `has` of each dispute."""

    paid: int
    ours: dict[str, int] = field(default_factory=dict)
    own: dict[str, BankRefund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    has: dict[str, int] = field(default_factory=dict)

    @property
    def back(self) -> int:
        own = [refund.amount.minor for refund in self.own.values() if refund.state is not RefundState.FAILED]
        return sum(self.ours.values()) + sum(own)

    @property
    def taken(self) -> int:
        return sum(self.has.values())

    def says(self, dispute: Dispute) -> None:
        """A question moves no money, whenever it is asked."""
        name = dispute.dispute_id
        self.disputes[name] = dispute
        if dispute.state is not DisputeState.ASKED:
            self.has[name] = 0 if dispute.state is DisputeState.WON else dispute.amount.minor


class Payments(RuleBasedStateMachine):
    """Four sellers; prices and shipping that divide badly."""

    @initialize()
    def begin(self) -> None:
        self.mark = transaction.savepoint()
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.world = World(units=50, now=self.now)
        self.things: list[Variant] = [self.world.variant]
        for number, (price, shipping) in enumerate(((733, 199), (101, 0), (1, 1))):
            listing = make_listing(
                seller=World(now=self.now).seller,
                title=f"Owl {number}",
                description="",
                price=Money(price, "USD"),
                count=50,
                now=self.now,
            )
            ShippingRate.objects.filter(seller=listing.seller).update(price_minor=shipping)
            self.things.append(listing.variants.get())
        self.staff = User.objects.create_user("staff@example.test", is_staff=True, roles="admin")
        self.intents: list[PaymentIntent] = []
        self.banks: dict[str, Bank] = {}
        self.read: list[tuple[PaymentIntent, Standing, int]] = []
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "mark"):
            transaction.savepoint_rollback(self.mark)

    def _next(self) -> int:
        self.number += 1
        return self.number

    @rule(units=st.lists(st.integers(0, 3), min_size=4, max_size=4), gone=st.sets(PART), twice=st.booleans())
    def pay(self, units: list[int], gone: set[int], twice: bool) -> None:
        """Some of the units are gone by the time the money comes."""
        lines = {thing.public_id: many for thing, many in zip(self.things, units, strict=True) if many}
        if len(self.intents) > 2 or not lines:
            return
        shown = priced(basket={"lines": lines}, country="US", now=self.now)
        intent = checkout.open_checkout(
            buyer=user(),
            basket={"lines": lines},
            ship_to=ADDRESS,
            key=f"checkout-{self._next()}",
            fingerprint=shown.fingerprint,
            gateway="sandbox",
            now=self.now,
        )
        lost = [self.things[number].pk for number in gone]
        mine = Reservation.objects.filter(variant__in=lost, state="checkout")
        before = dict(VariantStock.objects.filter(pk__in=lost).values_list("pk", "count"))
        mine.update(state="ended", expires_at=None)
        VariantStock.objects.filter(pk__in=lost).update(count=0)
        self.banks[intent.public_id] = Bank(intent.amount_minor)
        for _ in range(1 + twice):
            try:
                checkout.place_order(intent_id=intent.public_id, gateway_ref="r", checks={}, now=self.now)
            except Stale:
                assert set(intent.basket["parts"][0]) and not Order.objects.filter(intent=intent).exists()
        for pk, count in before.items():
            VariantStock.objects.filter(pk=pk).update(count=count)
        intent.refresh_from_db()
        self.intents.append(intent)
        wanted = {part.total.minor for part in parts_of(intent) if part.back}
        if intent.state == "abandoned":
            wanted = {intent.amount_minor}
        asked = Command.objects.filter(subject=f"intent:{intent.public_id}", kind="refund_payment")
        assert sorted(one.payload["amount_minor"] for one in asked) == sorted(
            [part.total.minor for part in parts_of(intent) if part.back] if intent.state == "captured" else wanted
        ), "each part to the cent, once"

    @rule()
    def pay_back(self) -> None:
        """What waits for the bank is carried out there."""
        self.now = self.world.later(400)
        party = Command.objects.filter(kind="refund_payment").values_list("party", flat=True).first()
        for claimed in claims.claim_commands(party_id=party, owner="b", limit=20, now=self.now) if party else ():
            settle.settle_command(
                command_id=claimed.id, outcome=self._at_bank(claimed), random=RANDOM, now=self.world.later()
            )

    def _at_bank(self, claimed: claims.Claimed) -> Outcome:
        key = Command.objects.get(pk=claimed.id).cause
        bank, minor = self.banks[claimed.payload["intent"]], claimed.payload["amount_minor"]
        if bank.back + minor > bank.paid:
            assert bank.own, "the bank was asked for more than was paid"
            return Refused(Why.INVALID, "There is not so much left.")
        assert key not in bank.ours, "one key, paid twice"
        bank.ours[key] = minor
        return Done(f"re-{key}")

    def _order(self, which: int, part: int) -> Order | None:
        if not self.intents:
            return None
        orders = list(Order.objects.filter(intent=self.intents[which % len(self.intents)]).order_by("pk"))
        return orders[part % len(orders)] if orders else None

    @rule(which=WHICH, part=PART)
    def reject(self, which: int, part: int) -> None:
        order = self._order(which, part)
        if order is None:
            return
        try:
            with transaction.atomic():
                reject_order(
                    order=order,
                    reason=CancelReason.OTHER,
                    actor=order.seller.owner,
                    expected_total=room(order),
                    now=self.world.later(),
                )
        except Problem:
            return
        order.refresh_from_db()
        assert room(order).minor == 0, "all that the bank has not taken"

    @rule(which=WHICH, part=PART, minor=st.integers(1, 3000))
    def credit(self, which: int, part: int, minor: int) -> None:
        order = self._order(which, part)
        if order is None:
            return
        try:
            with transaction.atomic():
                staff_credit(
                    order=order,
                    amount=Money(minor, "USD"),
                    reason="x",
                    actor=self.staff,
                    key=f"k{self._next()}",
                    now=self.world.later(),
                )
        except Problem:
            return
        order.refresh_from_db()
        assert uncredited(order) >= with_the_bank(order), "the buyer is paid twice"

    @precondition(lambda self: self.intents)
    @rule(which=WHICH, minor=st.integers(1, 5000), part=st.none() | PART)
    def refund_at_bank(self, which: int, minor: int, part: int | None) -> None:
        """At the bank's own pages; of exactly what one order has left, or of any amount."""
        intent = self.intents[which % len(self.intents)]
        bank, order = self.banks[intent.public_id], self._order(which, part or 0)
        if part is not None and order is not None:
            minor = room(order).minor
        minor = min(minor, bank.paid - bank.back)
        if minor:
            name = f"re{self._next()}"
            bank.own[name] = BankRefund(name, Money(minor, "USD"), RefundState.DONE)
            self._news(intent)

    @precondition(lambda self: self.intents)
    @rule(which=WHICH, one=PART)
    def comes_back(self, which: int, one: int) -> None:
        intent = self.intents[which % len(self.intents)]
        own = self.banks[intent.public_id].own
        if own:
            name = list(own)[one % len(own)]
            own[name] = BankRefund(name, own[name].amount, RefundState.FAILED)
            self._news(intent)

    @precondition(lambda self: self.intents)
    @rule(
        which=WHICH,
        one=PART,
        minor=st.integers(1, 5000),
        states=st.lists(st.sampled_from(DisputeState), min_size=1, max_size=3),
        other=st.booleans(),
    )
    def dispute(self, which: int, one: int, minor: int, states: list[DisputeState], other: bool) -> None:
        """From any state to any, as often as it likes; sometimes over another amount than before."""
        intent = self.intents[which % len(self.intents)]
        bank = self.banks[intent.public_id]
        names = [*bank.disputes, f"dp{self._next()}"]
        known = bank.disputes.get(name := names[one % len(names)])
        amount = known.amount if known and not other else Money(min(minor, bank.paid), "USD")
        for state in states:
            bank.says(Dispute(name, amount, state, "duplicate"))
            self._news(intent)

    @precondition(lambda self: self.read)
    @rule(one=st.integers(1, 9))
    def late(self, one: int) -> None:
        """What was read before comes after what was read later: it is asked for again, or was the same."""
        intent, standing, since = self.read[-one % len(self.read)]
        now = self.world.later()
        if not bank_news.receive_standing(intent_id=intent.public_id, standing=standing, now=now, since=since):
            self._news(intent)

    @rule(which=WHICH, bearer=st.sampled_from(Bearer))
    def decide(self, which: int, bearer: Bearer) -> None:
        """Staff say who bears a lost dispute, pressed twice."""
        rows = list(LostDispute.objects.filter(state="open").select_related("order").order_by("pk"))
        if not rows:
            return
        row, now = rows[which % len(rows)], self.world.later()
        seen = disputes.preview(row=row, actor=self.staff, now=now).seen
        for _ in range(2):
            disputes.decide(row=row, bearer=bearer, why="seen", seen=seen, actor=self.staff, now=now)

    def _news(self, intent: PaymentIntent) -> None:
        bank = self.banks[intent.public_id]
        for _ in range(2):
            since = rounds.last_news(intent)
            standing = Standing(refunds=tuple(bank.own.values()), disputes=tuple(bank.disputes.values()))
            self.read.append((intent, standing, since))
            now = self.world.later()
            assert bank_news.receive_standing(intent_id=intent.public_id, standing=standing, now=now, since=since)

    @invariant()
    def money_holds(self) -> None:
        if not hasattr(self, "intents"):
            return
        connection.check_constraints()
        assert Entry.objects.aggregate(sum=Sum("amount_minor"))["sum"] in (0, None), "the books balance"
        for intent in self.intents:
            self._payment_holds(intent)

    def _payment_holds(self, intent: PaymentIntent) -> None:
        orders, bank = list(Order.objects.filter(intent=intent)), self.banks[intent.public_id]
        parts = parts_of(intent)
        total, gone = sum(order.total_minor for order in orders), sum(part.total.minor for part in parts if part.back)
        if intent.state != "captured":
            assert not orders
            return
        assert total + gone == intent.amount_minor, "the orders and what went back are the payment"
        credited = sum(order.credited_minor for order in orders)
        assert credited + gone <= intent.amount_minor, "no credit beyond the payment"
        for order in orders:
            promised = order.credits.filter(state__in=["granted", "refunded", "failed"])
            assert (
                (promised.aggregate(sum=Sum("amount_minor"))["sum"] or 0) == order.credited_minor <= order.total_minor
            )
        held = Entry.objects.filter(transfer__order__in=orders, account="gateway").aggregate(sum=Sum("amount_minor"))
        parts_back = sum(minor for key, minor in bank.ours.items() if key.startswith("refund:intent:"))
        assert held["sum"] == total - (bank.back - parts_back) - bank.taken, "the books say what the bank has"
        lost = list(LostDispute.objects.filter(order__in=orders).exclude(state="back"))
        decided = [row for row in lost if row.state == "decided"]
        whole, theirs = sum(row.amount_minor for row in decided), sum(row.seller_minor for row in decided)
        assert self._in("disputed", orders) == bank.taken - whole, "what is not decided is held"
        assert self._in("protection", orders) == whole - theirs, "the marketplace bears the rest"
        for name, dispute in bank.disputes.items():
            about = [row for row in lost if row.cause.replace("/", ":").split(":")[1] == name]
            minor = sum(row.amount_minor for row in about)
            if dispute.state in (DisputeState.WON, DisputeState.LOST):
                assert minor == bank.has[name], "what is lost is to be decided or decided, and nothing else"
            assert minor in (0, bank.has.get(name, 0)), "nothing is to be decided that the bank has not"

    @staticmethod
    def _in(account: str, orders: list[Order]) -> int:
        found = Entry.objects.filter(transfer__order__in=orders, account=account)
        return int(found.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def play(examples: int) -> None:
    run_state_machine_as_test(
        Payments,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],
        ),
    )


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_whatever_happens_to_payments_of_several_sellers_the_books_say_what_the_bank_has() -> None:
    play(int(os.environ.get("SEQUENCES", "10")))


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_they_notice_a_refund_that_each_order_takes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what the bank refunded of a payment counts for each of its orders, as if it were alone."""
    monkeypatch.setattr(bank_news, "over_orders", lambda amount, rests, totals: (amount,) * len(rests))
    with pytest.raises(AssertionError, match="the books say what the bank has"):
        play(200)


@pytest.mark.django_db
def test_what_must_always_hold_sees_a_part_that_is_lost() -> None:
    """Planted: a part became no order, and nothing of it went back."""
    here = Payments()
    here.begin()
    here.pay([1, 1, 0, 0], set(), False)
    assert invariants.check(now=here.now) == {}
    intent = here.intents[0]
    PaymentIntent.objects.filter(pk=intent.pk).update(amount_minor=intent.amount_minor + 1)
    sentence = "The orders of a payment, and the parts of it that went back, are the payment."
    assert invariants.check(now=here.now) == {sentence: [f"payment {intent.public_id}"]}
