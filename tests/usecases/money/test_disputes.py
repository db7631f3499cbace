"""A lost dispute is decided: by whom it is borne, once, by two people above the limit; the seller reads why."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from tests.usecases.money.test_credits import settle
from tests.web.seller.test_money_pages import words_of
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.commands import Refused, Why
from crossdock.domain.payments import Dispute, DisputeState, Standing
from crossdock.domain.values import Money
from crossdock.store.models import AuditEntry, Command, Credit, Entry, Label, LostDispute, Mail, Order
from crossdock.usecases.errors import Problem
from crossdock.usecases.money import balance, bank_news, disputes, left, rounds
from crossdock.usecases.money.credits import ask_credit, staff_credit, why_not_ask
from crossdock.usecases.money.statement import Period, page_of
from crossdock.usecases.orders.actions import ship_by_hand
from labelling import Counter
from market import World, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=99, now=datetime.now(UTC))


@pytest.fixture
def desk() -> Desk:
    return Desk(user(name="Fin Finance", is_staff=True, roles="finance"))


def bank_says(order: Order, state: DisputeState, now: datetime, minor: int = 1500) -> None:
    """Twice, as everything of a bank."""
    found = Dispute("dp_1", Money(minor, "USD"), state, "product_not_received")
    assert order.intent is not None
    for _ in range(2):
        bank_news.receive_standing(intent_id=order.intent.public_id, standing=Standing(disputes=(found,)), now=now)


@pytest.fixture
def row(world: World) -> LostDispute:
    """15.00 that the buyer's bank took of an order, of which 13.80 are the seller's."""
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    Order.objects.update(payable_at=world.now)
    bank_says(order, DisputeState.TAKEN, world.later())
    assert not LostDispute.objects.exists()
    bank_says(order, DisputeState.LOST, world.later())
    return LostDispute.objects.select_related("order__seller").get()


def held(account: str) -> int:
    return sum(Entry.objects.filter(account=account).values_list("amount_minor", flat=True))


def send(desk: Desk, row: LostDispute, bearer: str, why: str = "it came late", seen: str = "") -> Any:
    row.refresh_from_db()
    shown = disputes.preview(row=row, actor=desk.who, now=datetime.now(UTC)).seen
    given = {"bearer": bearer, "why": why, "seen": seen or shown}
    return desk.client.post(f"/staff/disputes/{row.public_id}/", given)


def stands(world: World) -> tuple[int, int]:
    (found,) = balance.balances(world.seller, now=world.later())
    return found.held, found.available


def test_covered_the_marketplace_bears_it_and_the_seller_keeps_all(world: World, desk: Desk, row: LostDispute) -> None:
    assert stands(world) == (1380, 0)
    page = words_of(desk.client.get("/staff/disputes/"))
    assert f"#{row.order.number}" in page and "$15.00" in page
    shown = words_of(desk.client.get(f"/staff/disputes/{row.public_id}/"))
    assert "Not covered yet Because its carrier does not tell us" in shown and "Nothing has happened yet." in shown
    assert send(desk, row, "marketplace", "the carrier's paper proves it").status_code == 302
    assert send(desk, row, "seller").status_code == 302, "pressed again it is decided"
    row.refresh_from_db()
    assert (row.state, row.bearer, row.seller_minor) == ("decided", "marketplace", 0)
    assert (held("disputed"), held("protection"), *stands(world)) == (0, 1500, 0, 1380)
    assert Mail.objects.get(subject__contains="dispute is decided").body.startswith("Covered: the marketplace bears")
    assert AuditEntry.objects.get(action="dispute decided").detail["why"] == "the carrier's paper proves it"
    assert not row.order.alerts.filter(code="disputed", settled_at=None).exists()


def test_not_covered_it_is_a_credit_and_the_statement_says_why(world: World, desk: Desk, row: LostDispute) -> None:
    assert send(desk, row, "seller", "it came late").status_code == 302
    row.order.refresh_from_db()
    assert row.order.credited_minor == 1500, "nobody can credit it again"
    assert (held("disputed"), held("protection"), held("refunds_due"), held("fees")) == (0, 0, 0, 0)
    assert stands(world) == (0, 0)
    line = page_of(seller=world.seller, period=Period("USD"), before=None, limit=9)[0]
    assert "The buyer's bank took the payment back. Not covered, because it came late" in line.words
    assert (line.gross.minor, line.fee.minor, line.net.minor) == (-1500, 120, -1380)


def test_won_after_all_the_decision_is_taken_back(world: World, desk: Desk, row: LostDispute) -> None:
    send(desk, row, "seller")
    bank_says(row.order, DisputeState.WON, world.later())
    row.refresh_from_db()
    row.order.refresh_from_db()
    assert (row.state, row.order.credited_minor, row.order.money) == ("back", 0, "paid")
    assert (held("disputed"), held("gateway"), held("refunds_due"), held("fees")) == (0, 1500, 0, -120)
    assert stands(world) == (0, 1380)
    assert Credit.objects.get().state == "declined"
    assert "Won after all" in words_of(desk.client.get(f"/staff/disputes/{row.public_id}/"))


def test_lost_again_after_it_was_won_the_money_is_gone_again_and_staff_decide_again(
    world: World, desk: Desk, row: LostDispute
) -> None:
    """A second round: the same news came before, and yet it is another one."""
    send(desk, row, "seller")
    for state in (DisputeState.WON, DisputeState.TAKEN, DisputeState.LOST):
        bank_says(row.order, state, world.later())
        assert held("gateway") == (1500 if state is DisputeState.WON else 0), "as the bank has it"
    second = LostDispute.objects.exclude(pk=row.pk).get()
    assert (second.state, second.amount_minor, held("disputed"), stands(world)) == ("open", 1500, 1500, (1380, 0))
    said = list(row.order.timeline.filter(kind="dispute").order_by("pk").values_list("sentence", flat=True))
    assert len(said) == 5 and "disputes the payment of $15.00 again" in said[3]
    send(desk, second, "marketplace")
    bank_says(row.order, DisputeState.WON, world.later())
    bank_says(row.order, DisputeState.LOST, world.later())
    assert (held("gateway"), held("disputed"), held("protection")) == (0, 1500, 0)
    assert LostDispute.objects.filter(state="open").count() == 1, "each round is decided by itself"


def test_what_was_read_before_newer_news_is_asked_for_again(world: World, row: LostDispute) -> None:
    intent = row.order.intent
    assert intent is not None
    since, old = rounds.last_news(intent), Dispute("dp_1", row.amount, DisputeState.LOST)
    bank_says(row.order, DisputeState.WON, world.later())
    late = {"intent_id": intent.public_id, "standing": Standing(disputes=(old,)), "since": since}
    assert not bank_news.receive_standing(**late, now=world.later())
    assert held("gateway") == 1500


def test_what_a_bank_said_of_a_dispute_that_it_gave_back_counts_no_more(world: World, row: LostDispute) -> None:
    LostDispute.objects.update(reason="product_unacceptable")
    seller, url = Desk(world.seller.owner).client, f"/seller/orders/{row.order.public_id}/"
    assert "the goods are not as described" in words_of(seller.get(url))
    bank_says(row.order, DisputeState.WON, world.later())
    assert "the goods are not as described" not in words_of(seller.get(url))


def test_what_the_seller_never_had_is_not_theirs_to_bear(world: World, desk: Desk, row: LostDispute) -> None:
    """Of 15.00, 5.00 were credited before: the buyer got them twice, and the seller pays for them once."""
    Order.objects.update(credited_minor=500)
    send(desk, row, "seller")
    row.refresh_from_db()
    assert row.seller_minor == 1000 and held("protection") == 500


def test_where_the_seller_had_nothing_left_it_costs_them_nothing(world: World, desk: Desk, row: LostDispute) -> None:
    Order.objects.update(credited_minor=1500)
    send(desk, row, "seller")
    body = Mail.objects.get(subject__contains="dispute is decided").body
    assert "It costs you nothing" in body and "$0.00" not in body and "statement" not in body


def test_what_the_bank_has_is_not_credited_as_well(world: World, desk: Desk) -> None:
    """Not by staff while it runs or waits for them, not by the seller's wish, not by single units."""
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    url = f"/staff/orders/{order.public_id}/credit/"
    given = {"amount": "15.00", "reason": "Goodwill", "more": "", "key": "k1", "seen": "$15.00 of $15.00"}
    for state in (DisputeState.TAKEN, DisputeState.LOST):
        bank_says(order, state, world.later(), minor=1000)
        assert "took $10.00 of this payment in a dispute" in words_of(desk.client.get(url))
        refused = desk.client.post(url, given)
        assert refused.status_code == 422 and "Between 0 and $5.00 can be credited." in words_of(refused)
        asked = {"amount": Money(600, "USD"), "reason": "r", "body": "", "now": world.later()}
        with pytest.raises(Problem, match=r"took \$10.00 of this payment"):
            ask_credit(order=order, actor=world.seller.owner, **asked)
    assert "The rest" not in why_not_ask(order) and left.room(order).minor == 500
    bank_says(order, DisputeState.WON, world.later(), minor=1000)
    assert desk.client.post(url, given).status_code == 302 and held("refunds_due") == -1500


def test_a_refund_that_failed_is_not_tried_again_for_what_the_bank_took_since(world: World, desk: Desk) -> None:
    """5.00 were promised and did not arrive; then the bank took all 15.00, or only what was not promised."""
    order, now = world.buy(), world.later()
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=now)
    credit = staff_credit(order=order, amount=Money(500, "USD"), reason="Late", actor=desk.who, key="k", now=now)
    settle(Command.objects.get(kind="refund_payment"), Refused(Why.INVALID, "The card is closed."))
    bank_says(order, DisputeState.TAKEN, now, minor=1500)
    again = f"/staff/credits/{credit.public_id}/retry/"
    assert "It is not credited a second time" in words_of(desk.client.post(again, follow=True))
    assert Command.objects.filter(kind="refund_payment").count() == 1
    bank_says(order, DisputeState.TAKEN, now, minor=1000)
    assert "The bank is asked again now." in words_of(desk.client.post(again, follow=True))


def test_cancelled_while_the_bank_has_the_money_the_buyer_is_credited_when_it_comes_back(world: World) -> None:
    order, seller = world.buy(), Desk(world.seller.owner).client
    bank_says(order, DisputeState.TAKEN, world.later())
    url = f"/seller/orders/{order.public_id}/reject/"
    assert "Reject without a credit" in words_of(seller.get(f"{url}?reason=other"))
    assert seller.post(url, {"reason": "other", "expected_total": "0"}).status_code == 302
    mail = Mail.objects.get(cause=f"rejected:{order.reference}").body
    assert "Your bank took $15.00 of the payment back" in mail and "$0.00" not in mail
    assert not Credit.objects.exists() and held("refunds_due") == 0
    assert "$0.00" not in order.timeline.get(kind="rejected").sentence
    for state in (DisputeState.WON, DisputeState.LOST, DisputeState.WON):
        bank_says(order, state, world.later())
    credit = Credit.objects.get()
    assert (credit.amount_minor, credit.state, held("refunds_due")) == (1500, "granted", -1500), "once"
    assert Mail.objects.filter(to=order.buyer.email, body__contains="has given the money back").count() == 1


def test_while_a_dispute_over_the_goods_runs_the_order_is_not_called_covered(world: World, row: LostDispute) -> None:
    bank_says(row.order, DisputeState.WON, world.later())
    runs = Dispute("dp_2", row.amount, DisputeState.TAKEN, "product_unacceptable")
    intent = row.order.intent
    assert intent is not None
    bank_news.receive_standing(intent_id=intent.public_id, standing=Standing(disputes=(runs,)), now=world.later())
    shown = words_of(Desk(world.seller.owner).client.get(f"/seller/orders/{row.order.public_id}/"))
    assert "Not covered Because the buyer says that the goods are not as described" in shown


def test_pressed_twice_above_the_limit_it_is_one_word(
    world: World, desk: Desk, row: LostDispute, settings: Any
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"credit_second_person_above": Decimal(3)})
    other = Desk(user(name="Ana Admin", is_staff=True, roles="admin"))
    shown = disputes.preview(row=row, actor=desk.who, now=datetime.now(UTC)).seen
    assert [send(desk, row, "seller", seen=shown).status_code for _ in range(2)] == [302, 302]
    row.refresh_from_db()
    shown = disputes.preview(row=row, actor=other.who, now=datetime.now(UTC)).seen
    assert [send(other, row, "", seen=shown).status_code for _ in range(2)] == [302, 302]
    row.refresh_from_db()
    assert row.state == "open" and AuditEntry.objects.filter(action__startswith="dispute").count() == 2


def test_above_the_limit_two_people_agree(world: World, desk: Desk, row: LostDispute, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"credit_second_person_above": Decimal(3)})
    other = Desk(user(name="Ana Admin", is_staff=True, roles="admin"))
    assert send(desk, row, "seller").status_code == 302
    row.refresh_from_db()
    assert row.state == "second" and held("disputed") == 1500, "nothing moved"
    assert "You decided already" in words_of(send(desk, row, "seller"))
    assert send(other, row, "marketplace").status_code == 422, "only what was decided can be agreed to"
    assert send(other, row, "", "the parcel came").status_code == 302
    row.refresh_from_db()
    assert (row.state, row.bearer, row.decided_by) == ("open", "", None)
    send(desk, row, "marketplace")
    assert "another person has to agree" in words_of(desk.client.get(f"/staff/disputes/{row.public_id}/"))
    assert send(other, row, "marketplace").status_code == 302
    row.refresh_from_db()
    assert row.state == "decided" and row.second_by == other.who and held("protection") == 1500


def test_who_may_and_what_is_missing_is_said(world: World, desk: Desk, row: LostDispute) -> None:
    assert send(desk, row, "seller", why="").status_code == 422
    assert "Something moved meanwhile" in words_of(send(desk, row, "seller", seen="old"))
    assert send(desk, row, "").status_code == 422, "one of the two bears it"
    assert LostDispute.objects.get().state == "open"
    support = Desk(user(is_staff=True, roles="support"))
    assert support.client.get("/staff/disputes/").status_code == 403


def test_the_order_s_page_says_covered_once_the_carrier_scanned(world: World) -> None:
    client = Desk(world.seller.owner).client
    order = world.buy()
    url = f"/seller/orders/{order.public_id}/"
    assert "Not covered yet Because it is not shipped yet" in words_of(client.get(url))
    label = Counter(world).bought(order)
    assert "the carrier has not scanned a parcel yet" in words_of(client.get(url))
    Label.objects.filter(pk=label.pk).update(events=[{"status": "accepted", "key": "a", "at": "", "place": ""}])
    assert "Covered Because it left in time" in words_of(client.get(url))
    label.wanted["ship_to"]["line1"] = "Elsewhere 1"
    Label.objects.filter(pk=label.pk).update(wanted=label.wanted)
    assert "a parcel went to another address" in words_of(client.get(url))


def test_disputes_lost_before_there_were_decisions_wait_for_one(row: LostDispute) -> None:
    """As the migration finds them in the books and the order's story; run again it finds none."""
    found = import_module("crossdock.store.migrations.0054_lost_disputes")
    before = LostDispute.objects.values("cause", "order", "amount_minor", "currency", "reason", "state")
    wanted = list(before)
    LostDispute.objects.all().delete()
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(found._BEFORE)
    assert list(before) == wanted and len(wanted) == 1
