"""The stock protocol as pure functions: what may be sold, and how each piece of news changes it.

Numbers (`*_no`) are drawn from one database sequence and replace clocks in every comparison: a read drawn after a
fence surely began after the shop took the units. Only reads raise what may be sold; nothing is ever added here on a
cancel. Each rule names its number in the stock protocol.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class HoldState(StrEnum):
    """CHECKOUT has an end in time; OWED waits for the shop; TAKEN is in the shop's count once a later read is applied;
    ENDED counts no more.
    """

    CHECKOUT = "checkout"
    OWED = "owed"
    TAKEN = "taken"
    ENDED = "ended"


class EndedWhy(StrEnum):
    READ = "read"
    EXPIRED = "expired"
    NOT_SENT = "not_sent"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    SHIPPED_HERE = "shipped_here"


@dataclass(frozen=True, slots=True)
class Stock:
    """What we know of one variant. `count` is signed and None when unknown; `fresh` is false once the last read is too
    old to sell from.

    `want_no` is 0 when no read is wanted; otherwise a read drawn after it is.
    """

    count: int | None = None
    applied_no: int = 0
    shop_version: str = ""
    ceiling: int | None = None
    ceiling_no: int = 0
    want_no: int = 0
    set_aside: bool = False
    fresh: bool = True
    buffer: int = 0
    # Below so many in the shop nothing is offered; and never more than so many at once (None: no limit).
    floor: int = 0
    most: int | None = None

    @property
    def read_wanted(self) -> bool:
        return self.want_no > 0


@dataclass(frozen=True, slots=True)
class Hold:
    """Units promised to one cause.

    `fence_no` is drawn after an answer that proves that the shop took them, or that the order is closed.
    """

    id: str
    quantity: int
    state: HoldState
    fence_no: int | None = None


def available(stock: Stock, holds: Iterable[Hold]) -> int | None:
    """Rule 1: units that may be promised now; None means unknown, shown as "?" and not sold."""
    return left_of(stock, sum(hold.quantity for hold in holds if hold.state is not HoldState.ENDED))


def left_of(stock: Stock, promised: int) -> int | None:
    """The same, of holds that were summed elsewhere: `promised` units are held by somebody."""
    if stock.count is None or not stock.fresh:
        return None
    if stock.set_aside:
        return 0
    free = _known(stock, stock.count) - promised
    if free < stock.floor:
        return 0
    left = max(0, free - stock.buffer)
    return left if stock.most is None else min(left, stock.most)


def _known(stock: Stock, count: int) -> int:
    return count if stock.ceiling is None else min(count, stock.ceiling)


def covered(stock: Stock, earlier: Iterable[Hold], mine: Hold) -> int | None:
    """How many of `mine`'s units there are after those that were promised `earlier`; None when nobody knows. Asked at
    checkout, before money is taken.

    Whoever held first is served first, so that two buyers of one unit are not both sent away. What is set aside, kept
    back or below the floor is not there.
    """
    left = available(replace(stock, most=None), earlier)
    return None if left is None else min(left, mine.quantity)


def worth_asking(*, left: int, age_seconds: float, few: int, old_seconds: float) -> bool:
    """A line is asked for at the shop before money is taken when few are left, or when its count was read long ago."""
    return left <= few or age_seconds > old_seconds


def may_apply(stock: Stock, *, read_no: int) -> bool:
    """Rule 3: a read that overlapped an applied one is void."""
    return read_no > stock.applied_no


def apply_read(
    stock: Stock, holds: Iterable[Hold], *, count: int | None, version: str, read_no: int, applied_no: int
) -> tuple[Stock, tuple[Hold, ...]]:
    """Rules 3, 4 and 8: the new knowledge, and the holds that this read proves to be in the count.

    `applied_no` is drawn now, not at the start.
    """
    settled = tuple(
        hold
        for hold in holds
        if hold.state is not HoldState.ENDED and hold.fence_no is not None and hold.fence_no < read_no
    )
    lifted = stock.ceiling is not None and read_no > stock.ceiling_no
    return (
        replace(
            stock,
            count=count,
            fresh=True,
            applied_no=applied_no,
            shop_version=version or stock.shop_version,
            ceiling=None if lifted else stock.ceiling,
            # Rule 5: met only by a read drawn after the wish.
            want_no=0 if read_no > stock.want_no else stock.want_no,
        ),
        settled,
    )


def want_read(stock: Stock, *, no: int) -> Stock:
    """Rule 5: a later read is wanted; the wish is kept in the row, not in anybody's memory."""
    return replace(stock, want_no=max(stock.want_no, no))


def refuse(stock: Stock, *, asked: int, no: int) -> Stock:
    """Rule 8: "no stock for `asked`" is knowledge: the count is at most `asked - 1` until a read drawn later says
    otherwise.
    """
    ceiling = asked - 1 if stock.ceiling is None else min(stock.ceiling, asked - 1)
    return replace(stock, ceiling=ceiling, ceiling_no=no, want_no=max(stock.want_no, no))


def take_hint(stock: Stock, *, count: int, no: int) -> Stock:
    """Rule 11: a number that a webhook carried may only lower, and asks for a read."""
    ceiling = count if stock.ceiling is None else min(stock.ceiling, count)
    return replace(stock, ceiling=ceiling, ceiling_no=no, want_no=max(stock.want_no, no))


def set_aside(stock: Stock) -> Stock:
    """Rule 12: "I don't have it". No read, restore or webhook lifts it."""
    return replace(stock, set_aside=True)


def confirm(stock: Stock, *, no: int) -> Stock:
    """Rule 12: the seller counted; what the shop says is believed again, from a read drawn after now.

    Until then the old count, which was wrong, sells nothing.
    """
    return distrust(replace(stock, set_aside=False), no=no)


def distrust(stock: Stock, *, no: int) -> Stock:
    """What is counted changed (other locations): the count of before sells nothing until a read drawn after now."""
    return replace(stock, ceiling=0, ceiling_no=no, want_no=max(stock.want_no, no))


def oversold(stock: Stock) -> bool:
    """Rule 12: the shop's own count fell below zero, so somebody's promise has no unit."""
    return stock.count is not None and stock.count < 0


class Look(StrEnum):
    """What a look-up by our reference means for a create whose outcome is unknown."""

    ADOPT = "adopt"
    WITHDRAW = "withdraw"
    CREATE = "create"
    WAIT = "wait"


def looked(*, found: bool, cancelled: bool, conclusive: bool, unique_reference: bool) -> Look:
    """Rule 6: "none" counts only after the horizon (`conclusive`); before it nothing is released, and repeated only
    where the shop refuses a double.
    """
    if found:
        return Look.ADOPT
    if cancelled:
        return Look.WITHDRAW if conclusive else Look.WAIT
    return Look.CREATE if conclusive or unique_reference else Look.WAIT


def never_sent(*, attempts: int, waiting: bool) -> bool:
    """Rule 7: only a create that surely never left may be withdrawn, and its hold released, without asking the shop."""
    return attempts == 0 and waiting


def draws_fence(*, stock_taken: bool, closed: bool) -> bool:
    """Rules 4 and 7: an order that stands there is no proof that its units were taken; an order that is closed takes
    no more.
    """
    return stock_taken or closed


def refusal_is_final(*, unresolved: bool) -> bool:
    """Rule 8: not while an earlier attempt may still arrive (C4c)."""
    return not unresolved


def may_adjust(*, restores: bool, ours: bool, sent: bool, repeatable: bool) -> bool:
    """Rule 10: a count is corrected only after our own cancel call cancelled, where the shop never restores, and once
    unless a repeat changes nothing.
    """
    return not restores and ours and (not sent or repeatable)
