"""The other side of the model: a shop that executes what reaches it, sells by itself, cancels, recounts.

It decides nothing of ours.
"""

from collections.abc import Iterator

from crossdock_lab.proof.state import (
    ALREADY,
    ANSWERED,
    ASK,
    CLOSED,
    CLOSED_UNTAKEN,
    FLIGHT,
    PENDING,
    SENT,
    TAKEN,
    WAITING,
    Config,
    Copy,
    Numbers,
    Order,
    State,
    put,
)

Move = tuple[str, bool, State]


class Shop:
    """`config.refuses`: it never creates without stock.

    `config.unique`: a second order with our reference answers with the first one.
    """

    OK, SHORT = 1, 2

    def __init__(self, config: Config) -> None:
        self.config = config

    def steps(self, state: State, index: int, order: Order) -> Iterator[Move]:
        """What this order lets happen in the shop."""
        if order.now:
            yield "the shop creates", False, self._create(state, index, order._replace(now=0), answers=True)
        if order.late:
            late = order._replace(late=order.late - 1)
            yield "the shop creates, late", False, self._create(state, index, late, answers=False)
        for i, (kind, visible) in enumerate(order.copies):
            if not visible:
                seen = self._copy(order, i, kind, True)
                yield "the shop's search shows it", False, put(state, index, seen)
            if kind == PENDING and self.config.takes == "late":
                taken = self._moved(state, order, -1)
                yield "the shop takes the units", False, put(taken, index, self._copy(order, i, TAKEN, visible))
            if kind in (PENDING, TAKEN) and state.left.shop_cancels:
                less = state._replace(left=state.left._replace(shop_cancels=state.left.shop_cancels - 1))
                for restock in self.config.restocks:
                    words = "the shop cancels and restocks" if restock else "the shop cancels, nothing restocked"
                    yield words, True, self._close(less, index, order, i, restock=restock)
        if order.cancel == SENT:
            yield "the shop cancels for us", False, self._cancel(state, index, order)
        if order.double == WAITING:
            yield "the shop cancels the extra copy", False, self._cancel_double(state, index, order)
        if order.adjust == SENT:
            yield "the shop corrects its count", False, self._adjust(state, index, order)

    def by_itself(self, state: State) -> Iterator[Move]:
        left = state.left
        if left.sales:
            for v, count in enumerate(state.counts):
                if count > 0:
                    yield (
                        "the shop sells one",
                        True,
                        self._sold(state._replace(left=left._replace(sales=left.sales - 1)), v),
                    )
        # Below zero a recount upwards hides an oversell that nobody read: C8, which no count can repair.
        if left.recounts and state.counts[0] >= 0:
            more = state._replace(left=left._replace(recounts=left.recounts - 1), found=state.found + 1)
            yield "the seller counts one more", True, self._told(self._changed(more, 0, 1), 0)
        if state.aside and state.phantom:
            counted = state
            for _ in range(state.phantom):
                counted = self._sold(counted, 0)
            yield "the seller counts what is really there", True, counted._replace(phantom=0)

    # Inside

    def _create(self, state: State, index: int, order: Order, *, answers: bool) -> State:
        awaited = answers and order.create == FLIGHT
        if self.config.unique and order.copies:
            return put(state, index, order._replace(reply=(self.OK, 0)) if awaited else order)
        if self.config.refuses and any(
            units > count for units, count in zip(order.units, state.counts, strict=True) if units
        ):
            return put(state, index, order._replace(reply=(self.SHORT, state.sold)) if awaited else order)
        kind = TAKEN if self.config.takes == "create" else PENDING
        after = self._moved(state, order, -1) if kind == TAKEN else state
        order = order._replace(copies=(*order.copies, (kind, not self.config.lag)))
        if awaited:
            order = order._replace(reply=(self.OK, len(order.copies) - 1))
        return put(after, index, order)

    def _moved(self, state: State, order: Order, sign: int) -> State:
        counts = tuple(count + sign * units for count, units in zip(state.counts, order.units, strict=True))
        return self._told(state._replace(counts=counts), 0)

    def _changed(self, state: State, v: int, by: int) -> State:
        counts = state.counts
        return state._replace(counts=(*counts[:v], counts[v] + by, *counts[v + 1 :]))

    def _sold(self, state: State, v: int) -> State:
        sold = state.sold
        state = state._replace(sold=(*sold[:v], sold[v] + 1, *sold[v + 1 :]))
        return self._told(self._changed(state, v, -1), v)

    def _told(self, state: State, v: int) -> State:
        """A change of the first variant's count may be told by a webhook."""
        if v or not self.config.hook_body or not state.left.hooks:
            return state
        number = None if self.config.hook_body == "delivery" else state.counts[0]
        hooks = tuple(sorted([*state.hooks, (number, state.sold)], key=repr))
        return state._replace(hooks=hooks, left=state.left._replace(hooks=state.left.hooks - 1))

    @staticmethod
    def _copy(order: Order, i: int, kind: int, visible: bool) -> Order:
        changed: Copy = (kind, visible)
        return order._replace(copies=(*order.copies[:i], changed, *order.copies[i + 1 :]))

    def _close(self, state: State, index: int, order: Order, i: int, *, restock: bool) -> State:
        kind, visible = order.copies[i]
        if kind == TAKEN and restock:
            state = self._moved(state, order, +1)
        return put(state, index, self._copy(order, i, CLOSED if kind == TAKEN else CLOSED_UNTAKEN, visible))

    def _cancel(self, state: State, index: int, order: Order) -> State:
        kind = order.copies[order.bound][0]
        if kind in (CLOSED, CLOSED_UNTAKEN):
            return put(state, index, order._replace(cancel=ALREADY))
        return self._close(state, index, order._replace(cancel=ANSWERED), order.bound, restock=self.config.restores)

    def _cancel_double(self, state: State, index: int, order: Order) -> State:
        extra = next(
            (i for i, copy in enumerate(order.copies) if i != order.bound and copy[0] in (PENDING, TAKEN)), None
        )
        order = order._replace(double=ANSWERED)
        if extra is None:
            return put(state, index, order)
        return self._close(state, index, order, extra, restock=self.config.restores)

    def _adjust(self, state: State, index: int, order: Order) -> State:
        """A relative change; where repeats are recognised, only the first one changes anything.

        "compare" writes only over the number that M knew.
        """
        again = order.adjusted > 0
        known: Numbers = order.reply[1] if order.reply else ()  # type: ignore[assignment]
        order = order._replace(adjust=ANSWERED, reply=())
        if self.config.adjusts == "idempotent" and again:
            return put(state, index, order)
        if self.config.adjusts in ("compare", "blind"):
            if self.config.adjusts == "compare" and known != state.counts:
                return put(state, index, order._replace(adjust=ASK))
            written = tuple(count + units for count, units in zip(known, order.units, strict=True))
            return put(state._replace(counts=written), index, order._replace(adjusted=order.adjusted + 1))
        return put(self._moved(state, order, +1), index, order._replace(adjusted=order.adjusted + 1))
