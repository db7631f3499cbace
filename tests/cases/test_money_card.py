"""After a credit: the money card adds up with fee and labels, what is credited whole is not to ship, and what was paid
here and what the shop says are both shown where they differ.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from crossdock.domain.commands import Done
from crossdock.domain.values import Money
from crossdock.store.models import Entry, Order, ShopCopy
from crossdock.usecases.money import books
from crossdock.usecases.money.credit_preview import preview_credit
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders.daily.order_list import queues
from crossdock.usecases.orders.snapshots import _other_total
from market import World, user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def credit(order: Order, minor: int, key: str = "k") -> None:
    actor = user(is_staff=True)
    staff_credit(order=order, amount=Money(minor, "USD"), reason="Goodwill", actor=actor, key=key, now=NOW)
    order.refresh_from_db()


@pytest.mark.parametrize("minor", [1, 333, 750, 1499, 1500])
def test_paid_less_credit_less_fee_is_the_payout_and_the_preview_said_so(minor: int) -> None:
    order = World(units=3).buy()
    shown = preview_credit(order=order, amount=Money(minor, "USD"), actor=user(is_staff=True), now=NOW)
    assert shown.fee_back + shown.from_seller == shown.amount == Money(minor, "USD")
    before = books.fee_of(order=order)
    credit(order, minor)
    assert books.payout_of(order=order) == shown.payout.minor
    assert order.total_minor - order.credited_minor - books.fee_of(order=order) == books.payout_of(order=order)
    assert before - books.fee_of(order=order) == shown.fee_back.minor
    assert shown.left == order.total - order.credited
    assert sum(Entry.objects.filter(transfer__order=order).values_list("amount_minor", flat=True)) == 0


def test_the_page_shows_fee_and_credit_together() -> None:
    world = World(units=3)
    order = world.buy()
    credit(order, 500)
    client = Client()
    client.force_login(world.seller.owner)
    page = client.get(f"/seller/orders/{order.public_id}/").content.decode()
    assert "Our fee" in page
    assert "−$5.00" in page


def test_credited_whole_is_not_to_ship_and_in_part_still_is() -> None:
    world = World(units=3)
    order, other = world.buy(), world.buy()
    assert queues(seller=world.seller, now=NOW)["to_ship"] == 2
    credit(order, 1500)
    credit(other, 1499)
    assert queues(seller=world.seller, now=NOW)["to_ship"] == 1
    late = datetime(2027, 1, 1, tzinfo=UTC)
    assert queues(seller=world.seller, now=late)["overdue"] == 1
    shown = preview_credit(order=other, amount=Money(1, "USD"), actor=user(is_staff=True), now=NOW)
    assert shown.sentences[0].startswith("Nothing of the order is paid")


def test_two_totals_are_both_said() -> None:
    world = World(units=3)
    order = world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, Done("s1", shop_number="#1", stock_taken=True))
    seen: Any = SimpleNamespace(total=Money(1725, "USD"))
    assert _other_total(order, seen) == "Paid here: $15.00. Your shop's total: $17.25."
    assert _other_total(order, SimpleNamespace(total=order.total)) == ""  # type: ignore[arg-type]
    ShopCopy.objects.filter(order=order).update(state="equal", sentence=_other_total(order, seen))
    client = Client()
    client.force_login(world.seller.owner)
    page = client.get(f"/seller/orders/{order.public_id}/").content.decode()
    assert "$17.25" in page
    assert "Synced, totals differ" in page and ">Synced<" not in page
