"""M's decisions, every one made by domain/stock.py, with tuples going in and out.

Remembered, since few different questions are asked often.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from crossdock.domain import stock as rules
from crossdock.domain.stock import HoldState, Stock
from crossdock_lab.proof.state import H_ENDED, Hold, Row, State

_STATES = (HoldState.CHECKOUT, HoldState.OWED, HoldState.TAKEN, HoldState.ENDED)
# State, fence (0 for none) and units.
Held = tuple[int, int, int]


class Known:
    """Made once per exploration, so that a rule replaced before it is the rule that is asked."""

    def __init__(self, buffer: int) -> None:
        self._buffer = buffer
        self.available: Callable[[Row, tuple[Held, ...]], int] = lru_cache(None)(self._available)
        self.may_apply: Callable[[Row, int], bool] = lru_cache(None)(self._may_apply)
        self.apply_read: Callable[[Row, tuple[Held, ...], int, int, int], tuple[Row, tuple[int, ...], bool]] = (
            lru_cache(None)(self._apply_read)
        )
        self.want: Callable[[Row, int], Row] = lru_cache(None)(self._want)
        self.refuse: Callable[[Row, int, int], Row] = lru_cache(None)(self._refuse)
        self.hint: Callable[[Row, int, int], Row] = lru_cache(None)(self._hint)
        self.set_aside: Callable[[Row], Row] = lru_cache(None)(self._set_aside)
        self.confirm: Callable[[Row, int], Row] = lru_cache(None)(self._confirm)
        self.looked = lru_cache(None)(rules.looked)
        self.never_sent = lru_cache(None)(rules.never_sent)
        self.draws_fence = lru_cache(None)(rules.draws_fence)
        self.refusal_is_final = lru_cache(None)(rules.refusal_is_final)
        self.may_adjust = lru_cache(None)(rules.may_adjust)

    def held(self, state: State, variant: int) -> tuple[Held, ...]:
        """The holds on a variant that are not ended, in the orders' order."""
        return tuple(
            (*order.holds[variant], order.units[variant])
            for order in state.orders
            if order.holds and order.holds[variant][0] != H_ENDED
        )

    def offer(self, state: State, variant: int) -> int:
        return self.available(state.rows[variant], self.held(state, variant))

    def _value(self, row: Row) -> Stock:
        count, applied_no, ceiling, ceiling_no, want_no, aside = row
        return Stock(
            count=count,
            applied_no=applied_no,
            ceiling=ceiling,
            ceiling_no=ceiling_no,
            want_no=want_no,
            set_aside=aside,
            buffer=self._buffer,
        )

    @staticmethod
    def _row(stock: Stock) -> Row:
        assert stock.count is not None
        ceiling_no = 0 if stock.ceiling is None else stock.ceiling_no
        return (stock.count, stock.applied_no, stock.ceiling, ceiling_no, stock.want_no, stock.set_aside)

    @staticmethod
    def _holds(held: Sequence[Held]) -> list[rules.Hold]:
        return [
            rules.Hold(str(index), units, _STATES[kind], fence or None)
            for index, (kind, fence, units) in enumerate(held)
        ]

    def _available(self, row: Row, held: tuple[Held, ...]) -> int:
        return rules.available(self._value(row), self._holds(held)) or 0

    def _may_apply(self, row: Row, read_no: int) -> bool:
        return rules.may_apply(self._value(row), read_no=read_no)

    def _apply_read(
        self, row: Row, held: tuple[Held, ...], count: int, read_no: int, applied_no: int
    ) -> tuple[Row, tuple[int, ...], bool]:
        """The row, which holds end, and whether the count below zero is told."""
        after, settled = rules.apply_read(
            self._value(row), self._holds(held), count=count, version="", read_no=read_no, applied_no=applied_no
        )
        return self._row(after), tuple(int(hold.id) for hold in settled), rules.oversold(after)

    def _want(self, row: Row, no: int) -> Row:
        return self._row(rules.want_read(self._value(row), no=no))

    def _refuse(self, row: Row, asked: int, no: int) -> Row:
        return self._row(rules.refuse(self._value(row), asked=asked, no=no))

    def _hint(self, row: Row, count: int, no: int) -> Row:
        return self._row(rules.take_hint(self._value(row), count=count, no=no))

    def _set_aside(self, row: Row) -> Row:
        return self._row(rules.set_aside(self._value(row)))

    def _confirm(self, row: Row, no: int) -> Row:
        return self._row(rules.confirm(self._value(row), no=no))


def with_state(holds: tuple[Hold, ...], kind: int) -> tuple[Hold, ...]:
    """Every hold that is not ended gets this state; an ended hold's fence no longer matters."""
    if kind == H_ENDED:
        return tuple((H_ENDED, 0) for _ in holds)
    return tuple((kind, fence) if was != H_ENDED else (was, fence) for was, fence in holds)
