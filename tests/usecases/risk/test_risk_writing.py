"""S5 lifted: the level and its reasons go to the order in the shop, once per judgement, the newest wins; and what
makes an order be judged again.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.usecases.risk.test_risk import BAD, GOOD, NOW, bought

from crossdock.domain.commands import CancelReason, Done, Refused, Why
from crossdock.domain.payments import BankRefund, Dispute, DisputeState, RefundState, Standing
from crossdock.domain.risk import RiskLevel, Sentiment
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Command, Order, RiskAssessment, RiskTrace, ShopCopy, TimelineEntry, User
from crossdock.usecases.money import bank_news
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outbox.payloads import RISK
from crossdock.usecases.record.policy import switch
from crossdock.usecases.risk.again import judge_newly_linked
from crossdock.usecases.risk.judge import judge
from crossdock.usecases.risk.labels import label_order
from crossdock.usecases.risk.writing import still_wanted, wish_written
from market import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=50, now=NOW)


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("staff@example.test", None, is_staff=True)


@pytest.fixture
def lifted(staff: User) -> None:
    switch(rule="S5", lift=True, actor=staff, now=NOW)


def landed(world: World, checks: dict[str, str], now: datetime = NOW) -> Order:
    order = bought(world, checks, now=now)
    world.settle(
        next(claimed for claimed in world.claim() if claimed.subject == order.reference),
        Done(f"s{order.pk}", stock_taken=True),
    )
    return order


def wishes() -> list[Command]:
    return list(Command.objects.filter(kind="write_risk").order_by("pk"))


class TestWriting:
    def test_nothing_is_written_as_described(self, world: World) -> None:
        landed(world, BAD)
        assert wishes() == []

    def test_only_once_the_order_stands_in_the_shop(self, world: World, lifted: None) -> None:
        order = bought(world, BAD)
        assert wishes() == [], "it is not there yet"
        world.settle(world.claim()[0], Done("s1", stock_taken=True))
        (wish,) = wishes()
        command = RISK.validate_python(wish.payload)
        kept = RiskAssessment.objects.get(order=order)
        assert (command.reference, command.shop_order_id, command.level) == (order.reference, "s1", RiskLevel.HIGH)
        assert (command.available, command.asked, command.key) == (kept.available, kept.asked, wish.cause)
        assert (
            command.facts[0].sentiment is Sentiment.NEGATIVE
            and "code did not match" in command.facts[0].sentence + command.facts[1].sentence
        )
        assert all(fact.sentiment is not Sentiment.NEUTRAL for fact in command.facts)
        assert order.buyer.email not in str(wish.payload) and order.ship_to["name"] not in str(wish.payload)
        wish_written(order=order, now=NOW)
        assert len(wishes()) == 1, "asked again it is the same wish"

    def test_it_stands_in_a_line_of_its_own(self, world: World, lifted: None) -> None:
        """A shop that is slow to take a note does not hold up a cancel."""
        order = landed(world, BAD)
        assert wishes()[0].subject != order.reference
        reject_order(
            order=order, reason=CancelReason.FRAUD, actor=world.seller.owner, expected_total=order.total, now=NOW
        )
        assert {claimed.kind for claimed in world.claim()} >= {"cancel_order", "write_risk"}

    def test_another_level_is_written_and_the_newest_wins(self, world: World, lifted: None, staff: User) -> None:
        order = landed(world, GOOD)
        (first,) = wishes()
        judge(order=order, why="labelled", now=NOW)
        assert len(wishes()) == 1, "the same level says nothing new"
        other = bought(world, GOOD, now=NOW + timedelta(hours=1))
        before = RiskAssessment.objects.filter(order=order).count()
        label_order(order=other, fraud=True, actor=staff, why="The bank says so.", now=NOW + timedelta(hours=2))
        assert RiskAssessment.objects.filter(order=order).count() == before + 1
        mine = [wish for wish in wishes() if order.reference in wish.subject]
        assert [(wish.state, wish.payload["level"]) for wish in mine] == [
            ("withdrawn", first.payload["level"]),
            ("waiting", "high"),
        ]
        assert first.payload["level"] != "high"

    def test_what_was_sent_is_not_withdrawn_but_followed(self, world: World, lifted: None, staff: User) -> None:
        order = landed(world, GOOD)
        (claimed,) = [each for each in world.claim() if each.kind == "write_risk"]
        world.settle(claimed, Done("s1"))
        assert TimelineEntry.objects.filter(order=order, kind="risk_written").count() == 1
        label_order(
            order=bought(world, GOOD, now=NOW + timedelta(hours=1)),
            fraud=True,
            actor=staff,
            why="x",
            now=NOW + timedelta(hours=2),
        )
        assert [wish.state for wish in wishes() if order.reference in wish.subject] == ["done", "waiting"]

    def test_withdrawn_when_the_order_was_cancelled(self, world: World, lifted: None) -> None:
        order = landed(world, BAD)
        reject_order(
            order=order, reason=CancelReason.FRAUD, actor=world.seller.owner, expected_total=order.total, now=NOW
        )
        (claimed,) = [each for each in world.claim() if each.kind == "write_risk"]
        assert not still_wanted(command_id=claimed.id, now=NOW)
        assert wishes()[0].state == "withdrawn"
        judge(order=Order.objects.get(pk=order.pk), why="again", now=NOW)
        assert len(wishes()) == 1

    def test_a_refusal_is_told_and_alarms_nobody(self, world: World, lifted: None) -> None:
        order = landed(world, BAD)
        (claimed,) = [each for each in world.claim() if each.kind == "write_risk"]
        before = Alert.objects.count()
        world.settle(claimed, Refused(Why.TOO_LATE, "The order is fulfilled."))
        assert TimelineEntry.objects.get(order=order, kind="risk_not_written").sentence.endswith(
            "The order is fulfilled."
        )
        assert Alert.objects.count() == before
        assert ShopCopy.objects.get(order=order).state != "refused"


class TestJudgedAgain:
    def test_another_buyers_order_with_the_same_card_makes_the_first_look_different(self, world: World) -> None:
        first = bought(world, GOOD)
        alone = bought(world, {**GOOD, "card_fingerprint": "f2"}, now=NOW)
        RiskTrace.objects.filter(order=alone).update(address="elsewhere")
        assert judge_newly_linked(now=NOW + timedelta(minutes=1)) == 0
        second = bought(world, GOOD, now=NOW + timedelta(hours=1))
        count = RiskAssessment.objects.count()
        assert judge_newly_linked(now=NOW + timedelta(hours=1, minutes=1)) == 1
        again = RiskAssessment.objects.filter(order=first).latest("pk")
        assert again.why == "a linked order was placed" and again.inputs["buyers_of_card"] == 1
        assert RiskAssessment.objects.filter(order=first).earliest("pk").inputs["buyers_of_card"] == 0
        assert RiskAssessment.objects.filter(order__in=[second, alone]).count() == 2, "these stay as they were judged"
        assert judge_newly_linked(now=NOW + timedelta(hours=1, minutes=2)) == 0, "once per new order"
        assert RiskAssessment.objects.count() == count + 1

    def test_what_is_shipped_stays_as_it_was(self, world: World) -> None:
        first = bought(world, GOOD)
        Order.objects.filter(pk=first.pk).update(parcels="shipped")
        bought(world, GOOD, now=NOW + timedelta(hours=1))
        assert judge_newly_linked(now=NOW + timedelta(hours=1)) == 0

    @pytest.mark.parametrize(
        ("reason", "why"), [("fraudulent", "labelled"), ("product_not_received", "the buyer's bank disputes")]
    )
    def test_a_dispute(self, world: World, reason: str, why: str) -> None:
        order = bought(world, GOOD)
        dispute = Dispute("d1", Money(order.total_minor, order.currency), DisputeState.TAKEN, reason)
        for _ in range(2):
            bank_news.receive_standing(
                intent_id=order.intent.public_id, standing=Standing(disputes=(dispute,)), now=NOW + timedelta(days=1)
            )
        rows = RiskAssessment.objects.filter(order=order).order_by("pk")
        assert len(rows) == 2 and rows[1].why.startswith(why)
        assert RiskTrace.objects.get(order=order).fraud is (True if reason == "fraudulent" else None)
        won = replace(dispute, state=DisputeState.WON)
        bank_news.receive_standing(
            intent_id=order.intent.public_id, standing=Standing(disputes=(won,)), now=NOW + timedelta(days=9)
        )
        assert RiskAssessment.objects.filter(order=order).count() == 3

    def test_a_refund_at_the_provider(self, world: World) -> None:
        order = bought(world, GOOD)
        refund = BankRefund("r1", Money(100, order.currency), RefundState.DONE)
        for _ in range(2):
            bank_news.receive_standing(
                intent_id=order.intent.public_id, standing=Standing(refunds=(refund,)), now=NOW + timedelta(days=1)
            )
        assert [row.why for row in RiskAssessment.objects.filter(order=order).order_by("pk")] == [
            "placed",
            "refunded at the payment provider",
        ]
