"""What a shop's goods cost here: a price rule, applied to the price that the shop asks and to nothing else. So it is
never applied to its own result, and the same price of the shop gets the same price here at each import.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from crossdock.domain.currencies import minor_units
from crossdock.domain.values import Money

# In hundredths of a percent, and in minor units.
LEAST_PERCENT, MOST_PERCENT, MOST_AMOUNT = -90_00, 1_000_00, 10**9
_WHOLE = 100_00


class Way(StrEnum):
    """Which of the prices that a rule allows is taken."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"


WAYS = {Way.NEAREST: "to the nearest", Way.UP: "up", Way.DOWN: "down"}


@dataclass(frozen=True, slots=True)
class Pricing:
    """First `percent` (hundredths of a percent of the shop's price), then `fixed` are added; both may lower it.

    What comes out is rounded once, to a price that ends as `ending` in each `step`: 99 in 100 is 0.99, 1.99, 2.99, …
    of dollars; step 0 keeps every minor unit. One below `minimum`, or below the shop's own price where
    `not_below_shop` is set, becomes the lowest such price that is not. All but `percent` are minor units of `currency`,
    which is empty where none is said.
    """

    percent: int = 0
    fixed: int = 0
    step: int = 0
    ending: int = 0
    way: Way = Way.NEAREST
    minimum: int = 0
    not_below_shop: bool = False
    currency: str = ""

    @property
    def plain(self) -> bool:
        """The shop's own prices."""
        return not (self.percent or self.fixed or self.step or self.minimum)

    def of(self, price: Money) -> Money:
        """What is asked here for what costs `price` (above 0) in the shop; at least one minor unit. Of another currency
        than the rule's it is the shop's own, and `why_not` keeps it from sale.
        """
        if self.plain or self.why_not(price.currency):
            return price
        step = max(1, self.step)
        exact = price.minor * (_WHOLE + self.percent) + (self.fixed - self.ending) * _WHOLE
        size = step * _WHOLE
        places = {
            Way.NEAREST: (2 * exact + size) // (2 * size),
            Way.UP: -(-exact // size),
            Way.DOWN: exact // size,
        }
        least = max(1, self.minimum, price.minor if self.not_below_shop else 0)
        lowest = -((self.ending - least) // step)
        return Money(max(places[self.way], lowest) * step + self.ending, price.currency)

    def why_not(self, currency: str) -> str:
        """Why something with its price in this currency cannot be priced, for its seller; empty when it can."""
        if not self.currency or self.currency == currency:
            return ""
        return (
            f"Its price in your shop is in {currency}, and your price rule is in {self.currency}."
            " Set the rule for this shop anew."
        )

    @property
    def sentences(self) -> list[str]:
        """For its seller, in the order in which they are applied; empty for the shop's own prices."""
        said = [f"{_signed(self.percent)} % on your shop's price"] if self.percent else []
        said += [f"{self._words(abs(self.fixed))} {'more' if self.fixed > 0 else 'less'} a piece"] if self.fixed else []
        said += [f"rounded {WAYS[self.way]}: {examples(self.step, self.ending, self.currency)}"] if self.step else []
        said += [f"never below {self._words(self.minimum)}"] if self.minimum else []
        return said + (["never below your shop's own price"] if self.not_below_shop and not self.plain else [])

    def _words(self, minor: int) -> str:
        return Money(minor, self.currency).words


OWN = Pricing()


def roundings(currency: str) -> list[tuple[int, int]]:
    """The steps and endings that are offered, as prices look in it: by parts of one whole unit where it has decimals,
    by tens and hundreds where it has none.
    """
    unit = 10 ** minor_units(currency)
    if unit == 1:
        return [(10, 0), (50, 0), (100, 0), (1000, 0), (100, 80), (100, 98), (1000, 980)]
    endings = [unit * part // 100 for part in (99, 95, 90, 50) if unit * part % 100 == 0]
    steps = [unit // 20, unit // 10, unit // 2, unit, 10 * unit]
    return [*((unit, ending) for ending in endings), (10 * unit, 9 * unit), *((step, 0) for step in steps if step > 1)]


def examples(step: int, ending: int, currency: str) -> str:
    """The first prices that a rounding allows: "$0.99, $1.99, $2.99, …"."""
    first = 0 if ending else 1
    return ", ".join([*(Money(ending + place * step, currency).words for place in range(first, first + 3)), "…"])


def wrong_pricing(rule: Pricing) -> str:
    """What is wrong with it, as a sentence; empty when nothing is."""
    if not LEAST_PERCENT <= rule.percent <= MOST_PERCENT:
        return f"Type a percentage from {_signed(LEAST_PERCENT)} to {_signed(MOST_PERCENT)}."
    if abs(rule.fixed) > MOST_AMOUNT or not 0 <= rule.minimum <= MOST_AMOUNT:
        return "An amount is too large."
    if rule.step and (rule.step, rule.ending) not in roundings(rule.currency):
        return "Choose one of the roundings."
    if rule.fixed < 0 and not (rule.minimum or rule.not_below_shop):
        return (
            "A rule that takes an amount off needs a lowest price, or what costs less in your shop would be given away."
        )
    return ""


def _signed(percent: int) -> str:
    """Hundredths as "+12.5" and "-5"."""
    return f"{(Decimal(percent) / 100).normalize():+f}"
