"""What must hold in every state of the model, and what must hold once nothing is left to do.

Counted in the shop, not in our rows.
"""

from crossdock_lab.proof.moves import Moves
from crossdock_lab.proof.state import (
    ALREADY,
    ANSWERED,
    CANCELLED,
    CHECKOUT,
    CLOSED,
    CLOSED_UNTAKEN,
    DONE,
    H_ENDED,
    OPEN,
    PENDING,
    REFUSED,
    TAKEN,
    Config,
    Order,
    Read,
    State,
)


def claims(order: Order) -> bool:
    """Whether this order may still take units out of the shop's count: promised or on its way, and never taken yet."""
    kinds = [kind for kind, _ in order.copies]
    if TAKEN in kinds or CLOSED in kinds or CLOSED_UNTAKEN in kinds:
        return False
    if order.now or order.late or PENDING in kinds:
        return True
    return order.phase == CHECKOUT or (order.phase == OPEN and order.create != REFUSED)


class Truth:
    """Sentences about what is broken; "" where all is well."""

    def __init__(self, config: Config, moves: Moves) -> None:
        self.config, self.moves = config, moves
        self._variants = range(len(config.stock))

    def always(self, state: State) -> str:
        """Never more is offered than exists, save what the shop took and nobody could know; no count rises above the
        goods.
        """
        for v, real in enumerate(self._real(state)):
            offered = self.moves.known.offer(state, v)
            if state.aside:
                real = 0
            # A double that came after the time bound takes a unit that nobody could know of; only its end is judged
            # there.
            if offered > max(0, real) and not self.config.impatient:
                return f"{offered} offered, {max(0, real)} there: more is promised than exists"
            taken = sum(
                order.units[v] * sum(1 for kind, _ in order.copies if kind == TAKEN)
                for order in state.orders
                if order.copies
            )
            goods = self.config.stock[v] + (state.found if v == 0 else 0) - state.sold[v] - taken
            if state.counts[v] > goods:
                return f"the shop counts {state.counts[v]} of {goods}: units were put back twice"
        return ""

    def _real(self, state: State) -> list[int]:
        """Per variant what is there for a new promise, as far as M could know."""
        real = [
            count + sold - seen - self.config.buffer
            for count, sold, seen in zip(state.counts, state.sold, state.seen, strict=True)
        ]
        for order in state.orders:
            if claims(order):
                for v, units in enumerate(order.units):
                    real[v] -= units
        return real

    def promised(self, before: State, after: State) -> str:
        """After a buyer's step: what was promised by it was there."""
        for was, now in zip(self._real(before), self._real(after), strict=True):
            if now < min(0, was) and not self.config.impatient:
                return "promised without being there: more is promised than exists"
        return ""

    def at_rest(self, state: State) -> str:
        """Called where nothing is left to do.

        `polls`: one more read makes the knowledge complete; otherwise it has to be complete already.
        """
        for order in state.orders:
            found = self._order_at_rest(order)
            if found:
                return found
        if self.config.polls:
            whole = state._replace(reads=(Read(state.counts, state.sold),))
            state = self.moves.apply(whole, 0, whole.reads[0])
        for order in state.orders:
            open_holds = [(kind, fence) for kind, fence in order.holds if kind != H_ENDED]
            if open_holds and (order.phase == CANCELLED or any(fence for _, fence in open_holds)):
                return "a hold is left for ever"
        for v in self._variants:
            if state.rows[v][0] != state.counts[v]:
                return f"the shop counts {state.counts[v]}, we believe {state.rows[v][0]}, and no read is wanted"
            held = sum(units for *_, units in self.moves.known.held(state, v))
            free = max(0, state.counts[v] - held - self.config.buffer)
            if not state.aside and state.rows[v][2] is None and self.moves.known.offer(state, v) != free:
                return f"{free} are free and not offered"
        return ""

    def _order_at_rest(self, order: Order) -> str:
        standing = sum(1 for kind, _ in order.copies if kind in (PENDING, TAKEN))
        if standing > 1:
            return "an order stands in the shop twice"
        if order.phase == CANCELLED and standing:
            return "an order is cancelled here and stands in the shop: an orphan"
        if order.phase == OPEN and order.create == DONE and not standing and not order.told:
            return "an order does not stand in the shop and nobody is told"
        if order.phase == OPEN and order.create not in (DONE, REFUSED):
            return "an order was never settled"
        if order.cancel in (ANSWERED, ALREADY):
            return "a cancel was never settled"
        return ""
