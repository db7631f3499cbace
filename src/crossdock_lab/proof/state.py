"""The model's state: tuples of small numbers, in one canonical form, so that states that differ in nothing that
matters are one state.

Numbers of the stock sequence are kept by rank: the reads in flight carry 2, 4, 6, ... and everything else stands, as
an odd number, between them; no comparison of the protocol can tell two numbers between the same reads apart. Buyers of
the same units are interchangeable, so orders are sorted.
"""

from dataclasses import dataclass
from typing import NamedTuple

# Phases of an order here.
NOBODY, CHECKOUT, EXPIRED, OPEN, CANCELLED, GONE = range(6)
# The create command. FLIGHT waits for an answer; UNKNOWN has to be looked up.
NONE, WAITING, FLIGHT, UNKNOWN, DONE, REFUSED, WITHDRAWN = range(7)
# A copy of the order in the shop. PENDING has taken no stock; the last two are cancelled, after and before it did.
PENDING, TAKEN, CLOSED, CLOSED_UNTAKEN = range(4)
# The command that cancels it there (NONE, WAITING and DONE as above).
SENT, ANSWERED, ALREADY = 7, 8, 9
# The correction of a count that the shop did not restore; ASK is for a person.
ASK = 10
# States of a hold, as domain.stock.HoldState in this order.
H_CHECKOUT, H_OWED, H_TAKEN, H_ENDED = range(4)

Numbers = tuple[int, ...]
# count, applied_no, ceiling, ceiling_no, want_no, set_aside
Row = tuple[int, int, int | None, int, int, bool]
Copy = tuple[int, bool]
Hold = tuple[int, int]


class Order(NamedTuple):
    """One buyer's order on both sides and on the wire.

    `now` is the request that an answer is awaited of, `late` those that were given up.
    """

    units: Numbers
    phase: int = NOBODY
    create: int = NONE
    unsure: bool = False
    now: int = 0
    late: int = 0
    # () or (what, copy's index) or (what, what the shop had sold when it refused)
    reply: tuple[object, ...] = ()
    # (state, seen by the shop's search), oldest first
    copies: tuple[Copy, ...] = ()
    bound: int = -1
    # per variant (state, fence_no)
    holds: tuple[Hold, ...] = ()
    told: bool = False
    cancel: int = NONE
    double: int = NONE
    adjust: int = NONE
    adjusted: int = 0


class Read(NamedTuple):
    """A read in flight; its number is its place in the state. `counts` is () until the shop answered."""

    counts: Numbers = ()
    sold: Numbers = ()


class Budget(NamedTuple):
    """How often each trouble may still happen."""

    sales: int = 0
    losses: int = 0
    crashes: int = 0
    recounts: int = 0
    hooks: int = 0
    doubled: int = 0
    shop_cancels: int = 0


class State(NamedTuple):
    """`sold` counts what the shop took by itself, `seen` how much of it M was told; both per variant and for the
    invariants only.
    """

    counts: Numbers
    rows: tuple[Row, ...]
    orders: tuple[Order, ...]
    reads: tuple[Read, ...]
    # (number carried or None when its body is built at delivery, sold)
    hooks: tuple[tuple[int | None, Numbers], ...]
    sold: Numbers
    seen: Numbers
    found: int
    aside: bool
    phantom: int
    left: Budget

    @property
    def next_no(self) -> int:
        """A number of the sequence drawn now, by rank."""
        return 2 * len(self.reads) + 1


NO_TROUBLE = Budget()


@dataclass(frozen=True, slots=True)
class Config:
    """One world to explore.

    `orders` are units per variant and buyer; `reads` how many may overlap; `polls`: a read may begin without being
    wanted.
    """

    name: str
    about: str
    stock: Numbers
    orders: tuple[Numbers, ...]
    budget: Budget = NO_TROUBLE
    refuses: bool = True
    unique: bool = False
    reads: int = 2
    polls: bool = True
    expiry: bool = False
    cancels: bool = False
    dont_have: bool = False
    restores: bool = True
    adjusts: str = ""  # "", "idempotent", "once", "compare" or, wrongly, "blind"
    late: bool = False
    lag: bool = False
    # When the shop takes the units: "create", "late", "never"
    takes: str = "create"
    hook_body: str = ""  # "", "wish", "event" or "delivery"
    restocks: tuple[bool, ...] = (True, False)
    there_cancels_here: bool = False
    buffer: int = 0
    phantom: int = 0
    # The shop breaks the time bound of the look-up: a create may arrive after it was given up.
    impatient: bool = False
    minute: bool = False


def begin(config: Config) -> State:
    rows = tuple((count, 1, None, 0, 0, False) for count in config.stock)
    zero = (0,) * len(config.stock)
    orders = tuple(sorted(Order(units) for units in config.orders))
    return State(config.stock, rows, orders, (), (), zero, zero, 0, False, config.phantom, config.budget)


def put(state: State, index: int, order: Order) -> State:
    """Another order in the place of one, in canonical order."""
    orders = list(state.orders)
    orders[index] = order
    orders.sort()
    return state._replace(orders=tuple(orders))


def forget_read(state: State, index: int) -> State:
    """A read is no longer in flight: everything that was drawn after it moves down by one rank."""
    gone = 2 * (index + 1)

    def moved(no: int) -> int:
        return no - 2 if no > gone else no

    rows = tuple(
        (count, moved(applied), ceiling, moved(ceiling_no) if ceiling is not None else 0, moved(want), aside)
        for count, applied, ceiling, ceiling_no, want, aside in state.rows
    )
    orders = state.orders
    if any(fence > gone for order in orders for _, fence in order.holds):
        orders = tuple(
            sorted(
                order._replace(holds=tuple((kind, moved(fence)) for kind, fence in order.holds))
                if order.holds
                else order
                for order in orders
            )
        )
    return state._replace(rows=rows, orders=orders, reads=state.reads[:index] + state.reads[index + 1 :])
