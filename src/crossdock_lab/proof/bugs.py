"""The thirteen bugs that the protocol names, planted into the product's own code or, where the model makes the step
itself, into the model.

Each says in which worlds the model must see it and whether the seeds must: a proof that notices none of them proves
nothing.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crossdock.cli.trouble import Trouble
from crossdock.domain import stock as rules
from crossdock.domain.commands import CommandKind
from crossdock.domain.stock import Hold, HoldState, Stock
from crossdock_lab.proof.moves import Moves
from crossdock_lab.proof.state import ANSWERED, Order, State, put
from crossdock_lab.proof.wire import replaced

Changes = list[tuple[Any, str, Any]]
Read = tuple[Stock, tuple[Hold, ...]]


@dataclass(frozen=True, slots=True)
class Bug:
    """`changes` are what is replaced while it is planted; `worlds` the model's configurations that see it; `seeds` how
    many seeds are enough to see it, 0 where the engine's own order of things hides it from them.
    """

    number: int
    name: str
    about: str
    changes: Callable[[], Changes] = list
    moves: type[Moves] = Moves
    worlds: tuple[str, ...] = ()
    seeds: int = 0


def _settle_by_arrival() -> Changes:
    good = rules.apply_read

    def apply_read(stock: Stock, holds: Sequence[Hold], *, applied_no: int, **given: Any) -> Read:
        after, _ = good(stock, holds, applied_no=applied_no, **given)
        open_holds = [hold for hold in holds if hold.state is not HoldState.ENDED and hold.fence_no is not None]
        return after, tuple(hold for hold in open_holds if (hold.fence_no or 0) <= applied_no)

    return [(rules, "apply_read", apply_read)]


def _fence_at_sending() -> Changes:
    from crossdock.store.models import Order as Placed
    from crossdock.usecases.outcomes import claims
    from crossdock.usecases.stock import reservations

    good = claims.claim_commands

    def claim_commands(*, now: datetime, **given: Any) -> Any:
        claimed = good(now=now, **given)
        for one in claimed:
            if one.kind == CommandKind.CREATE_ORDER:
                reservations.fence(order=Placed.objects.get(reference=one.subject), now=now, state=HoldState.TAKEN)
        return claimed

    return [(claims, "claim_commands", claim_commands)]


class _FenceAtSending(Moves):
    def send(self, state: State, index: int, order: Order) -> State:
        after = order._replace(create=2, now=1)
        return self.fence(state, index, after)


def _no_void() -> Changes:
    return [(rules, "may_apply", lambda stock, *, read_no: True)]


def _believe_webhook() -> Changes:
    return [(rules, "take_hint", lambda stock, *, count, no: replace(stock, count=count, applied_no=no))]


def _drop_at_cancel() -> Changes:
    return [(rules, "never_sent", lambda *, attempts, waiting: True)]


def _add_at_cancel() -> Changes:
    from crossdock.store.models import VariantStock
    from crossdock.usecases.outcomes.kinds import cancel_order
    from crossdock.usecases.stock import reservations

    good = cancel_order.cancelled

    def cancelled(order: Any, *given: Any, **named: Any) -> None:
        good(order, *given, **named)
        for line in order.lines.all():
            row = reservations.locked([line.variant_id])[line.variant_id]
            VariantStock.objects.filter(pk=row.pk).update(count=(row.count or 0) + line.quantity)

    return [(cancel_order, "cancelled", cancelled)]


class _AddAtCancel(Moves):
    def cancelled(self, state: State, index: int, order: Order) -> State:
        added = state._replace(
            rows=tuple((row[0] + units, *row[1:]) for row, units in zip(state.rows, order.units, strict=True))
        )
        return super().cancelled(added if order.cancel == ANSWERED else state, index, order)


def _believe_none() -> Changes:
    good = rules.looked

    def looked(**given: bool) -> rules.Look:
        return good(**{**given, "conclusive": True})

    return [(rules, "looked", looked)]


def _only_release() -> Changes:
    return [(rules, "refuse", lambda stock, *, asked, no: rules.want_read(stock, no=no))]


def _adjust_again() -> Changes:
    return [(rules, "may_adjust", lambda *, restores, ours, sent, repeatable: not restores)]


def _pay_unchecked() -> Changes:
    from crossdock.store.models import Reservation
    from crossdock.usecases.checkout import checkout
    from crossdock.usecases.checkout.new_order import UnderLock, ask_under_lock
    from crossdock.usecases.checkout.parts import parts_of, units_of

    def hold_again(intent: Any, *, now: datetime, off: Any) -> tuple[dict[int, str], UnderLock]:
        wanted = units_of(parts_of(intent))
        kept = {hold.variant_id for hold in checkout.open_holds(intent)}
        for pk, units in wanted.items():
            if pk not in kept:
                Reservation.objects.create(
                    cause=f"checkout:{intent.public_id}:{pk}:again",
                    variant_id=pk,
                    quantity=units,
                    state=HoldState.CHECKOUT,
                    expires_at=now + checkout.HOLD_FOR,
                    created_at=now,
                )
        holds = checkout.open_holds(intent, with_offer=True)
        return {}, ask_under_lock(intent=intent, parts=parts_of(intent), holds=holds, now=now)

    return [(checkout, "hold_again", hold_again)]


class _PayUnchecked(Moves):
    def pay_late(self, state: State, index: int, order: Order) -> State:
        return put(state, index, self._placed(order))


def _read_lifts_aside() -> Changes:
    from crossdock.store.models import VariantStock
    from crossdock.usecases.stock import counts

    good, good_locked = rules.apply_read, counts.apply_locked

    def apply_read(*given: Any, **named: Any) -> Read:
        after, settled = good(*given, **named)
        return replace(after, set_aside=False), settled

    def apply_locked(*, answers: Any, **named: Any) -> None:
        good_locked(answers=answers, **named)
        VariantStock.objects.filter(pk__in=list(answers)).update(set_aside_by=None)

    return [(rules, "apply_read", apply_read), (counts, "apply_locked", apply_locked)]


def _ack_is_taken() -> Changes:
    return [(rules, "draws_fence", lambda *, stock_taken, closed: True)]


def _closed_unfenced() -> Changes:
    return [(rules, "draws_fence", lambda *, stock_taken, closed: stock_taken)]


def _clamped() -> Changes:
    return [(rules, "oversold", lambda stock: False)]


def _wish_lost() -> Changes:
    return [(rules, "want_read", lambda stock, *, no: stock)]


BUGS: tuple[Bug, ...] = (
    Bug(
        1,
        "settle_by_arrival",
        "a read settles by when it arrives, not by when it began",
        _settle_by_arrival,
        worlds=("F1b",),
    ),
    Bug(
        2,
        "fence_at_sending",
        "the fence is drawn when the create is sent",
        _fence_at_sending,
        _FenceAtSending,
        ("F1b",),
        seeds=12,
    ),
    Bug(3, "no_void", "a read that overlapped an applied one is applied too", _no_void, worlds=("F1s",)),
    Bug(4, "believe_webhook", "the number of a late webhook becomes the count", _believe_webhook, worlds=("F4s",)),
    Bug(
        5,
        "drop_at_cancel",
        "the hold is dropped when the cancel is asked for",
        _drop_at_cancel,
        worlds=("F2",),
        seeds=24,
    ),
    Bug(
        6,
        "add_at_cancel",
        "the units are added here when the cancel is acknowledged",
        _add_at_cancel,
        _AddAtCancel,
        ("F1b",),
    ),
    Bug(7, "believe_none", "an early look-up that found nothing is believed", _believe_none, worlds=("F2",)),
    Bug(8, "only_release", "a refusal for stock teaches nothing", _only_release, worlds=("F1b",)),
    Bug(9, "adjust_again", "a correction that may have worked is sent again", _adjust_again, worlds=("F7b",)),
    Bug(
        10,
        "pay_unchecked",
        "a payment after the hold's end is taken without a look",
        _pay_unchecked,
        _PayUnchecked,
        ("F1x",),
    ),
    Bug(11, "read_lifts_aside", "a read lifts what was set aside", _read_lifts_aside, worlds=("F6s",)),
    Bug(12, "ack_is_taken", "an order that stands is taken for units that were taken", _ack_is_taken, worlds=("F11",)),
    Bug(12, "closed_unfenced", "a closed order's hold gets no fence", _closed_unfenced, worlds=("F11a",)),
    Bug(13, "clamped", "a count below zero is told to nobody", _clamped, worlds=("F2",)),
    Bug(14, "wish_lost", "the wish for a read is kept nowhere", _wish_lost, worlds=("P1",)),
)


def named(name: str) -> Bug:
    for bug in BUGS:
        if bug.name == name:
            return bug
    raise Trouble(f"There is no bug called {name!r}; there are: {', '.join(bug.name for bug in BUGS)}.")


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """The product with this bug for a while; "" plants none."""
    with replaced(*(named(name).changes() if name else [])):
        yield
