"""A seller's quality: rates from counts, a score from ten orders on, shown to the seller and to staff; what was not the
seller's doing costs nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.web.seller.test_money_pages import words_of
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.commands import CancelReason
from crossdock.domain.quality.score import CANCELLED, DIFFERED, LATE, UNANSWERED, Counts, Rate, Score
from crossdock.domain.requests.returns import Payer, holds_money
from crossdock.store.models import (
    CancelRequest,
    Message,
    Order,
    Recount,
    Return,
    RiskHold,
    Seller,
    Shipment,
    Thread,
    Withdrawal,
)
from crossdock.usecases.orders.coming_back import withdrawn_return
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.record.telling import telling
from crossdock.usecases.requests.cancel import ask_to_cancel
from crossdock.usecases.requests.returns import accept
from crossdock.usecases.support.quality import scores
from market import World, user
from market import seller as a_seller

DAY = timedelta(days=1)


def test_a_perfect_seller_has_all_points_and_the_worst_none() -> None:
    assert Score(Counts(orders=10, due=10, read=10, asked=10)).total == 100
    assert Score(Counts(10, cancelled=10, due=10, late=10, read=10, differed=10, asked=9, unanswered=9)).total == 0
    assert CANCELLED.weight + LATE.weight + DIFFERED.weight + UNANSWERED.weight == 100


def test_below_ten_orders_there_is_no_score() -> None:
    assert Score(Counts(orders=9, cancelled=9)).total is None and Score(Counts()).tone == ""


@pytest.mark.parametrize(
    ("part", "whole", "words", "grade", "costs"),
    [
        (0, 0, "–", "Nothing yet", 0),
        (0, 50, "0.0 %", "Good", 0),
        (1, 100, "1.0 %", "Good", 7),
        (1, 99, "1.0 %", "Could be better", 7),
        (3, 70, "4.2 %", "Could be better", 29),
        (5, 100, "5.0 %", "Needs you", 35),
        (50, 50, "100.0 %", "Needs you", 35),
    ],
)
def test_a_rate_in_words(part: int, whole: int, words: str, grade: str, costs: int) -> None:
    rate = Rate(CANCELLED, part, whole)
    assert (rate.words, rate.grade[0], rate.costs) == (words, grade, costs)


@pytest.fixture
def world(db: None) -> World:
    return World(units=99, now=datetime.now(UTC))


def counted(world: World, now: datetime | None = None) -> Counts:
    return scores([world.seller], now=now or datetime.now(UTC) + DAY)[world.seller.pk].counts


def change(order: Order, **fields: Any) -> None:
    Order.objects.filter(pk=order.pk).update(**fields)


def test_what_counts_and_what_does_not(world: World) -> None:
    now = datetime.now(UTC)
    orders = [world.buy() for _ in range(8)]
    late, held, here, wish, own, soon, gone, old = orders
    for order in (late, held, here, gone):
        change(order, ship_by=now - DAY)
    Shipment.objects.create(order=late, parcel_id="a", source="seller", shipped_at=now)
    change(late, parcels="shipped")
    Shipment.objects.create(order=gone, parcel_id="b", source="seller", shipped_at=now - 2 * DAY)
    # Undone: it never left that late.
    Shipment.objects.create(order=gone, parcel_id="c", source="seller", shipped_at=now, undone_at=now)
    change(gone, parcels="shipped")
    RiskHold.objects.create(order=held, held_at=now) if not RiskHold.objects.filter(order=held).exists() else None
    change(wish, cancelled_at=now, cancel_reason="buyer_asked", parcels="cancelled")
    CancelRequest.objects.create(order=wish, state="cancelled", asked_at=now, answer_by=now + DAY)
    change(own, cancelled_at=now, cancel_reason="not_available", parcels="cancelled")
    change(soon, ship_by=now + 5 * DAY)
    change(old, placed_at=now - 91 * DAY, cancelled_at=now, cancel_reason="lost")
    found = counted(world, now)
    assert (found.orders, found.cancelled, found.due, found.late) == (7, 1, 3, 2)
    Seller.objects.filter(pk=world.seller.pk).update(away_since=now - 3 * DAY)
    assert (counted(world, now).due, counted(world, now).late) == (0, 0), "on holiday nothing becomes late"


@pytest.mark.parametrize(
    ("reason", "request_", "withdrew", "risk", "counts"),
    [
        ("other", "cancelled", False, "low", 0),  # asked for here, cancelled in the shop
        ("other", "", True, "low", 0),
        ("other", "", False, "low", 1),
        ("not_available", "cancelled", False, "low", 0),
        ("buyer_asked", "", False, "low", 1),  # chosen, and nobody asked
        ("buyer_asked", "declined", False, "low", 1),
        ("buyer_asked", "taken_back", False, "low", 1),
        ("fraud", "", False, "medium", 0),
        ("fraud", "", False, "not_assessed", 1),
        ("not_available", "", False, "high", 1),
    ],
)
def test_whether_a_cancel_was_asked_for_decides_not_the_reason_that_is_given(
    world: World, reason: str, request_: str, withdrew: bool, risk: str, counts: int
) -> None:
    order, now = world.buy(), datetime.now(UTC)
    change(order, cancelled_at=now, cancel_reason=reason, parcels="cancelled", risk=risk)
    if request_:
        CancelRequest.objects.create(order=order, state=request_, asked_at=now, answer_by=now + DAY)
    if withdrew:
        Withdrawal.objects.create(order=order, name="B", statement="I do.", shipped=True, confirmed_at=now)
    assert counted(world, now).cancelled == counts


def test_what_a_buyer_asked_for_and_the_seller_cancels_counts_for_nobody(world: World) -> None:
    now, seller = datetime.now(UTC), world.seller.owner
    wished, own = world.buy(), world.buy()
    ask_to_cancel(order=wished, buyer=wished.buyer, reason="", now=now)
    for order in (wished, own):
        reject_order(order=order, reason=CancelReason.BUYER_ASKED, actor=seller, expected_total=None, now=now)
    assert counted(world, now).cancelled == 1


def a_return(world: World, ago: int, **fields: Any) -> Return:
    """Asked for so many hours ago; it has to be answered within 72."""
    at = datetime.now(UTC) - timedelta(hours=ago)
    given = {"order": world.buy(), "seller": world.seller, "reason": "not_wanted", "asked_at": at, "state": "asked"}
    return Return.objects.create(**given | fields)


def test_returns_count_by_when_the_seller_answered_and_withdrawals_do_not(world: World) -> None:
    now, late = datetime.now(UTC), a_return(world, 100)
    accept(row=late, actor=world.seller.owner, send_to="1 Elm St", payer=Payer.BUYER, label="", now=now)
    a_return(world, 100, answered_at=now - timedelta(hours=50), state="accepted", late_at=now)
    a_return(world, 100)
    a_return(world, 10)
    a_return(world, 100, closed_at=now - timedelta(hours=60), state="taken_back")
    a_return(world, 900, binding=True, answered_at=now - 37 * DAY, state="accepted", late_at=now)
    found = counted(world, now)
    assert (found.asked, found.unanswered) == (5, 2), "answered late, and never"


def test_instructions_that_change_later_are_no_late_answer_and_keep_the_money_as_long(world: World) -> None:
    row, now = a_return(world, 1), datetime.now(UTC)
    how: dict[str, Any] = {"actor": world.seller.owner, "payer": Payer.BUYER, "label": ""}
    accept(row=row, send_to="1 Elm St", now=now, **how)
    accept(row=row, send_to="2 Elm St", now=now + 20 * DAY, **how)
    row.refresh_from_db()
    assert (row.answered_at, row.due_at) == (now, now + 50 * DAY)
    assert counted(world, now + 20 * DAY).unanswered == 0
    assert holds_money(row.value, row.answered_at, now + 49 * DAY, row.due_at)
    assert not holds_money(row.value, row.answered_at, now + 50 * DAY, row.due_at)
    # A withdrawal answers it anew, so that the goods have their 30 days.
    with telling(now + 25 * DAY) as told:
        withdrawn_return(row.order, told=told)
    row.refresh_from_db()
    assert row.binding and holds_money(row.value, row.answered_at, now + 54 * DAY, row.due_at)


def test_counts_that_differed_and_what_was_not_answered(world: World) -> None:
    now, (asked, told, late, fresh) = datetime.now(UTC), [world.buy() for _ in range(4)]
    for started, differences in ((now, 2), (now - 91 * DAY, 50)):
        Recount.objects.create(
            connection=world.shop,
            occasion="demand",
            variants=100,
            differences=differences,
            started_at=started,
            finished_at=started,
        )
    CancelRequest.objects.create(order=asked, state="asked", asked_at=now, answer_by=now, late_at=now)
    for order, words in (
        (told, [("buyer", 90), ("seller", 50), ("buyer", 49)]),
        (late, [("buyer", 90), ("buyer", 80), ("seller", 2)]),
        (fresh, [("buyer", 3)]),
        (asked, [("seller", 90), ("buyer", 80)]),
    ):
        thread = Thread.objects.create(order=order, last_at=now)
        for side, hours in words:
            Message.objects.create(thread=thread, side=side, body="?", at=now - timedelta(hours=hours))
    found = counted(world, now)
    assert (found.read, found.differed) == (100, 2)
    assert (found.asked, found.unanswered) == (3, 2), "a request, and of two conversations one answered late"


def test_five_statements_however_many_sellers_and_none_of_another(world: World) -> None:
    world.buy()
    others = [a_seller() for _ in range(3)]
    with CaptureQueriesContext(connection) as asked:
        found = scores([world.seller, *others], now=datetime.now(UTC) + DAY)
    assert len(asked) == 5
    assert found[world.seller.pk].counts.orders == 1
    assert {found[one.pk].counts for one in others} == {Counts()}


def test_the_seller_reads_what_it_means_and_what_to_do(world: World) -> None:
    client = Client()
    client.force_login(world.seller.owner)
    page = words_of(client.get("/seller/quality/"))
    assert "Not enough orders yet: you have 0, and a score is made from 10 on" in page
    for order in [world.buy() for _ in range(10)][:2]:
        change(order, cancelled_at=datetime.now(UTC), cancel_reason="lost")
    page = words_of(client.get("/seller/quality/"))
    assert "65 of 100" in page and "2 of 10 orders; it costs you 35 of 35 points" in page and "What you can do:" in page
    assert "/seller/quality/" in client.get("/seller/").content.decode()


def test_staff_see_all_sellers_and_go_on_by_page(world: World) -> None:
    desk = Desk(user(is_staff=True, roles="support"))
    assert desk.get("/staff/sellers/quality/") == 200
    assert world.seller.name in desk.words and "Not enough orders yet" in desk.words
    desk.get("/staff/sellers/quality/", q="nobody is called so")
    assert "No seller found" in desk.words and world.seller.name not in desk.words
