"""How well a seller does, from the counts of some days alone: four rates, what each means and what to do about it, and
a score from 0 to 100.
"""

from dataclasses import dataclass

DAYS = 90
# Below it one unlucky order would be a tenth of everything.
ENOUGH = 10
# So long a seller has for the first answer to a buyer's first message.
ANSWER_HOURS = 48


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one seller. `cancelled` by them and not at the buyer's wish, `late` of those whose ship-by is over,
    `differed` of the counts that reconciliations read, `unanswered` of requests and first messages.
    """

    orders: int = 0
    cancelled: int = 0
    due: int = 0
    late: int = 0
    read: int = 0
    differed: int = 0
    asked: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """Up to `good` basis points it is good, from `bad` on it costs all of its `weight` in points."""

    title: str
    short: str
    whole: str
    means: str
    todo: str
    good: int
    bad: int
    weight: int


CANCELLED = Measure(
    "Cancelled by you",
    "Cancelled",
    "orders",
    "Orders that were cancelled here or in the shop. Those whose buyer had asked to cancel on the order’s page, or had"
    " withdrawn, do not count, nor does fraud where our risk check had doubts or staff held the order; the reason that"
    " was chosen alone decides nothing.",
    "Connect the shop that has the stock, keep its counts true, and hold a few units back where you sell in other"
    " places too. Whoever asks you in a message to cancel can ask on the order’s page.",
    100,
    500,
    35,
)
LATE = Measure(
    "Shipped late",
    "Late",
    "orders due",
    "Orders that left after their ship-by day, or are still here. Those that our staff held do not count.",
    "Set the working days that you really ship on, and go on holiday under Profile before you leave.",
    200,
    1000,
    30,
)
DIFFERED = Measure(
    "Counts that differed",
    "Differed",
    "counts read",
    "Products whose count in the shop was another one than it should have been, found when the shop was read again.",
    "Change counts in one place only, and look at the differences on your shop’s page: each says where it came from.",
    100,
    500,
    15,
)
UNANSWERED = Measure(
    "Not answered in time",
    "Unanswered",
    "requests and messages",
    "Requests to cancel or return that waited for an answer longer than they may, and first messages of buyers without"
    f" an answer within {ANSWER_HOURS} hours.",
    "Have alerts mailed to you at once, and answer from the order’s page.",
    500,
    2000,
    20,
)


@dataclass(frozen=True, slots=True)
class Rate:
    measure: Measure
    part: int
    whole: int

    @property
    def points(self) -> int | None:
        """Basis points; None of nothing."""
        return self.part * 10_000 // self.whole if self.whole else None

    @property
    def words(self) -> str:
        points = self.points
        return "–" if points is None else f"{points // 100}.{points % 100 // 10} %"

    @property
    def grade(self) -> tuple[str, str]:
        """In a word, and its tone."""
        points = self.points
        if points is None:
            return "Nothing yet", ""
        if points <= self.measure.good:
            return "Good", "good"
        return ("Needs you", "bad") if points >= self.measure.bad else ("Could be better", "warn")

    @property
    def costs(self) -> int:
        """Points of the score."""
        return self.measure.weight * min(self.points or 0, self.measure.bad) // self.measure.bad


@dataclass(frozen=True, slots=True)
class Score:
    """`total` is None where there are too few orders to say anything."""

    counts: Counts

    @property
    def rates(self) -> tuple[Rate, ...]:
        known = self.counts
        return (
            Rate(CANCELLED, known.cancelled, known.orders),
            Rate(LATE, known.late, known.due),
            Rate(DIFFERED, known.differed, known.read),
            Rate(UNANSWERED, known.unanswered, known.asked),
        )

    @property
    def total(self) -> int | None:
        return None if self.counts.orders < ENOUGH else 100 - sum(rate.costs for rate in self.rates)

    @property
    def tone(self) -> str:
        if self.total is None:
            return ""
        return "good" if self.total >= 85 else "warn" if self.total >= 60 else "bad"
