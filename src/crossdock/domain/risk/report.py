"""How well a rule set tells fraud from honest orders: the area under the curve, recall at few false alarms, and what
each level held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crossdock.domain.risk.scoring import RiskLevel


@dataclass(frozen=True, slots=True)
class Judged:
    """One order that was judged, and what it turned out to be."""

    score: float
    level: RiskLevel
    fraud: bool


@dataclass(frozen=True, slots=True)
class Level:
    """Orders of one level.

    `precision` is the share of frauds among them; `recall` the share of all frauds that they hold.
    """

    orders: int
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
    levels: dict[RiskLevel, Level]

    def lines(self) -> list[str]:
        """For a terminal and for the staff's page."""
        curve = (
            "AUC and recall need both frauds and honest orders."
            if self.auc is None
            else (f"AUC {self.auc:.3f}, recall at 1 % false alarms {self.recall_at_1_percent:.3f}")
        )
        found = [f"{self.orders} orders, {self.frauds} frauds. {curve}"]
        for level, row in self.levels.items():
            found.append(
                f"{level.value:13} {row.orders:6} orders, {row.frauds:4} frauds, precision {row.precision:.3f}, recall"
                f" {row.recall:.3f}"
            )
        return found


def auc(rows: Sequence[Judged]) -> float | None:
    """The chance that a fraud scores above an honest order, ties counted half (Mann-Whitney)."""
    ordered = sorted(rows, key=lambda row: row.score)
    frauds = sum(row.fraud for row in ordered)
    honest = len(ordered) - frauds
    if not frauds or not honest:
        return None
    ranks, i = 0.0, 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j].score == ordered[i].score:
            j += 1
        # Ranks i+1 .. j share their mean.
        ranks += (i + 1 + j) / 2 * sum(row.fraud for row in ordered[i:j])
        i = j
    return (ranks - frauds * (frauds + 1) / 2) / (frauds * honest)


def recall_at(rows: Sequence[Judged], false_alarms: float) -> float | None:
    """The largest share of frauds caught by a line above which at most this share of the honest orders lies."""
    frauds = sum(row.fraud for row in rows)
    honest = len(rows) - frauds
    if not frauds or not honest:
        return None
    best = caught = wrong = 0
    ordered = sorted(rows, key=lambda row: -row.score)
    i = 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j].score == ordered[i].score:
            caught += ordered[j].fraud
            wrong += not ordered[j].fraud
            j += 1
        if wrong > false_alarms * honest:
            break
        best, i = caught, j
    return best / frauds


def report(rows: Sequence[Judged]) -> Report:
    frauds = sum(row.fraud for row in rows)
    levels: dict[RiskLevel, Level] = {}
    for level in RiskLevel:
        mine = [row for row in rows if row.level is level]
        bad = sum(row.fraud for row in mine)
        levels[level] = Level(len(mine), bad, bad / len(mine) if mine else 0.0, bad / frauds if frauds else 0.0)
    return Report(len(rows), frauds, auc(rows), recall_at(rows, 0.01), levels)
