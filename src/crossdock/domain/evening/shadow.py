"""Shadow mode: a shop that is only read. Its counts fall when something is sold there, and each fall is judged as if
buyers had been here.

The orders of the shop's own customers are none of our business, and some platforms do not even show them: counts are
read of every shop.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Fall:
    """A count that was read lower than before. `before` and `after` are what could have been sold here until and since
    then, with the seller's limits taken off; `why_not` is why the item would not have been listed, empty when it would.
    `price_minor` is of one unit, now.
    """

    title: str
    at: datetime
    units: int
    before: int
    after: int
    why_not: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class Judged:
    """`landed` units of it the shop would have had for a buyer here, `refused` ones it would not, for that reason.
    `late`: the last that were free here went there, and until the count was read a buyer could still have asked.
    """

    fall: Fall
    landed: int
    refused: int
    why: str
    late: bool


KEPT_BACK = "It is kept back by your limits (units kept back, floor, at most shown)."


def judged(fall: Fall) -> Judged:
    if fall.why_not:
        return Judged(fall, 0, fall.units, fall.why_not, late=False)
    landed = min(fall.units, max(0, fall.before))
    refused = fall.units - landed
    return Judged(fall, landed, refused, KEPT_BACK if refused else "", late=fall.before > 0 and fall.after <= 0)


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen in one time in shadow mode, as plain numbers. `worth_minor` is what the landed units cost here, in
    the shop's currency. The lags are None while nothing happened; `per_second` is how fast the shop may be asked.
    """

    began_at: datetime
    until: datetime
    listed: int
    not_listed: int
    falls: int
    units: int
    landed: int
    refused: int
    late: int
    worth_minor: int
    lag_median: float | None
    lag_worst: float | None
    calls: int
    per_second: float
    # More happened than is counted here.
    cut: bool = False

    @property
    def lasted(self) -> timedelta:
        return self.until - self.began_at

    @property
    def budget_used(self) -> float:
        """Of the calls that the shop's pace allows in that time, in percent."""
        allowed = self.per_second * self.lasted.total_seconds()
        return 100 * self.calls / allowed if allowed > 0 else 0.0

    @property
    def steady(self) -> bool:
        """Whether a share of the budget says something: the first reading is a burst."""
        return self.per_second > 0 and self.lasted >= timedelta(hours=1)


def summed(falls: Iterable[Judged]) -> dict[str, int]:
    """The sums of a report, by the names of its fields."""
    rows: Sequence[Judged] = [*falls]
    return {
        "falls": len(rows),
        "units": sum(row.fall.units for row in rows),
        "landed": sum(row.landed for row in rows),
        "refused": sum(row.refused for row in rows),
        "late": sum(row.late for row in rows),
        "worth_minor": sum(row.landed * row.fall.price_minor for row in rows),
    }
