"""What a buyer gets back for single units: their share of everything that was paid, so that the parts always add up to
the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crossdock.domain.values import share

# What a person chooses from who credits by hand, or asks for it.
REASONS = ("Arrived damaged", "Not as described", "Never arrived", "Sent back", "Price error", "Goodwill", "Other")


class CreditKind(StrEnum):
    """Why money went back. BANK: the provider's own pages did it; nothing was sent from here."""

    REJECT = "reject"
    LINES = "lines"
    RETURN = "return"
    STAFF = "staff"
    SHOP_REFUND = "shop_refund"
    BANK = "bank"


class CreditState(StrEnum):
    """ASKED waits for staff, SECOND for another person of staff; GRANTED is in the books and on its way, REFUNDED
    confirmed by the gateway.
    """

    ASKED = "asked"
    SECOND = "second"
    GRANTED = "granted"
    REFUNDED = "refunded"
    FAILED = "failed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Paid:
    """A line as it was paid: `items` for all its units, in minor units of the currency; `gone` units were credited
    before.
    """

    items: int
    units: int
    gone: int = 0


def with_shipping(lines: Sequence[Paid], shipping: int) -> tuple[int, ...]:
    """Each line with its share of the shipping. What was given away for nothing still carries some of it."""
    weights = tuple(line.items for line in lines)
    if not any(weights):
        weights = tuple(line.units for line in lines)
    return tuple(line.items + part for line, part in zip(lines, share(shipping, weights), strict=True))


def for_units(whole: int, units: int, gone: int, more: int) -> int:
    """What `more` units of a line get back when `gone` of its `units` got theirs before: unit by unit, so nothing is
    lost in rounding.
    """
    if not 0 <= gone <= gone + more <= units:
        raise ValueError("more units than the line has")
    return sum(share(whole, (1,) * units)[gone : gone + more])


def for_lines(lines: Sequence[Paid], shipping: int, more: Sequence[int]) -> tuple[int, ...]:
    """The same for several lines of one order at once."""
    wholes = with_shipping(lines, shipping)
    return tuple(
        for_units(whole, line.units, line.gone, units) for line, whole, units in zip(lines, wholes, more, strict=True)
    )


def over_orders(amount: int, rests: Sequence[int], totals: Sequence[int]) -> tuple[int, ...]:
    """What each order of one payment has of `amount`, which the bank moved of the payment as a whole.

    Exactly what one of them has left is that order's; otherwise each has its share of what is left. What is more than
    is left (the bank keeps a promise that was made here before) is shared by what was promised, or else by what was
    paid. The parts always add up to the whole.
    """
    if list(rests).count(amount) == 1:
        return tuple(amount if rest == amount else 0 for rest in rests)
    first = min(amount, sum(rests))
    promised = tuple(total - rest for total, rest in zip(totals, rests, strict=True))
    weights = promised if any(promised) else tuple(totals)
    more = share(amount - first, weights)
    return tuple(part + extra for part, extra in zip(share(first, tuple(rests)), more, strict=True))
