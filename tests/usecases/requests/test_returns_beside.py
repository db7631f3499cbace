"""Beside a return: a refund in the shop, a lost dispute, a parcel that was undone, another return."""

import pytest
from tests.usecases.money.test_disputes import bank_says
from tests.usecases.requests.test_returns import asked, back, fresh, got, manifest, shipped, taken, world
from tests.usecases.test_rules import copy_of, see

from crossdock.domain.commands import CancelReason
from crossdock.domain.earnings.protection import Bearer
from crossdock.domain.events import Refund
from crossdock.domain.payments import DisputeState
from crossdock.domain.requests.returns import Fate, Payer
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Credit, LostDispute, Mail, Order, PolicySwitch, Return, Shipment
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money import disputes
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.money.held_back import held_back
from crossdock.usecases.money.left import room
from crossdock.usecases.orders.actions import undo_by_hand
from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts
from crossdock.usecases.requests.receive import Deduction, preview_receipt
from crossdock.usecases.requests.returns import accept, decline, sent, why_not_return
from market import World, user

__all__ = ["manifest", "world"]


def lift(world: World) -> None:
    PolicySwitch.objects.update_or_create(rule="S8", defaults={"lifted": True, "changed_at": world.now})


def refunds(world: World, order: Order, *minor: int) -> None:
    """All that the shop shows of them."""
    rows = tuple(Refund(f"r{n}", Money(each, "USD")) for n, each in enumerate(minor))
    see(world, copy_of(order, refunds=rows))


@pytest.mark.parametrize("fate", [Fate.IN_SHOP, Fate.ASIDE])
def test_what_is_refunded_in_the_shop_after_the_receipt_is_not_credited_again(world: World, fate: Fate) -> None:
    lift(world)
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 1))
    got(world, row, back(row, 1, fate), 1000)
    refunds(world, order, 400)
    refunds(world, order, 400, 600)
    assert (fresh(order).credited_minor, Credit.objects.count()) == (1000, 1)
    refunds(world, order, 400, 600, 250)
    assert fresh(order).credited_minor == 1250, "what is beyond the return is a refund of its own"


def test_as_described_nobody_is_asked_to_credit_what_was_credited(world: World) -> None:
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 1))
    got(world, row, back(row, 1, Fate.IN_SHOP), 1000)
    refunds(world, order, 1000)
    assert not Alert.objects.filter(code="refunded_in_shop", settled_at=None).exists()
    assert "credited here already" in order.timeline.get(kind="refund_of_return").sentence
    refunds(world, order, 1000, 300)
    assert Alert.objects.filter(code="refunded_in_shop", settled_at=None).count() == 1


def test_what_the_bank_took_is_not_paid_again_by_a_receipt(world: World) -> None:
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 3))
    bank_says(order, DisputeState.LOST, world.later(), 2000)
    assert preview_receipt(row=row, got=back(row, 3), deduction=Deduction(), manifest=None).total.minor == 1500
    bank_says(order, DisputeState.WON, world.later(), 2000)
    assert preview_receipt(row=row, got=back(row, 3), deduction=Deduction(), manifest=None).total.minor == 3000


def test_nothing_is_returned_of_what_the_bank_took_whole(world: World) -> None:
    order = shipped(world, 3)
    assert not why_not_return(order, now=world.now)
    bank_says(order, DisputeState.LOST, world.later(), order.total_minor)
    assert "went back to you already" in why_not_return(order, now=world.now)


def test_units_that_came_back_are_not_rejected_after_their_parcel_was_undone(world: World) -> None:
    lift(world)
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 1))
    got(world, row, back(row, 1), 1000)
    undo_by_hand(shipment=Shipment.objects.get(), actor=world.seller.owner, now=world.later())
    order = fresh(order)
    line = order.lines.get()
    reason = next(iter(CancelReason))
    with pytest.raises(Invalid, match="between 1 and 2 units"):
        preview_parts(order=order, picks={line.pk: Pick(3, reason)}, manifest=None)
    rest = preview_parts(order=order, picks={line.pk: Pick(2, reason)}, manifest=None)
    assert rest.total == room(order), "the rest of the payment, and no more"


def test_what_another_return_was_given_is_not_taken_off_one_that_is_accepted_after_all(world: World) -> None:
    order = shipped(world, 3)
    first = asked(world, order, 1)
    decline(row=first, actor=world.seller.owner, answer="Worn.", now=world.later())
    second = taken(world, asked(world, order, 1))
    staff = user(is_staff=True)
    staff_credit(order=order, amount=Money(400, "USD"), reason="Late", actor=staff, key="k", now=world.later())
    got(world, second, back(second, 1), 600)
    first = taken(world, first)
    Order.objects.update(payable_at=world.now)
    assert held_back(world.seller, now=world.later()) == {order.pk: 920}
    assert preview_receipt(row=first, got=back(first, 1), deduction=Deduction(), manifest=None).total.minor == 1000


def test_nobody_is_told_to_send_back_what_was_paid_back_whole(world: World) -> None:
    order = shipped(world, 3)
    row = asked(world, order, 3)
    decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
    staff_credit(order=order, amount=room(order), reason="Late", actor=user(is_staff=True), key="k", now=world.later())
    with pytest.raises(NotAllowed, match="whole payment went back"):
        taken(world, row)


def test_where_to_send_it_does_not_change_once_it_was_sent(world: World) -> None:
    row = taken(world, asked(world, shipped(world, 3), 1))
    sent(row=row, carrier="UPS", tracking="Z", now=world.later())
    with pytest.raises(NotAllowed, match="has sent it already"):
        accept(row=row, actor=world.seller.owner, send_to="2 Oak St", payer=Payer.BUYER, label="", now=world.later())
    taken(world, row)


def test_what_was_decided_of_a_dispute_and_taken_back_is_not_taken_off_a_return(world: World) -> None:
    """Lost, borne by the seller, and given back by the bank: of the return the buyer has had nothing."""
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 1))
    bank_says(order, DisputeState.LOST, world.later(), 2000)
    dispute, staff = LostDispute.objects.get(), user(is_staff=True)
    seen = disputes.preview(row=dispute, actor=staff, now=world.later()).seen
    disputes.decide(row=dispute, bearer=Bearer.SELLER, why="late", seen=seen, actor=staff, now=world.later())
    bank_says(order, DisputeState.WON, world.later(), 2000)
    Order.objects.update(payable_at=world.now)
    assert held_back(world.seller, now=world.later()) == {order.pk: 920}
    got(world, row, back(row, 1), 1000)


def test_what_came_back_while_the_bank_had_the_money_is_credited_once_it_gives_it_back(world: World) -> None:
    """35.00 were paid and 20.00 are with the bank: of the 30.00 that came back 15.00 are there to be credited."""
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 3))
    bank_says(order, DisputeState.LOST, world.later(), 2000)
    got(world, row, back(row, 3), 1500)
    for state in (DisputeState.WON, DisputeState.LOST, DisputeState.WON):
        bank_says(order, state, world.later(), 2000)
    assert list(order.credits.order_by("pk").values_list("kind", "amount_minor")) == [
        ("return", 1500),
        ("return", 1500),
    ]
    assert fresh(order).credited_minor == 3000
    mail = Mail.objects.get(to=order.buyer.email, body__contains="has given the money back")
    assert mail.body.startswith("We’re refunding $15.00")


def test_what_came_back_and_was_credited_is_not_credited_by_a_dispute_that_is_won(world: World) -> None:
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 1))
    bank_says(order, DisputeState.LOST, world.later(), 2000)
    got(world, row, back(row, 1), 1000)
    bank_says(order, DisputeState.WON, world.later(), 2000)
    assert fresh(order).credited_minor == 1000


def test_units_of_an_open_return_that_never_left_hold_nothing_and_stop_nothing(world: World) -> None:
    lift(world)
    order = shipped(world, 3)
    taken(world, asked(world, order, 3))
    undo_by_hand(shipment=Shipment.objects.get(), actor=world.seller.owner, now=world.later())
    reason, line = next(iter(CancelReason)), order.lines.get()
    picks = {line.pk: Pick(2, reason)}
    shown = preview_parts(order=fresh(order), picks=picks, manifest=None)
    given = {"picks": picks, "expected_total": shown.total, "key": "k", "manifest": None, "actor": world.seller.owner}
    reject_parts(order=fresh(order), **given, now=world.later())
    assert held_back(world.seller, now=world.later()) == {order.pk: 920}
    refunds(world, order, 1000)
    assert (fresh(order).credited_minor, Return.objects.get().state) == (shown.total.minor + 1000, "refunded")
    with pytest.raises(Invalid, match="between 1 and 0"):
        preview_parts(order=fresh(order), picks={line.pk: Pick(1, reason)}, manifest=None)
