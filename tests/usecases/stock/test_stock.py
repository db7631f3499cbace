"""The stock protocol against its own traces: each runs through the real use-cases, and each planted bug must break at
least one of them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain import stock as rules
from crossdock.domain.commands import CancelReason, Done, Found, Refused, Why
from crossdock.domain.events import Count, StockHint
from crossdock.domain.stock import Hold, HoldState, Stock
from crossdock.store.models import Alert, Command, Order, Reservation, VariantStock
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.new_order import ask_under_lock
from crossdock.usecases.checkout.parts import parts_of
from crossdock.usecases.errors import Stale
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outcomes import claims, look_up
from crossdock.usecases.outcomes.kinds import cancel_order, create_order
from crossdock.usecases.record.telling import telling
from crossdock.usecases.stock import counts, reservations
from crossdock.usecases.stock.confirm import confirm_count
from market import RANDOM, World

pytestmark = pytest.mark.django_db

HORIZON = timedelta(seconds=90)


def read_that_began_before_the_ack_settles_nothing() -> None:
    """B1: the read answers 1 before the shop created A, and is applied after the ack."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    read = world.start_read()
    world.settle(create, world.create_there(order))
    world.apply(read)
    assert world.available == 0
    assert world.units == 0
    world.read()
    assert world.available == 0
    assert not Reservation.objects.exclude(state=HoldState.ENDED).exists()


def read_between_sending_and_creating_settles_nothing() -> None:
    """B2: the read comes and goes while the create is on its way."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    world.read()
    assert world.available == 0
    world.settle(create, world.create_there(order))
    assert world.available == 0


def reads_written_out_of_order_do_not_revive_a_unit() -> None:
    """C1: an older read is applied after a newer one."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    old = world.start_read()
    world.settle(create, world.create_there(order))
    world.read()
    world.apply(old)
    assert world.available == 0


def overlapping_reads_do_not_forget_a_sale() -> None:
    """C1c: two reads overlap; the later-started one answers first."""
    world = World(units=1)
    first_no = counts.draw_read_no()
    second = world.start_read()
    world.units = 0  # sold in the shop
    world.apply((first_no, 0))
    world.apply(second)
    assert world.available == 0


def late_webhook_cannot_raise() -> None:
    """C2d: a number of before our order arrives when everything is quiet."""
    world = World(units=2)
    order = world.buy()
    (create,) = world.claim()
    world.units -= 1  # sold in the shop; its webhook (count 1) is delayed
    world.settle(create, world.create_there(order))
    world.read()
    counts.take_hints(connection_id=world.shop.pk, hints=[StockHint("v1", 1)], now=world.later())
    assert world.available == 0
    assert VariantStock.objects.get().want_no > 0


def cancel_request_keeps_the_hold() -> None:
    """B3: sent, then cancelled here while the create is open: the unit may still be taken there."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
    assert world.available == 0
    world.settle(create, world.create_there(order))
    assert world.available == 0
    (cancel,) = world.claim()
    assert cancel.kind == "cancel_order"
    assert cancel.payload["shop_order_id"] == "s1"
    world.cancel_there("s1")
    world.settle(cancel, Done("s1"))
    assert world.available == 0  # nothing is added here (B4)
    world.read()
    assert world.available == 1


def restore_is_never_added_here() -> None:
    """B4: the read sees the restored unit before the cancel's acknowledgement arrives."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    world.settle(create, world.create_there(order))
    world.read()
    reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
    (cancel,) = world.claim()
    world.cancel_there("s1")
    world.read()
    assert world.available == 1
    world.settle(cancel, Done("s1"))
    assert world.available == 1
    world.read()
    assert world.available == 1


def negative_look_up_is_not_believed_early() -> None:
    """C3, C3b: the create is late or the search lags; "none" within the horizon neither repeats nor releases."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    world.lose(create)
    world.later(30)
    (again,) = world.claim("w2")
    assert again.look_first
    verdict = look_up.settle_look(
        command_id=again.id, found=Found(), horizon=HORIZON, unique_reference=False, random=RANDOM, now=world.later()
    )
    assert verdict == "wait"
    assert world.available == 0
    world.create_there(order)  # it arrives now
    world.later(60)
    (third,) = world.claim("w3")
    found = Found(tuple(world.there))
    assert (
        look_up.settle_look(
            command_id=third.id, found=found, horizon=HORIZON, unique_reference=False, random=RANDOM, now=world.later()
        )
        == "adopted"
    )
    assert len(world.there) == 1


def cancelled_after_a_false_none_is_still_found() -> None:
    """C3c: the buyer's order is cancelled after a negative look-up; the order that lives in the shop must be cancelled
    there.
    """
    world = World()
    order = world.buy()
    (create,) = world.claim()
    world.lose(create)
    reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
    world.later(30)
    (again,) = world.claim("w2")
    look_up.settle_look(
        command_id=again.id, found=Found(), horizon=HORIZON, unique_reference=False, random=RANDOM, now=world.later()
    )
    world.create_there(order)
    world.later(90)
    (third,) = world.claim("w3")
    look_up.settle_look(
        command_id=third.id,
        found=Found(tuple(world.there)),
        horizon=HORIZON,
        unique_reference=False,
        random=RANDOM,
        now=world.later(),
    )
    (cancel,) = world.claim("w4")
    assert (cancel.kind, cancel.payload["shop_order_id"]) == ("cancel_order", "s1")
    assert world.available == 0


def refusal_lowers_the_ceiling() -> None:
    """C4, C4b: the shop sold it; the refusal must not let the old count sell it again."""
    world = World(units=1)
    order = world.buy()
    world.units = 0
    (create,) = world.claim()
    world.settle(create, world.create_there(order))
    assert world.available == 0
    reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
    assert world.available == 0
    world.units = 3  # the seller got more
    world.read()
    assert world.available == 3


def payment_after_expiry_is_checked_again() -> None:
    """B5: A's hold runs out, B holds the unit, A pays."""
    world = World()
    first = world.hold()
    world.later(16 * 60)
    checkout.expire_checkouts(now=world.now)
    world.hold()
    with pytest.raises(Stale, match="goes back to you"):
        world.pay(first)
    assert Order.objects.count() == 0
    assert Command.objects.filter(kind="refund_payment").count() == 1


def set_aside_survives_a_read() -> None:
    """C6: rejected as "I don't have it"; the shop's number was the wrong one."""
    world = World(units=2)
    order = world.buy()
    reject_order(
        order=order, reason=CancelReason.NOT_AVAILABLE, actor=None, expected_total=order.total, now=world.later()
    )
    world.read()
    assert world.available == 0
    confirm_count(variant=world.variant, count=None, actor=world.seller.owner, now=world.later())
    world.read()
    assert world.available == 2


def acknowledged_without_stock_keeps_the_hold() -> None:
    """C7: the order exists there, but nothing says that its units were taken."""
    world = World()
    world.buy()
    (create,) = world.claim()
    world.settle(create, Done("s1", stock_taken=False))
    world.read()
    assert world.available == 0
    assert Reservation.objects.exclude(state=HoldState.ENDED).count() == 1


def closed_order_gives_its_hold_up() -> None:
    """C7b: such an order is closed; whatever closes an order draws its fence, so the hold ends with a later read."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    world.settle(create, Done("s1", stock_taken=False))
    reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
    (cancel,) = world.claim()
    world.settle(cancel, Done("s1"))
    assert world.available == 0
    world.read()
    assert world.available == 1
    assert not Reservation.objects.exclude(state=HoldState.ENDED).exists()


def negative_count_is_kept_and_told() -> None:
    """B6: a shop that never refuses went below zero; a clamped count would hide it."""
    world = World(units=1, refuses=False)
    order = world.buy()
    (create,) = world.claim()
    world.units -= 1  # sold there
    world.settle(create, world.create_there(order))
    world.read()
    assert VariantStock.objects.get().count == -1
    assert Alert.objects.filter(code="stock_below_zero", settled_at=None).count() == 1
    assert world.available == 0


TRACES = [
    read_that_began_before_the_ack_settles_nothing,
    read_between_sending_and_creating_settles_nothing,
    reads_written_out_of_order_do_not_revive_a_unit,
    overlapping_reads_do_not_forget_a_sale,
    late_webhook_cannot_raise,
    cancel_request_keeps_the_hold,
    restore_is_never_added_here,
    negative_look_up_is_not_believed_early,
    cancelled_after_a_false_none_is_still_found,
    refusal_lowers_the_ceiling,
    payment_after_expiry_is_checked_again,
    set_aside_survives_a_read,
    acknowledged_without_stock_keeps_the_hold,
    closed_order_gives_its_hold_up,
    negative_count_is_kept_and_told,
]


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
def test_the_traces_of_the_protocol_hold(trace: Callable[[], None]) -> None:
    trace()


def _settle_by_arrival(patch: Any) -> None:
    """Bug 1: a read settles every hold that was acknowledged when it arrives."""
    good = rules.apply_read
    patch.setattr(
        rules,
        "apply_read",
        lambda s, holds, *, read_no, **kw: good(
            s, [replace(h, fence_no=0 if h.fence_no else None) for h in holds], read_no=read_no, **kw
        ),
    )


def _fence_at_sending(patch: Any) -> None:
    """Bug 2: the fence is drawn when the create is claimed."""
    good = claims.claim_commands

    def claim(**kw: Any) -> Any:
        claimed = good(**kw)
        for one in claimed:
            order = Order.objects.filter(reference=one.subject).first()
            if order:
                reservations.fence(order=order, now=kw["now"], state=HoldState.TAKEN)
        return claimed

    patch.setattr(claims, "claim_commands", claim)


def _no_void(patch: Any) -> None:
    """Bug 3: reads are applied as they come."""
    patch.setattr(rules, "may_apply", lambda s, *, read_no: True)


def _order_by_start(patch: Any) -> None:
    """Bug 3b: reads are ordered by their start alone."""
    good = rules.apply_read
    patch.setattr(
        rules,
        "apply_read",
        lambda s, holds, *, read_no, applied_no, **kw: good(s, holds, read_no=read_no, applied_no=read_no, **kw),
    )


def _webhook_believed(patch: Any) -> None:
    """Bug 4: a webhook's number becomes the count."""
    patch.setattr(rules, "take_hint", lambda s, *, count, no: replace(s, count=count))


def _hold_dropped_at_cancel(patch: Any) -> None:
    """Bug 5: the cancel request releases the units."""
    from crossdock.usecases.orders import reject

    good = reject._end_in_shop

    def end(order: Order, **kw: Any) -> None:
        good(order, **kw)
        reservations.release(order=order, why=rules.EndedWhy.NOT_SENT, now=kw["told"].now)

    patch.setattr(reject, "_end_in_shop", end)


def _restore_added_here(patch: Any) -> None:
    """Bug 6: the cancel's acknowledgement adds the units to our count."""
    good = cancel_order.cancelled

    def cancelled(order: Order, *args: Any, **kw: Any) -> None:
        good(order, *args, **kw)
        for line in order.lines.all():
            row = VariantStock.objects.get(pk=line.variant_id)
            VariantStock.objects.filter(pk=row.pk).update(count=(row.count or 0) + line.quantity)

    patch.setattr(cancel_order, "cancelled", cancelled)


def _none_believed(patch: Any) -> None:
    """Bug 7: the first negative look-up is conclusive."""
    good = look_up.settle_look
    patch.setattr(look_up, "settle_look", lambda *, horizon, **kw: good(horizon=timedelta(0), **kw))


def _refusal_only_releases(patch: Any) -> None:
    """Bug 8: a refusal teaches nothing about the count."""
    patch.setattr(create_order, "learn_refusal", lambda **kw: None)


def _no_check_after_expiry(patch: Any) -> None:
    """Bug 10: a payment after the hold's end places the order all the same."""

    def unchecked(intent: Any, *, now: Any, off: Any) -> Any:
        holds = checkout.open_holds(intent, with_offer=True)
        return {}, ask_under_lock(intent=intent, parts=parts_of(intent), holds=holds, now=now)

    patch.setattr(checkout, "hold_again", unchecked)


def _read_lifts_set_aside(patch: Any) -> None:
    """Bug 11: a read makes it sellable again."""
    good = counts.apply_locked

    def apply(*, answers: Any, **kw: Any) -> None:
        good(answers=answers, **kw)
        VariantStock.objects.filter(pk__in=answers).update(set_aside_by=None)

    patch.setattr(counts, "apply_locked", apply)


def _ack_is_taken(patch: Any) -> None:
    """Bug 12: an acknowledgement counts as "stock taken"."""
    good = create_order.bind
    patch.setattr(create_order, "bind", lambda *, outcome, **kw: good(outcome=replace(outcome, stock_taken=True), **kw))


def _closed_without_fence(patch: Any) -> None:
    """Bug 12b: closing an order draws no fence."""
    good = cancel_order.fence
    patch.setattr(cancel_order, "fence", lambda **kw: good(**kw) if kw.get("state") else None)


def _negative_clamped(patch: Any) -> None:
    """Bug 13: a negative count is stored as zero."""
    good = rules.apply_read
    patch.setattr(
        rules,
        "apply_read",
        lambda s, holds, *, count, **kw: good(s, holds, count=None if count is None else max(0, count), **kw),
    )


BUGS = [
    _settle_by_arrival,
    _fence_at_sending,
    _no_void,
    _order_by_start,
    _webhook_believed,
    _hold_dropped_at_cancel,
    _restore_added_here,
    _none_believed,
    _refusal_only_releases,
    _no_check_after_expiry,
    _read_lifts_set_aside,
    _ack_is_taken,
    _closed_without_fence,
    _negative_clamped,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__.strip("_"))
def test_a_planted_bug_breaks_a_trace(bug: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    bug(monkeypatch)
    assert any(not _holds(trace) for trace in TRACES), f"no trace noticed the bug: {bug.__doc__}"


def _holds(trace: Callable[[], None]) -> bool:
    """Whether the trace passes; what it wrote is rolled back."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                trace()
            passed = True
        except (AssertionError, pytest.fail.Exception):
            passed = False
        transaction.set_rollback(True)
    return passed


holds = st.lists(
    st.builds(Hold, st.uuids().map(str), st.integers(1, 5), st.sampled_from(HoldState), st.none() | st.integers(1, 50)),
    max_size=6,
)
stocks = st.builds(
    Stock,
    count=st.none() | st.integers(-5, 20),
    applied_no=st.integers(0, 50),
    ceiling=st.none() | st.integers(-1, 20),
    ceiling_no=st.integers(0, 50),
    want_no=st.integers(0, 50),
    set_aside=st.booleans(),
    fresh=st.booleans(),
    buffer=st.integers(0, 3),
)


@given(stocks, holds)
def test_what_is_offered_is_never_more_than_known_less_promised(known: Stock, held: list[Hold]) -> None:
    offered = rules.available(known, held)
    open_units = sum(hold.quantity for hold in held if hold.state is not HoldState.ENDED)
    if known.count is None or not known.fresh:
        assert offered is None
    elif known.set_aside:
        assert offered == 0
    else:
        assert offered is not None
        assert 0 <= offered <= max(0, known.count - open_units - known.buffer)
        if known.ceiling is not None:
            assert offered <= max(0, known.ceiling - open_units)


@given(stocks, holds, st.integers(-3, 20), st.integers(1, 60))
def test_only_fenced_holds_end_and_only_by_a_later_read(
    known: Stock, held: list[Hold], count: int, read_no: int
) -> None:
    after, settled = rules.apply_read(known, held, count=count, version="", read_no=read_no, applied_no=100)
    assert all(
        hold.fence_no is not None and hold.fence_no < read_no and hold.state is not HoldState.ENDED for hold in settled
    )
    assert after.count == count
    assert after.set_aside == known.set_aside
    assert (after.want_no == 0) == (read_no > known.want_no)
    assert not rules.may_apply(after, read_no=read_no)


@given(stocks, st.integers(-3, 20), st.integers(51, 60))
def test_hints_and_refusals_never_raise_what_is_offered(known: Stock, number: int, no: int) -> None:
    before = rules.available(known, [])
    for after in (rules.take_hint(known, count=number, no=no), rules.refuse(known, asked=max(1, number), no=no)):
        offered = rules.available(after, [])
        assert (offered is None) == (before is None)
        assert offered is None or before is None or offered <= before
        assert after.want_no >= no


def test_a_refusal_with_an_earlier_attempt_unresolved_is_not_final() -> None:
    """C4c: create 1 is late, create 2 is refused; closing now would orphan create 1."""
    world = World()
    order = world.buy()
    (create,) = world.claim()
    world.lose(create)
    world.later(5)
    (again,) = world.claim("w2")
    assert (
        look_up.settle_look(
            command_id=again.id, found=Found(), horizon=HORIZON, unique_reference=True, random=RANDOM, now=world.later()
        )
        == "create"
    )
    world.settle(again, Refused(Why.NO_STOCK, "Not enough stock."))
    row = Command.objects.get(cause=f"create:{order.reference}")
    assert (row.state, row.unresolved) == ("waiting", True)
    assert world.available == 0


@pytest.mark.django_db
def test_a_read_that_lifts_a_ceiling_or_is_void_with_another_number_is_news() -> None:
    world = World(units=4)
    row = VariantStock.objects.select_related("variant").get(variant=world.variant)

    def said(count: int | None, *, read_no: int) -> int:
        with telling(world.later()) as told:
            answers = {row.pk: Count(world.variant.shop_variant_id, count)}
            return counts.apply_locked(
                answers=answers, read_no=read_no, waited=True, variants={row.pk: row.variant}, told=told
            )

    VariantStock.objects.filter(pk=row.pk).update(ceiling=1, ceiling_no=counts.draw_read_no())
    early = row.applied_no - 1
    assert said(4, read_no=counts.draw_read_no()) == 1, "the ceiling is lifted"
    assert said(4, read_no=counts.draw_read_no()) == 0, "as it was"
    assert said(4, read_no=early) == 0, "void, and as it was"
    assert said(3, read_no=early) == 1, "void, and another number"
    row.refresh_from_db()
    assert (row.count, row.ceiling) == (4, None)
