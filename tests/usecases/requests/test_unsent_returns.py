"""An accepted return that nobody sends ends by itself, with a word to both sides, and moves no money."""

from datetime import timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usecases.requests.test_returns import asked, back, client_of, fresh, got, shipped, taken, world
from tests.usecases.requests.test_returns_beside import lift, refunds

from crossdock.domain.requests.returns import SEND_WITHIN, ReturnState, Standing, lapses
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Credit, Mail, Order, Return
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.money.credits import ask_credit, staff_credit
from crossdock.usecases.money.held_back import held_back
from crossdock.usecases.requests.overdue import tell_late
from crossdock.usecases.requests.returns import decline, sent, take_back, why_not_return
from crossdock.usecases.requests.withdraw import withdraw
from market import World, user

__all__ = ["world"]
SECOND = timedelta(seconds=1)


@given(st.sampled_from(ReturnState), st.booleans(), st.booleans())
def test_only_what_was_accepted_and_never_sent_lapses(state: ReturnState, binding: bool, sent: bool) -> None:
    assert lapses(Standing(state, binding, sent)) == (state is ReturnState.ACCEPTED and not binding and not sent)


def unsent(world: World, units: int = 2) -> Return:
    return taken(world, asked(world, shipped(world, 3), units))


def test_it_is_closed_once_at_its_time_and_both_are_told(world: World) -> None:
    row = unsent(world)
    assert row.due_at == row.answered_at + SEND_WITHIN  # type: ignore[operator]
    assert "after that the return is closed" in Mail.objects.get(cause__startswith="return_accepted:").body
    Order.objects.update(payable_at=world.now)
    assert tell_late(now=row.due_at - SECOND) == 0 and held_back(world.seller, now=row.due_at - SECOND)
    assert [tell_late(now=row.due_at) for _ in range(2)] == [1, 0]
    row, order = Return.objects.get(), fresh(row.order)
    assert (row.state, row.closed_by, row.credit, order.credited_minor) == ("lapsed", None, None, 0)
    assert not Credit.objects.exists() and not Alert.objects.filter(code="return_late").exists()
    assert not held_back(world.seller, now=world.later())
    told = Mail.objects.filter(cause__startswith="return_lapsed")
    assert {mail.to for mail in told} == {order.buyer.email, world.seller.owner.email} and told.count() == 2
    assert order.timeline.get(kind="return_closed").source == "marketplace"
    for deed in (
        lambda: sent(row=row, carrier="", tracking="R1", now=world.now),
        lambda: take_back(row=row, now=world.now),
    ):
        with pytest.raises(NotAllowed, match="not sent in time"):
            deed()
    assert why_not_return(order, now=world.now) == "", "within the days of returns it can be asked for again"


def test_what_was_sent_kept_or_withdrawn_is_not_closed(world: World) -> None:
    row = unsent(world)
    sent(row=row, carrier="UPS", tracking="R1", now=row.due_at - SECOND)
    assert Return.objects.get().due_at is None and tell_late(now=world.now + 400 * SEND_WITHIN) == 0
    assert Return.objects.get().state == "accepted"


def test_a_withdrawal_is_told_of_and_never_closed(world: World) -> None:
    row = unsent(world)
    Order.objects.update(ship_to={**row.order.ship_to, "country": "DE", "region": ""})
    withdraw(order=fresh(row.order), name="Zoë", now=world.later())
    assert tell_late(now=world.now + 2 * SEND_WITHIN) == 1
    row = Return.objects.get()
    assert (row.state, row.late_at is not None) == ("accepted", True)
    assert Alert.objects.filter(code="return_late", settled_at=None).count() == 1


def test_other_instructions_give_the_whole_time_again(world: World) -> None:
    row = unsent(world)
    first = row.due_at
    Return.objects.update(send_to="2 Oak St")
    assert taken(world, row).due_at > first  # type: ignore[operator]
    assert tell_late(now=first) == 0  # type: ignore[arg-type]


def test_if_it_arrives_all_the_same_it_is_accepted_after_all_and_credited_once(world: World) -> None:
    row = unsent(world)
    tell_late(now=row.due_at)
    mine, theirs = client_of(row.order.buyer), client_of(world.seller.owner)
    page = unescape(mine.get(f"/orders/{row.order.public_id}/returns/").content.decode())
    assert "It was not sent in time" in page and "I sent it" not in page
    its = f"/seller/returns/{row.public_id}/"
    page = unescape(theirs.get(its).content.decode())
    assert "Accept it after all" in page and "It came back" not in page
    assert f"#{row.order.number}" in theirs.get("/seller/returns/?show=declined").content.decode()
    row = taken(world, row)
    assert (row.state, row.closed_at) == ("accepted", None)
    for _ in range(2):
        got(world, row, back(row, 2), 2000)
    assert fresh(row.order).credited_minor == 2000 and Credit.objects.count() == 1


def test_another_return_of_these_units_came_in_between(world: World) -> None:
    row = unsent(world, 3)
    tell_late(now=row.due_at)
    asked(world, fresh(row.order), 3)
    with pytest.raises(NotAllowed, match="came in between"):
        taken(world, row)


def given(world: World, order: Order, minor: int) -> None:
    amount, staff = Money(minor, "USD"), user(is_staff=True)
    staff_credit(order=fresh(order), amount=amount, reason="Late", actor=staff, key="k", now=world.later())


@pytest.mark.parametrize("how", ["seen in the shop", "credited by the shop's refund", "by staff", "asked of staff"])
def test_where_money_was_given_for_it_people_are_told_and_nothing_is_closed(world: World, how: str) -> None:
    row = unsent(world)
    match how:
        case "by staff":
            given(world, row.order, 400)
        case "asked of staff":
            amount, owner = Money(400, "USD"), world.seller.owner
            ask_credit(order=row.order, amount=amount, reason="Sent back", body="", actor=owner, now=world.later())
        case _:
            if how != "seen in the shop":
                lift(world)
            refunds(world, fresh(row.order), 400)
    owed = Alert.objects.filter(code="refunded_in_shop", settled_at=None)
    assert owed.count() == (how == "seen in the shop")
    assert [tell_late(now=row.due_at) for _ in range(2)] == [1, 0]
    late, row = Alert.objects.get(code="return_late", settled_at=None), Return.objects.get()
    assert (row.state, row.late_at) == ("accepted", row.due_at) and "not closed by itself" in late.sentence
    assert not Mail.objects.filter(cause__startswith="return_lapsed").exists()
    assert owed.count() == (how == "seen in the shop"), "the buyer is owed it still"
    page = client_of(row.order.buyer).get(f"/orders/{row.order.public_id}/returns/").content.decode()
    assert "Send it to" in page and "after that the return is closed" not in page
    if how != "asked of staff":
        got(world, row, back(row, 2), 2000 if owed.exists() else 1600)
        assert not owed.exists()


@pytest.mark.parametrize("end", ["lapsed", "declined", "taken_back"])
def test_however_a_return_ends_unpaid_a_refund_in_the_shop_stays_to_be_credited(world: World, end: str) -> None:
    order = shipped(world, 3)
    refunds(world, order, 400)
    row = asked(world, fresh(order), 2)
    match end:
        case "lapsed":
            assert tell_late(now=taken(world, row).due_at) == 1  # type: ignore[arg-type]
        case "declined":
            decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
        case _:
            take_back(row=row, now=world.later())
    assert Return.objects.get().state == end
    assert Alert.objects.filter(code="refunded_in_shop", settled_at=None).count() == 1


@pytest.mark.parametrize("end", ["lapsed", "declined"])
def test_what_was_given_since_it_was_first_asked_for_counts_when_it_is_accepted_after_all(
    world: World, end: str
) -> None:
    row = asked(world, shipped(world, 3), 1)
    if end == "declined":
        given(world, row.order, 400)
        decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
    else:
        tell_late(now=taken(world, row).due_at)  # type: ignore[arg-type]
        given(world, row.order, 400)
    assert Return.objects.get().state == end
    row = taken(world, row)
    Order.objects.update(payable_at=world.now)
    assert held_back(world.seller, now=world.later()) == {row.order_id: 552}, "6.00 less a commission of 8 %"
    got(world, row, back(row, 1), 600)
    assert fresh(row.order).credited_minor == 1000


def test_both_are_told_each_time_that_it_lapses(world: World) -> None:
    row = unsent(world)
    for times in (1, 2):
        assert tell_late(now=row.due_at) == 1  # type: ignore[arg-type]
        assert Mail.objects.filter(cause__startswith="return_lapsed").count() == 2 * times
        row = taken(world, row)
