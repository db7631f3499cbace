"""What an open return would credit stays out of the seller's payouts; the rest does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.usecases.money.test_disputes import bank_says
from tests.usecases.requests.test_returns import asked, back, fresh, got, taken
from tests.web.seller.test_money_pages import words_of

from crossdock.domain.earnings.balance import Balance
from crossdock.domain.payments import DisputeState
from crossdock.domain.requests.returns import ReturnReason
from crossdock.domain.values import Money
from crossdock.payouts.sandbox.bank import SandboxBank
from crossdock.store.models import Order, Payout, PayoutAccount, Return
from crossdock.usecases.money import balance, payouts
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.requests.returns import decline, sent
from market import World, user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World(units=90, now=datetime.now(UTC), refuses=False)


def payable(world: World, units: int = 3) -> Order:
    """35.00 were paid, with 5.00 for the delivery; the seller has 32.20 of it, available."""
    order = world.buy(units)
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    Order.objects.filter(pk=order.pk).update(payable_at=world.now)
    return fresh(order)


def stands(world: World, now: datetime | None = None) -> tuple[int, int]:
    (found,) = balance.balances(world.seller, now=now or world.later())
    assert found.pending == 0
    return found.held, found.available


def test_held_while_it_is_open_and_then_the_credit_changes_nothing_more(world: World) -> None:
    order = payable(world)
    assert stands(world) == (0, 3220)
    row = asked(world, order, 1)
    assert stands(world) == (920, 2300), "10.00 less the commission that comes back with them"
    row = taken(world, row)
    assert stands(world) == (920, 2300)
    got(world, row, back(row, 1), 1000)
    assert stands(world) == (0, 2300)


def test_declined_it_is_available_again(world: World) -> None:
    row = asked(world, payable(world), 3, ReturnReason.DAMAGED)
    assert stands(world) == (3220, 0), "all of it, with the delivery"
    decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
    assert stands(world) == (0, 3220)


def test_accepted_and_never_sent_it_ends_by_itself(world: World) -> None:
    row = taken(world, asked(world, payable(world), 1))
    assert stands(world, world.now + 29 * DAY) == (920, 2300)
    assert stands(world, world.now + 31 * DAY) == (0, 3220)
    sent(row=row, carrier="UPS", tracking="R1", now=world.later())
    assert stands(world, world.now + 31 * DAY) == (920, 2300)


def test_what_was_given_since_counts_and_never_more_is_held_than_the_order_has_left(world: World) -> None:
    order = payable(world)
    taken(world, asked(world, order, 3))
    staff_credit(
        order=order, amount=Money(1200, "USD"), reason="Late", actor=user(is_staff=True), key="k", now=world.later()
    )
    held, available = stands(world)
    assert (held, available) == (1656, 460), "18.00 of 23.00 may still go back"
    bank_says(fresh(order), DisputeState.TAKEN, world.later(), 2300)
    assert stands(world) == (2116, 0), "the bank took all that was left; nothing is held twice"


def test_an_order_that_waits_anyway_is_pending_and_not_held_as_well(world: World) -> None:
    order = payable(world)
    Order.objects.filter(pk=order.pk).update(payable_at=None)
    asked(world, order, 1)
    assert balance.balances(world.seller, now=world.later()) == [Balance("USD", 3220, 0, 0)]


def test_paid_out_before_it_is_taken_from_what_is_sold_next(world: World, tmp_path: Any) -> None:
    order, now = payable(world), world.later()
    to = SandboxBank(tmp_path)._register(world.seller.name, "DE89 3704 0044 0532 0130 00", "USD")
    given = {"provider": "sandbox", "to": to, "actor": world.seller.owner, "place": "", "now": now}
    payouts.set_account(seller=world.seller, currency="USD", **given)
    PayoutAccount.objects.update(schedule="daily", usable_from=now)
    taken(world, asked(world, order, 2))
    assert payouts.pay_due(now=now) == 1
    assert Payout.objects.get().amount_minor == 3220 - 1840, "the return's part stays here"
    taken(world, asked(world, payable(world), 1))
    assert stands(world) == (1840 + 920, 2300)


def test_the_page_says_why_with_the_held_part_alone_and_asks_no_more_for_more_returns(world: World) -> None:
    owner = Client()
    owner.force_login(world.seller.owner)
    taken(world, asked(world, payable(world), 1))
    page = words_of(owner.get("/seller/money/"))
    assert "Available $23.00" in page and "Held for returns and disputes $9.20" in page
    assert "Held for a return: what the buyer gets when the goods are back. – $9.20" in page
    with CaptureQueriesContext(connection) as one:
        owner.get("/seller/money/")
    for _ in range(3):
        taken(world, asked(world, payable(world), 1))
    with CaptureQueriesContext(connection) as four:
        page = words_of(owner.get("/seller/money/"))
    assert "Held for returns and disputes $36.80" in page and Return.objects.count() == 4
    assert len(four) == len(one)


def test_a_return_that_was_credited_meanwhile_is_no_line_of_what_waits(world: World) -> None:
    order, given = payable(world), {"reason": "Late", "actor": user(is_staff=True), "key": "k"}
    taken(world, asked(world, order, 1))
    staff_credit(order=order, amount=Money(1000, "USD"), **given, now=world.later())
    assert stands(world) == (0, 2300)
    owner = Client()
    owner.force_login(world.seller.owner)
    assert "Held for a return" not in words_of(owner.get("/seller/money/"))
