"""Taking units out of a shop's order: the lines they come from, and the mark by which our own cancellation is known
again.

The mark stands in whatever text the shop keeps with it (a refund's note, a history's reason): no platform keeps a key
of ours there.
"""

import re
from collections import Counter
from collections.abc import Mapping

from crossdock.domain.commands import CancelLines, CancelReason, Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import OrderLine, ShopOrder, ShopOrderState
from crossdock.kit.shop.mapping import NO_ORDER, summed

# What is lost or broken is not put back on the shelf.
NOTHING_LEFT = frozenset({CancelReason.NOT_AVAILABLE, CancelReason.DAMAGED, CancelReason.LOST})
_MARK = re.compile(r"\[crossdock ([^\[\]]+)\]")


def marked(command: CancelLines) -> str:
    """The note to write there: words for the seller, then the key."""
    words = command.note or f"Taken out on the marketplace: {command.reason.replace('_', ' ')}."
    return f"{words} [crossdock {command.key}]"


def key_of(note: str) -> str:
    """The key in a note of ours; empty in anybody else's."""
    found = _MARK.search(note)
    return found[1] if found else ""


def pick(order: ShopOrder, command: CancelLines, traces: Mapping[str, str] | None = None) -> dict[str, int] | Outcome:
    """Units by the shop's line id to take out now; otherwise how it ends, by the order as it was just read.

    `traces` maps the keys on record there to the id of what arose; without it they are read from the order's refunds.
    """
    known = {refund.key: refund.refund_id for refund in order.refunds} if traces is None else traces
    if command.key in known:
        return Done(known[command.key], order.number, order.url, already=True)
    if command.only_look:
        return Unknown("The units are not taken out of the order in your shop yet.")
    if order.state is ShopOrderState.GONE:
        return Refused(Why.NOT_FOUND, NO_ORDER)
    if order.reference != command.reference:
        return Refused(Why.CONFLICT, f"Order {order.number} in your shop is not ours; nothing was taken out of it.")
    if order.state is ShopOrderState.CANCELLED:
        note = "The whole order is cancelled in your shop already."
        return Done("", order.number, order.url, already=True, note=note)
    left, taken = _left(order), Counter[str]()
    for lines, units in _wanted(order, command):
        if not 0 < units <= sum(line.quantity for line in lines):
            return Refused(Why.INVALID, f"Order {order.number} in your shop does not have so many units any more.")
        if units > sum(left[line.line_id] for line in lines):
            return Refused(Why.TOO_LATE, f"Order {order.number}: these units are marked as shipped in your shop.")
        for line in lines:
            here = min(units, left[line.line_id])
            taken[line.line_id] += here
            units -= here
    return {line: units for line, units in taken.items() if units}


def _wanted(order: ShopOrder, command: CancelLines) -> list[tuple[list[OrderLine], int]]:
    """Lines there, and how many units to take out of them; what is wanted with none, or of nothing, is refused.

    By the shop's own line ids, if they all still stand there; otherwise by variant.
    """
    rows, by_id = summed(command.rows), {line.line_id: line for line in order.lines}
    if rows and all(row in by_id for row in rows):
        return [([by_id[row]], units) for row, units in rows.items()]
    return [
        ([line for line in order.lines if line.variant_id == variant], units)
        for variant, units in summed(command.lines).items()
    ]


def _left(order: ShopOrder) -> Counter[str]:
    """Units per line that no parcel has. A parcel that names no line has all."""
    parcels = [parcel for parcel in order.parcels if not parcel.cancelled]
    if any(not parcel.lines for parcel in parcels):
        return Counter()
    left = Counter({line.line_id: line.quantity for line in order.lines})
    for parcel in parcels:
        left.subtract(summed(parcel.lines))
    return Counter({line: max(0, units) for line, units in left.items()})
