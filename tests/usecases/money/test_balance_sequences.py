"""Where each seller's money is, over random sequences of payments of several sellers: part refusals, rejects, credits,
disputes, labels, parcels and days that pass. What is reckoned here from the orders themselves is what the books say.
"""

import os
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import transaction
from django.db.models import Q, Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from tests.usecases.money.test_payment_sequences import PART, WHICH, Payments

from crossdock.domain.commands import Done, Unknown
from crossdock.domain.earnings import report as report_words
from crossdock.domain.earnings.payouts import GONE, PayoutState
from crossdock.domain.orders import ParcelState
from crossdock.domain.requests.returns import OPEN, Condition, Fate, Payer, ReturnReason
from crossdock.domain.values import Money
from crossdock.engine import invariants
from crossdock.payouts.sandbox.bank import Hand, SandboxBank
from crossdock.store.models import Command, Credit, Entry, Label, Order, Payout, PayoutAccount, Return, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.money import balance, payouts
from crossdock.usecases.money.held_back import held_back
from crossdock.usecases.money.reports import closing, journal, report
from crossdock.usecases.money.statement import Period, page_of, sums
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.outcomes import claims, settle
from crossdock.usecases.requests.receive import Deduction, Got, preview_receipt, receive
from crossdock.usecases.requests.returns import accept, ask_return, decline, free_units
from labelling import Counter as Carrier
from market import RANDOM

DELIVERED, SHIPPED = timedelta(days=2), timedelta(days=7)
ALWAYS = [one for one in invariants.ALL if "payout" in one.sentence]


class Sellers(Payments):
    """The payments of four sellers, and what each of them is owed."""

    @initialize()
    def begin(self) -> None:
        """With an order of each of them, so that there is something to ship."""
        super().begin()
        self.pay([1, 2, 1, 3], set(), False)
        self.folder = TemporaryDirectory()
        self.bank = SandboxBank(Path(self.folder.name))
        for seller in Seller.objects.filter(orders__intent__in=self.intents).distinct():
            to = self.bank._register(seller.name, "DE89 3704 0044 0532 0130 00", "USD")
            given = {"provider": "sandbox", "to": to, "actor": seller.owner, "place": "", "now": self.now}
            payouts.set_account(seller=seller, currency="USD", **given)
        PayoutAccount.objects.update(schedule="daily")

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(which=WHICH, part=PART)
    def ship(self, which: int, part: int) -> None:
        order = self._order(which, part)
        if order is None:
            return
        try:
            with transaction.atomic():
                ship_by_hand(
                    order=order,
                    lines=None,
                    tracking="T",
                    carrier="UPS",
                    actor=order.seller.owner,
                    now=self.world.later(),
                )
        except Problem:
            return

    @rule(which=WHICH, delivered=st.booleans())
    def label(self, which: int, delivered: bool) -> None:
        """The first seller's order goes out with a label that they pay."""
        mine = list(Order.objects.filter(seller=self.world.seller).order_by("pk"))
        if not mine:
            return
        try:
            with transaction.atomic():
                label = Carrier(self.world).bought(mine[which % len(mine)], ref=f"lbl-{self._next()}")
        except Problem:
            return
        if delivered:
            Label.objects.filter(pk=label.pk).update(delivered_at=self.world.later())

    @rule(which=WHICH, part=PART, step=st.sampled_from(["accept", "receive", "decline"]))
    def comes_back(self, which: int, part: int, step: str) -> None:
        """One unit of each line, which nobody wants: shipped where it was not, asked for, then answered."""
        self.ship(which, part)
        order = self._order(which, part)
        if order is None:
            return
        self.now, row = self.world.later(), Return.objects.filter(order=order, state__in=OPEN).first()
        owner = order.seller.owner
        try:
            with transaction.atomic():
                if row is None:
                    units, reason = dict.fromkeys((line.pk for line in free_units(order)), 1), ReturnReason.NOT_WANTED
                    ask_return(order=order, units=units, reason=reason, words="", now=self.now)
                elif step == "accept":
                    accept(row=row, actor=owner, send_to="1 Elm St", payer=Payer.BUYER, label="", now=self.now)
                elif step == "decline":
                    decline(row=row, actor=owner, answer="Worn.", now=self.now)
                else:
                    got = {part.pk: Got(part.units, Condition.USED, Fate.ASIDE) for part in row.lines.all()}
                    given = {"row": row, "got": got, "deduction": Deduction(), "manifest": None}
                    total = preview_receipt(**given).total
                    receive(**given, expected_total=total, actor=owner, now=self.now)
        except Problem:
            return

    @rule(days=st.integers(0, 8))
    def days_pass(self, days: int) -> None:
        self.world.now += timedelta(days=days)
        self.now = self.world.later()
        balance.release(now=self.now)
        # Released again at once, nothing changes; nor is anybody paid twice on one day.
        assert balance.release(now=self.now) == 0
        payouts.pay_due(now=self.now)
        assert payouts.pay_due(now=self.now) == 0
        self._none_too_early()

    def _none_too_early(self) -> None:
        for order in Order.objects.filter(payable_at__isnull=False, cancelled_at=None):
            assert order.parcels == ParcelState.SHIPPED, "not shipped, and payable"
            last = order.shipments.filter(undone_at=None).latest("shipped_at").shipped_at
            given = Label.objects.filter(order=order).values_list("delivered_at", flat=True)
            soonest = [last + SHIPPED, *(at + DELIVERED for at in given if at)]
            assert order.payable_at is not None and order.payable_at >= min(soonest), "payable too early"

    @rule(which=WHICH, lost=st.booleans())
    def at_the_bank(self, which: int, lost: bool) -> None:
        """What waits for the bank is sent, or looked for; the answer may be lost. Accounts may be closed."""
        self.now = self.world.later(400)
        party = Command.objects.filter(kind="send_payout").values_list("party", flat=True).first()
        for claimed in claims.claim_commands(party_id=party, owner="p", limit=20, now=self.now) if party else ():
            asked, _ = payouts.asked_of(claimed.payload["payout"])
            found = self.bank._look_up(asked.id) if claimed.look_first else ()
            outcome = Done(found[0].ref, already=True) if found else self.bank._send(asked)
            said = Unknown("No answer came.") if lost and isinstance(outcome, Done) else outcome
            settle.settle_command(command_id=claimed.id, outcome=said, random=RANDOM, now=self.world.later())
        if which == 0:
            Hand(self.bank).closes(PayoutAccount.objects.order_by("pk").values_list("ref", flat=True)[0])

    @rule(which=WHICH, back=st.booleans())
    def bank_moves(self, which: int, back: bool) -> None:
        """One arrives or comes back, and we read it, twice."""
        sent = [row for row in Hand(self.bank).sent() if row.state != "returned"]
        if not sent:
            return
        row = sent[which % len(sent)]
        Hand(self.bank).comes_back(row.ref) if back else Hand(self.bank).arrives(row.ref)
        for _ in range(2):
            given = {"public_id": row.key, "standing": self.bank._read(row.ref), "now": self.world.later()}
            payouts.receive_standing(**given)

    @invariant()
    def payouts_hold(self) -> None:
        if not hasattr(self, "bank"):
            return
        sent = {row.key: row for row in Hand(self.bank).sent()}
        for payout in Payout.objects.all():
            row = sent.get(payout.public_id)
            assert row is None or row.minor == payout.amount_minor, "the bank has another amount"
            match payout.state:
                case PayoutState.REFUSED:
                    assert row is None, "refused, and sent all the same"
                case PayoutState.RETURNED | PayoutState.PAID:
                    assert row is not None and row.state == payout.state
                case PayoutState.ACKNOWLEDGED:
                    assert row is not None and row.ref == payout.ref, "the bank has no such number"
        assert len(sent) <= Payout.objects.count(), "the bank sent more than was intended"
        assert len(ALWAYS) == 2 and [one.broken(now=self.now) for one in ALWAYS] == [[], []]

    @invariant()
    def sellers_hold(self) -> None:
        if not hasattr(self, "intents"):
            return
        for seller in Seller.objects.filter(orders__intent__in=self.intents).distinct():
            self._seller_holds(seller)

    @invariant()
    def journal_holds(self) -> None:
        """The export is the books: it comes to zero, account by account it is what stands there, and so is a report
        that began at the last closing.
        """
        if not hasattr(self, "intents"):
            return
        far = timedelta(days=4000)
        rows = [row for page in journal.every(since=self.now - far, until=self.now + far) for row in page]
        held, entries = Counter[tuple[str, str]](), Entry.objects.values_list("account", "currency", "amount_minor")
        for row in rows:
            held[row.account, row.amount.currency] += row.amount.minor
        assert len({row.id for row in rows}) == len(rows) == len(entries), "each side once"
        assert sum(row.amount.minor for row in rows) == 0, "debits and credits come to the same"
        for account, currency, minor in entries:
            held[account, currency] -= minor
        assert not any(held.values()), "the export is not the books"
        closing.close_days(now=self.now)
        (found,) = report.report(since=self.now - far, until=self.now + far)
        paid = sum(Order.objects.values_list("total_minor", flat=True))
        assert {one.figure.key: one.amount.minor for one in found.sums}["sales"] == paid
        for one in found.open:
            sides = Q(account=one.account) | Q(account__startswith=f"{one.account}:")
            stands = Entry.objects.filter(sides).aggregate(sum=Sum("amount_minor"))["sum"] or 0
            assert report_words.OPEN[one.account][2] * one.amount.minor == stands, one.title

    def _goes_back(self, order: Order) -> int | None:
        """Of what nobody wants any more: its price, as far as that was not given since; None where nothing is open."""
        row = Return.objects.filter(order=order, state__in=OPEN).first()
        if row is None or order.credited_minor == order.total_minor or (row.answered_at and not self._holds(row)):
            return None
        price = sum(part.units * part.line.unit_price_minor for part in row.lines.select_related("line"))
        since = Credit.objects.filter(order=order, granted_at__gte=row.asked_at).exclude(kind__in=["return", "lines"])
        given = since.exclude(kind="reject").aggregate(sum=Sum("amount_minor"))["sum"] or 0
        return max(0, min(price - given, order.total_minor - order.credited_minor))

    def _holds(self, row: Return) -> bool:
        return row.answered_at is not None and self.now < row.answered_at + timedelta(days=30)

    def _seller_holds(self, seller: Seller) -> None:
        owed, pending, held, returning = defaultdict[str, int](int), 0, 0, dict[int, int]()
        for order in Order.objects.filter(seller=seller):
            cut = order.total_minor * 800 // 10_000
            back = cut * order.credited_minor // order.total_minor if order.total_minor else 0
            mine = order.total_minor - order.credited_minor - (cut - back)
            labels = Label.objects.filter(order=order, state="bought").aggregate(sum=Sum("price_minor"))["sum"] or 0
            owed["USD"] += mine - labels
            left = max(0, mine - labels)
            taken = Entry.objects.filter(transfer__order=order, account="disputed").aggregate(sum=Sum("amount_minor"))
            if (goes := self._goes_back(order)) is not None:
                returning[order.pk] = goes - (cut * (order.credited_minor + goes) // order.total_minor - back)
            if order.payable_at is None:
                pending += left
            else:
                held += min(left, max(0, taken["sum"] or 0) + returning.get(order.pk, 0))
        gone = Payout.objects.filter(seller=seller, state__in=GONE).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        owed["USD"] -= gone
        back = held_back(seller, now=self.now)
        assert back == returning, "what open returns would credit"
        (found,) = balance.balances(seller, now=self.now)
        assert (found.owed, found.pending, found.held) == (owed["USD"], pending, held), "the books are the orders"
        assert found.available == found.owed - pending - held
        assert sum(row.minor for row in balance.waiting(seller, back) if row.payable_at is None) == pending
        assert sum(balance.waits(row, back).minor for row in balance.waiting(seller, back)) == pending + held
        lines = page_of(seller=seller, period=Period("USD"), before=None, limit=1000)
        assert sum(line.net.minor for line in lines) == found.owed, "the statement explains the balance"
        assert all(line.gross + line.fee == line.net for line in lines)
        middle = self.world.now - timedelta(days=3)
        earlier = sums(seller=seller, period=Period("USD", until=middle))
        later = sums(seller=seller, period=Period("USD", since=middle))
        assert earlier.after == later.before and later.after == Money(found.owed, "USD"), "one period begins the next"


def play(examples: int) -> None:
    run_state_machine_as_test(
        Sellers,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],
        ),
    )


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_whatever_happens_each_seller_s_balance_is_what_their_orders_say() -> None:
    play(int(os.environ.get("SEQUENCES", "3")))


@pytest.mark.django_db
def test_they_notice_money_that_is_payable_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nobody waits for the days after shipping."""
    monkeypatch.setattr(balance, "payable_from", lambda sent, reserve: sent.shipped_at)
    machine = Sellers()
    machine.begin()
    machine.ship(0, 1)
    with pytest.raises(AssertionError, match="too early"):
        machine.days_pass(3)
    machine.teardown()


@pytest.mark.django_db
def test_they_notice_a_payout_that_is_sent_again_blindly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: each try has a key of its own, so that a lost answer is a second payment."""
    machine = Sellers()
    machine.begin()
    machine.ship(0, 1)
    machine.days_pass(8)
    good = payouts.asked_of
    tries = iter("abc")
    monkeypatch.setattr(
        payouts, "asked_of", lambda public_id: (replace(good(public_id)[0], id=public_id + next(tries)), "sandbox")
    )
    machine.at_the_bank(1, True)
    machine.at_the_bank(1, False)
    with pytest.raises(AssertionError, match="the bank has no such number"):
        machine.payouts_hold()
    machine.teardown()


@pytest.mark.django_db
def test_they_notice_that_what_a_return_is_due_is_paid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nobody holds it back."""
    machine = Sellers()
    machine.begin()
    machine.ship(0, 1)
    machine.days_pass(8)
    machine.comes_back(0, 1, "accept")
    machine.sellers_hold()
    monkeypatch.setattr(balance, "held_back", lambda *_, **__: {})
    with pytest.raises(AssertionError, match="the books are the orders"):
        machine.sellers_hold()
    machine.teardown()
