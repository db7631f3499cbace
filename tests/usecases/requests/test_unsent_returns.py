"""An accepted return that nobody sends ends by itself, with a word to both sides, and moves no money."""

from datetime import timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usecases.requests.test_returns import asked, back, client_of, fresh, got, shipped, taken, world

from crossdock.domain.requests.returns import SEND_WITHIN, ReturnState, Standing, lapses
from crossdock.store.models import Alert, Credit, Mail, Order, Return
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.money.held_back import held_back
from crossdock.usecases.requests.overdue import tell_late
from crossdock.usecases.requests.returns import sent, take_back, why_not_return
from crossdock.usecases.requests.withdraw import withdraw
from market import World

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
