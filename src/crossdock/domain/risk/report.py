"""How well a rule set tells fraud from honest orders: the area under the curve, recall at few false alarms, and what
each level held.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.scoring import RiskLevel, RuleSet, assess
from crossdock.domain.wording import counted


@dataclass(frozen=True, slots=True)
class Judged:
    """One order that was judged, and what it turned out to be: None where nobody says."""

    score: float
    level: RiskLevel
    fraud: bool | None


def judged(rules: RuleSet, rows: Iterable[tuple[Facts, bool | None]]) -> list[Judged]:
    """Each by these rules, beside what it turned out to be."""
    found = ((assess(facts, rules), fraud) for facts, fraud in rows)
    return [Judged(one.score, one.level, fraud) for one, fraud in found]


@dataclass(frozen=True, slots=True)
class Level:
    """Orders of one level.

    `share` of all orders; `precision` is the share of frauds among them; `recall` the share of all frauds that they
    hold.
    """

    orders: int
    share: float
    frauds: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Report:
    """None where there were no frauds, or nothing but frauds."""

    orders: int
    frauds: int
    auc: float | None
    recall_at_1_percent: float | None
    recall_at_5_percent: float | None
    honest_above_low: float | None
    levels: dict[RiskLevel, Level]

    def lines(self) -> list[str]:
        """For a terminal and for the staff's page."""
        curve = "AUC and recall need both frauds and honest orders."
        if self.auc is not None:
            curve = (
                f"AUC {self.auc:.3f}, recall {self.recall_at_1_percent:.3f} at 1 % false alarms and"
                f" {self.recall_at_5_percent:.3f} at 5 %; {self.honest_above_low:.1%} of the honest ones are medium or"
                " high."
            )
        found = [f"{counted(self.orders, 'order')}, {counted(self.frauds, 'fraud')}. {curve}"]
        for level, row in self.levels.items():
            found.append(
                f"{level.value.replace('_', ' '):13} {row.orders:6} orders ({row.share:6.1%}), {row.frauds:4} frauds,"
                f" precision {row.precision:.3f}, recall {row.recall:.3f}"
            )
        return found


def auc(rows: Sequence[Judged]) -> float | None:
    """The chance that a fraud scores above an honest order, ties counted half (Mann-Whitney)."""
    ordered = sorted(rows, key=lambda row: row.score)
    frauds = sum(row.fraud is True for row in ordered)
    honest = len(ordered) - frauds
    if not frauds or not honest:
        return None
    ranks, i = 0.0, 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j].score == ordered[i].score:
            j += 1
        # Ranks i+1 .. j share their mean.
        ranks += (i + 1 + j) / 2 * sum(row.fraud is True for row in ordered[i:j])
        i = j
    return (ranks - frauds * (frauds + 1) / 2) / (frauds * honest)


def recall_at(rows: Sequence[Judged], false_alarms: float) -> float | None:
    """The largest share of frauds caught by a line above which at most this share of the honest orders lies."""
    frauds = sum(row.fraud is True for row in rows)
    honest = len(rows) - frauds
    if not frauds or not honest:
        return None
    best = caught = wrong = 0
    ordered = sorted(rows, key=lambda row: -row.score)
    i = 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j].score == ordered[i].score:
            caught += ordered[j].fraud is True
            wrong += not ordered[j].fraud
            j += 1
        if wrong > false_alarms * honest:
            break
        best, i = caught, j
    return best / frauds


def paired_gain(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[float, float, float] | None:
    """By how much the second has more AUC on the same orders, with its 95 % interval (DeLong's, which knows that both
    judge the same orders). None without frauds or honest orders, or with too few of them to say.
    """
    one, other = _placed(before), _placed(after)
    if one is None or other is None or min(len(one[0]), len(one[1])) < 2:
        return None
    gain = fmean(other[0]) - fmean(one[0])
    spread = sum(
        variance([y - x for x, y in zip(first, second, strict=True)]) / len(first)
        for first, second in zip(one, other, strict=True)
    )
    return gain, gain - 1.96 * sqrt(spread), gain + 1.96 * sqrt(spread)


def _placed(rows: Sequence[Judged]) -> tuple[list[float], list[float]] | None:
    """Of each fraud the share of honest orders below it, of each honest order the share of frauds above it."""
    bad = sorted(row.score for row in rows if row.fraud)
    good = sorted(row.score for row in rows if row.fraud is False)
    if not bad or not good:
        return None

    def below(score: float, ordered: list[float]) -> float:
        return (bisect_left(ordered, score) + bisect_right(ordered, score)) / 2 / len(ordered)

    return (
        [below(row.score, good) for row in rows if row.fraud],
        [1 - below(row.score, bad) for row in rows if row.fraud is False],
    )


def report(rows: Sequence[Judged]) -> Report:
    """Of the orders whose end is known."""
    known = [row for row in rows if row.fraud is not None]
    frauds = sum(row.fraud is True for row in known)
    levels: dict[RiskLevel, Level] = {}
    for level in RiskLevel:
        mine = [row for row in known if row.level is level]
        bad = sum(row.fraud is True for row in mine)
        levels[level] = Level(
            len(mine),
            len(mine) / len(known) if known else 0.0,
            bad,
            bad / len(mine) if mine else 0.0,
            bad / frauds if frauds else 0.0,
        )
    above = levels[RiskLevel.MEDIUM], levels[RiskLevel.HIGH]
    honest = len(known) - frauds
    alarms = sum(level.orders - level.frauds for level in above) / honest if honest else None
    return Report(len(known), frauds, auc(known), recall_at(known, 0.01), recall_at(known, 0.05), alarms, levels)
