"""What can happen next: every step of buyers, marketplace, shop and network from one state.

The marketplace's own decisions are asked of `Known`.
"""

from collections.abc import Iterator

from crossdock_lab.proof.known import Known, with_state
from crossdock_lab.proof.shop import Shop
from crossdock_lab.proof.state import (
    ALREADY,
    ANSWERED,
    ASK,
    CANCELLED,
    CHECKOUT,
    CLOSED,
    CLOSED_UNTAKEN,
    DONE,
    EXPIRED,
    FLIGHT,
    GONE,
    H_CHECKOUT,
    H_ENDED,
    H_OWED,
    H_TAKEN,
    NOBODY,
    NONE,
    OPEN,
    PENDING,
    REFUSED,
    SENT,
    TAKEN,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    Config,
    Order,
    Read,
    State,
    forget_read,
    put,
)

# (what happened, whether somebody only might do it: a rest is where nothing else is left, the state after)
Move = tuple[str, bool, State]
OK, SHORT = Shop.OK, Shop.SHORT


class Moves:
    """A bug is a subclass with one method replaced, or a function of domain/stock.py replaced before this is made."""

    def __init__(self, config: Config) -> None:
        self.config, self.known, self.shop = config, Known(config.buffer), Shop(config)
        self._variants = range(len(config.stock))

    def __call__(self, state: State) -> Iterator[Move]:
        before: Order | None = None
        for index, order in enumerate(state.orders):
            if order != before:
                yield from self._buyer(state, index, order)
                yield from self._commands(state, index, order)
                yield from self._network(state, index, order)
                yield from self.shop.steps(state, index, order)
            before = order
        yield from self._reads(state)
        yield from self._hooks(state)
        yield from self.shop.by_itself(state)
        if state.left.crashes:
            yield "the worker dies", True, self._crash(state)
        if state.aside and state.phantom == 0:
            yield "the seller confirms the count", True, self._confirm(state)

    # Buyers

    def _buyer(self, state: State, index: int, order: Order) -> Iterator[Move]:
        config = self.config
        if order.phase == NOBODY and self._enough(state, order):
            holds = tuple((H_CHECKOUT if units else H_ENDED, 0) for units in order.units)
            held = order._replace(phase=CHECKOUT, holds=holds)
            if config.expiry:
                yield "a buyer holds", True, put(state, index, held)
            else:
                yield "a buyer buys", True, put(state, index, self._placed(held))
        elif order.phase == CHECKOUT:
            yield "a buyer pays in time", False, put(state, index, self._placed(order))
            ended = order._replace(phase=EXPIRED, holds=with_state(order.holds, H_ENDED))
            yield "a checkout expires", True, put(state, index, ended)
        elif order.phase == EXPIRED:
            yield "a buyer pays after the end", True, self.pay_late(state, index, order)
        elif order.phase == OPEN and config.cancels:
            yield "an order is cancelled here", True, self.cancel(state, index, order)
            if config.dont_have and not state.aside:
                rows = tuple(self.known.set_aside(row) for row in state.rows)
                aside = state._replace(rows=rows, aside=True)
                yield "an order is rejected: not there", True, self.cancel(aside, index, order)

    def _enough(self, state: State, order: Order) -> bool:
        return all(self.known.offer(state, v) >= order.units[v] for v in self._variants if order.units[v])

    @staticmethod
    def _placed(order: Order) -> Order:
        holds = tuple((H_OWED if units else H_ENDED, 0) for units in order.units)
        return order._replace(phase=OPEN, create=WAITING, holds=holds)

    def pay_late(self, state: State, index: int, order: Order) -> State:
        """Promised anew, or the money goes back."""
        if self._enough(state, order):
            return put(state, index, self._placed(order))
        return put(state, index, order._replace(phase=GONE, holds=()))

    def cancel(self, state: State, index: int, order: Order) -> State:
        """Nothing is added here.

        What surely never left is withdrawn; the rest keeps its hold and is cancelled there.
        """
        order = order._replace(phase=CANCELLED)
        attempts = 0 if order.create == WAITING else 1
        if order.create == REFUSED:
            return put(state, index, self._released(order))
        if order.create != DONE and self.known.never_sent(
            attempts=attempts, waiting=order.create in (WAITING, UNKNOWN)
        ):
            return put(state, index, self._released(order._replace(create=WITHDRAWN)))
        if order.told:
            return self.fence(state, index, order)
        return put(state, index, order._replace(cancel=WAITING))

    @staticmethod
    def _released(order: Order) -> Order:
        return order._replace(holds=with_state(order.holds, H_ENDED), cancel=NONE)

    # What M's worker does

    def _commands(self, state: State, index: int, order: Order) -> Iterator[Move]:
        if order.create == WAITING:
            yield "the create is sent", False, self.send(state, index, order)
        if order.create == FLIGHT and order.reply:
            yield "the create's answer arrives", False, self.answered(state, index, order)
        if order.create == UNKNOWN:
            after = self.look(state, index, order)
            if after != state:
                yield "the order is looked for", False, after
        if order.create == REFUSED:
            after = self.stray(state, index, order)
            if after != state:
                yield "the order is read", False, after
        if order.create == DONE:
            after = self.news(state, index, order)
            if after != state:
                yield "the order is read", False, after
            if order.cancel == WAITING:
                yield "the cancel is sent", False, put(state, index, order._replace(cancel=SENT))
        if order.cancel in (ANSWERED, ALREADY):
            yield "the cancel's answer arrives", False, self.cancelled(state, index, order)
        if order.double == ANSWERED:
            after = self.fence(state, index, order._replace(double=DONE))
            yield "the extra copy's cancel is acknowledged", False, after
        if order.adjust == WAITING:
            yield "the correction is sent", False, self.send_adjust(state, index, order)
        if order.adjust == ANSWERED:
            rows = tuple(self.known.want(row, state.next_no) for row in state.rows)
            yield (
                "the correction's answer arrives",
                False,
                put(state._replace(rows=rows), index, order._replace(adjust=DONE)),
            )

    def send(self, state: State, index: int, order: Order) -> State:
        return put(state, index, order._replace(create=FLIGHT, now=1))

    def answered(self, state: State, index: int, order: Order) -> State:
        what, detail = order.reply
        order = order._replace(reply=())
        if what == OK:
            assert isinstance(detail, int)
            return self.bind(state, index, order, detail)
        assert isinstance(detail, tuple)
        return self.refused(state, index, order, detail)

    def bind(self, state: State, index: int, order: Order, copy: int) -> State:
        order = order._replace(create=DONE, bound=copy, unsure=False)
        if self.known.draws_fence(stock_taken=order.copies[copy][0] == TAKEN, closed=False):
            return self.fence(state, index, order._replace(holds=with_state(order.holds, H_TAKEN)))
        return put(state, index, order)

    def refused(self, state: State, index: int, order: Order, sold: tuple[int, ...]) -> State:
        if not self.known.refusal_is_final(unresolved=order.unsure):
            return put(state, index, order._replace(create=UNKNOWN))
        rows = tuple(
            self.known.refuse(row, order.units[v], state.next_no) if order.units[v] else row
            for v, row in enumerate(state.rows)
        )
        seen = tuple(map(max, state.seen, sold))
        order = order._replace(create=REFUSED)
        if order.phase == CANCELLED:
            order = self._released(order)
        return put(state._replace(rows=rows, seen=seen), index, order)

    def fence(self, state: State, index: int, order: Order) -> State:
        """An answer proved it: fences that are not drawn yet are drawn, and reads are wanted."""
        no = state.next_no
        holds = tuple((kind, fence or no) if kind != H_ENDED else (kind, 0) for kind, fence in order.holds)
        rows = tuple(self.known.want(row, no) if order.units[v] else row for v, row in enumerate(state.rows))
        return put(state._replace(rows=rows), index, order._replace(holds=holds))

    def look(self, state: State, index: int, order: Order) -> State:
        """By our reference.

        The horizon has passed when nothing of ours is on its way any more and the search shows everything.
        """
        found = [i for i, (_, visible) in enumerate(order.copies) if visible]
        surely = order.late == 0 and order.now == 0 and len(found) == len(order.copies)
        conclusive = surely or (self.config.impatient and order.phase == OPEN)
        verdict = self.known.looked(
            found=bool(found),
            cancelled=order.phase == CANCELLED,
            conclusive=conclusive,
            unique_reference=self.config.unique,
        )
        match verdict.value:
            case "adopt":
                # A copy that still stands is kept before one that was cancelled.
                first = min(found, key=lambda i: (order.copies[i][0] in (CLOSED, CLOSED_UNTAKEN), i))
                return self.bind(state, index, order, first)
            case "withdraw":
                return put(state, index, self._released(order._replace(create=WITHDRAWN, unsure=False)))
            case "create":
                return put(state, index, order._replace(create=FLIGHT, now=1, unsure=not conclusive))
            case _:
                return state

    def news(self, state: State, index: int, order: Order) -> State:
        """A snapshot of the bound copy, and strays with our reference."""
        copy = order.copies[order.bound][0]
        closed = copy in (CLOSED, CLOSED_UNTAKEN)
        others = any(i != order.bound and kind in (PENDING, TAKEN) for i, (kind, _) in enumerate(order.copies))
        if others and order.double == NONE:
            return put(state, index, order._replace(double=WAITING))
        if closed and not order.told:
            told = order._replace(told=True)
            if order.phase == OPEN and self.config.there_cancels_here:
                told = told._replace(phase=CANCELLED)
            return self._closed(state, index, told)
        unfenced = any(kind != H_ENDED and not fence for kind, fence in order.holds)
        if unfenced and self.known.draws_fence(stock_taken=copy == TAKEN, closed=False):
            return self.fence(state, index, order._replace(holds=with_state(order.holds, H_TAKEN)))
        return state

    def stray(self, state: State, index: int, order: Order) -> State:
        """Refused, and an earlier attempt that was believed to be lost stands there: kept while the order is open,
        cancelled there when it is not.
        """
        late = [i for i, (kind, visible) in enumerate(order.copies) if visible and kind in (PENDING, TAKEN)]
        if late and order.phase == OPEN:
            return self.bind(state, index, order, late[0])
        if late and order.double == NONE:
            return put(state, index, order._replace(double=WAITING))
        return state

    def _closed(self, state: State, index: int, order: Order) -> State:
        if self.known.draws_fence(stock_taken=False, closed=True):
            return self.fence(state, index, order)
        return put(state, index, order)

    def cancelled(self, state: State, index: int, order: Order) -> State:
        """Nothing is added. Where the shop never restores, our own cancellation asks for one correction."""
        ours = order.cancel == ANSWERED
        order = order._replace(cancel=DONE, told=True)
        if self.config.adjusts and order.adjust == NONE and order.copies[order.bound][0] == CLOSED:
            may = self.known.may_adjust(
                restores=self.config.restores, ours=ours, sent=False, repeatable=self.config.adjusts == "idempotent"
            )
            order = order._replace(adjust=WAITING if may else ASK)
        return self._closed(state, index, order)

    def send_adjust(self, state: State, index: int, order: Order) -> State:
        """A count that is written whole goes out with the number that we know."""
        known = (3, tuple(row[0] for row in state.rows)) if self.config.adjusts in ("compare", "blind") else ()
        return put(state, index, order._replace(adjust=SENT, reply=known))

    def adjust_lost(self, state: State, index: int, order: Order) -> State:
        """No answer came: again where a repeat changes nothing, else a person is asked."""
        again = self.known.may_adjust(
            restores=self.config.restores, ours=True, sent=True, repeatable=self.config.adjusts == "idempotent"
        )
        return put(state, index, order._replace(adjust=WAITING if again else ASK))

    # Reads and webhooks

    def _reads(self, state: State) -> Iterator[Move]:
        if len(state.reads) < self.config.reads:
            wanted = any(row[4] > 0 for row in state.rows)
            if wanted or self.config.polls:
                yield "a read begins", not wanted, state._replace(reads=(*state.reads, Read()))
        for index, read in enumerate(state.reads):
            if not read.counts:
                answered = Read(state.counts, state.sold)
                reads = (*state.reads[:index], answered, *state.reads[index + 1 :])
                yield "the shop answers a read", False, state._replace(reads=reads)
            else:
                yield "a read is applied", False, self.apply(state, index, read)
            if state.left.losses:
                left = state.left._replace(losses=state.left.losses - 1)
                yield "a read is lost", True, forget_read(state._replace(left=left), index)

    def apply(self, state: State, index: int, read: Read) -> State:
        read_no = 2 * (index + 1)
        rows, orders, seen = list(state.rows), list(state.orders), list(state.seen)
        for v in self._variants:
            if not self.known.may_apply(rows[v], read_no):
                continue
            held = self.known.held(state, v)
            whose = [i for i, order in enumerate(orders) if order.holds and order.holds[v][0] != H_ENDED]
            rows[v], ended, told = self.known.apply_read(rows[v], held, read.counts[v], read_no, state.next_no)
            for which in ended:
                i = whose[which]
                holds = orders[i].holds
                orders[i] = orders[i]._replace(holds=(*holds[:v], (H_ENDED, 0), *holds[v + 1 :]))
            seen[v] = max(seen[v], read.sold[v])
            if read.counts[v] < 0 and not told:
                raise Untold(f"the shop's count is {read.counts[v]} and nobody is told")
        orders.sort()
        after = forget_read(state._replace(rows=tuple(rows), orders=tuple(orders), seen=tuple(seen)), index)
        return self._without_void(after)

    def _without_void(self, state: State) -> State:
        """A read that cannot be applied any more changes nothing, so it need not be remembered."""
        for index in range(len(state.reads) - 1, -1, -1):
            if not any(self.known.may_apply(row, 2 * (index + 1)) for row in state.rows):
                state = forget_read(state, index)
        return state

    def _hooks(self, state: State) -> Iterator[Move]:
        for index, (number, sold) in enumerate(state.hooks):
            rest = state._replace(hooks=state.hooks[:index] + state.hooks[index + 1 :])
            yield "a webhook arrives", False, self._hooked(rest, number, sold)
            if state.left.doubled:
                left = state.left._replace(doubled=state.left.doubled - 1)
                yield "a webhook arrives, and will again", True, self._hooked(state._replace(left=left), number, sold)

    def _hooked(self, state: State, number: int | None, sold: tuple[int, ...]) -> State:
        row, no = state.rows[0], state.next_no
        if self.config.hook_body == "wish":
            return state._replace(rows=(self.known.want(row, no), *state.rows[1:]))
        if number is None:
            number, sold = state.counts[0], state.sold
        rows = (self.known.hint(row, number, no), *state.rows[1:])
        return self._without_void(state._replace(rows=rows, seen=tuple(map(max, state.seen, sold))))

    # Trouble

    def _network(self, state: State, index: int, order: Order) -> Iterator[Move]:
        left = state.left
        if not left.losses:
            return
        less = state._replace(left=left._replace(losses=left.losses - 1))
        unknown = order._replace(create=UNKNOWN, now=0, unsure=True, reply=())
        if order.create == FLIGHT and order.now:
            yield "the create is lost on its way", True, put(less, index, unknown)
            if self.config.late:
                yield "the create is late", True, put(less, index, unknown._replace(late=order.late + 1))
        if order.create == FLIGHT and order.reply:
            yield "the create's answer is lost", True, put(less, index, unknown)
        if order.cancel in (ANSWERED, ALREADY):
            yield "the cancel's answer is lost", True, put(less, index, order._replace(cancel=WAITING))
        if order.adjust == ANSWERED:
            yield "the correction's answer is lost", True, self.adjust_lost(less, index, order)

    def _crash(self, state: State) -> State:
        """What was only in memory is gone; what was sent is unknown, and may still be on its way."""
        while state.reads:
            state = forget_read(state, len(state.reads) - 1)
        orders = []
        for order in state.orders:
            if order.create == FLIGHT:
                order = order._replace(create=UNKNOWN, unsure=True, late=order.late + order.now, now=0, reply=())
            if order.cancel in (SENT, ANSWERED, ALREADY):
                order = order._replace(cancel=WAITING)
            if order.double == ANSWERED:
                order = order._replace(double=WAITING)
            if order.adjust in (SENT, ANSWERED):
                again = self.known.may_adjust(
                    restores=self.config.restores, ours=True, sent=True, repeatable=self.config.adjusts == "idempotent"
                )
                order = order._replace(adjust=WAITING if again else ASK, reply=())
            orders.append(order)
        left = state.left._replace(crashes=state.left.crashes - 1)
        return state._replace(orders=tuple(sorted(orders)), left=left)

    def _confirm(self, state: State) -> State:
        rows = tuple(self.known.confirm(row, state.next_no) for row in state.rows)
        return self._without_void(state._replace(rows=rows, aside=False, seen=state.sold))


class Untold(Exception):
    """An oversell that nobody is told of."""
