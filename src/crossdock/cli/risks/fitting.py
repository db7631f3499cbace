"""Learning the signals' weights from labelled orders: a logistic scorecard whose weights may only point the way each
signal is meant.

What comes out is a rule set like any other, a plain table of points, so scoring needs nothing of what fitting needs.
It runs in shadow: its score is kept beside each judgement and decides nothing until staff release it. Always split in
time: a random split lets the future into the past.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from crossdock.cli.trouble import Trouble
from crossdock.domain.risk import SIGNALS, WEIGHTS, Facts, RuleSet
from crossdock.domain.risk.report import Report, judged, paired_gain, report

LEAST_FRAUDS = 150
TRAIN_SHARE = 0.7
# Less than this is no gain that anybody would notice.
MARGIN = 0.005
Labelled = Sequence[tuple[Facts, bool]]
# A wrong weight costs more than a missing one, so they are drawn towards 0.
_PULL = 1.0
_BIGGEST = 60


def fit(*, shadow: bool) -> int:
    """Prints both sides on the later part of the history; with `shadow` the fitted rules run beside the ones in force
    from now on.
    """
    from crossdock.cli import database

    database.ready(migrated=True)
    from crossdock.usecases.risk.judge import rules_in_force
    from crossdock.usecases.risk.rules import keep_fitted, labelled

    now = datetime.now(UTC)
    rows = labelled(since=None, now=now)
    frauds = sum(fraud for _, fraud in rows)
    if frauds < LEAST_FRAUDS:
        raise Trouble(
            f"There are {frauds} orders labelled as fraud; {LEAST_FRAUDS} are needed before weights can be learned."
            " Until then the points set by hand are better."
        )
    now_rules, _ = rules_in_force()
    fitted, theirs, ours, paired = compared(rows, now_rules)
    beats = better(theirs, ours, paired)
    lines = [
        "The rules in force then, on the later part of the orders:",
        *theirs.lines(),
        "Fitted on the earlier part, on the same later part:",
        *ours.lines(),
        f"The AUC differs by {paired[0]:+.4f}, with 95 % certainty by {paired[1]:+.4f} to {paired[2]:+.4f}."
        if paired
        else "The later part has no frauds, or nothing else.",
        "The fitted rules are better."
        if beats
        else (
            f"The fitted rules are not better: that takes {MARGIN} more AUC that is no chance, and no loss of recall at"
            " 1 % and 5 % false alarms. Leave the ones in force."
        ),
    ]
    print("\n".join(lines))
    print(
        "As a plain table:", *(f"{code:18} {weight:4}" for code, weight in fitted.weights.items() if weight), sep="\n  "
    )
    if shadow:
        row = keep_fitted(rules=fitted, lines=lines, beats=beats, now=now)
        print(f"{row} runs in shadow from now on: its score is kept beside each judgement and decides nothing.")
        print("Staff can put it in force on its page." if beats else "It cannot be put in force.")
    return 0


def better(theirs: Report, ours: Report, paired: tuple[float, float, float] | None) -> bool:
    """By more than a margin, by more than chance, and nowhere worse where few false alarms are allowed."""
    if paired is None:
        return False
    gain, low, _ = paired
    kept = (ours.recall_at_1_percent or 0) >= (theirs.recall_at_1_percent or 0)
    kept = kept and (ours.recall_at_5_percent or 0) >= (theirs.recall_at_5_percent or 0)
    return gain >= MARGIN and low > 0 and kept


def compared(rows: Labelled, now_rules: RuleSet) -> tuple[RuleSet, Report, Report, tuple[float, float, float] | None]:
    """(fitted on the first part, the report of `now_rules` and of the fitted on the rest, the gain with its interval).

    `rows` are in the order of their time.
    """
    cut = int(len(rows) * TRAIN_SHARE)
    fitted = fitted_on(rows[:cut])
    theirs, ours = judged(now_rules, rows[cut:]), judged(fitted, rows[cut:])
    return fitted, report(theirs), report(ours), paired_gain(theirs, ours)


def fitted_on(rows: Labelled) -> RuleSet:
    """Points from a logistic fit with bounds: a signal can lose its weight, never change its side.

    Missing data counts as silence.
    """
    try:
        import numpy as np
        from scipy.optimize import minimize
    except ImportError:
        raise Trouble(
            "Fitting needs the optional packages: pip install -r requirements/extras.txt. Scoring does not."
        ) from None
    looks = np.array([[signal.look(facts) or 0 for signal in SIGNALS] for facts, _ in rows], dtype=float)
    truth = np.array([fraud for _, fraud in rows], dtype=float)
    size = looks.shape[1]

    def loss(values: "np.ndarray") -> tuple[float, "np.ndarray"]:
        weights, base = values[:size], values[size]
        line = looks @ weights + base
        chance = 1 / (1 + np.exp(-np.clip(line, -35, 35)))
        cost = float(np.sum(np.logaddexp(0, line) - truth * line) + _PULL * np.sum(weights**2) / 2)
        slope = looks.T @ (chance - truth) + _PULL * weights
        return cost, np.append(slope, np.sum(chance - truth))

    bounds = [(None, 0.0) if WEIGHTS[signal.code] < 0 else (0.0, None) for signal in SIGNALS] + [(None, None)]
    found = minimize(loss, np.zeros(size + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return _as_points([float(value) for value in found.x[:size]], float(found.x[size]))


def _as_points(weights: Sequence[float], base: float) -> RuleSet:
    """The largest weight becomes 60 points; the lines lie where the fitted chance of fraud passes 10 % and 50 %."""
    largest = max((abs(weight) for weight in weights), default=0.0)
    if largest == 0:
        raise Trouble("Nothing could be learned: no signal tells the labelled frauds from the other orders.")
    scale = _BIGGEST / largest
    points = {signal.code: round(weight * scale) for signal, weight in zip(SIGNALS, weights, strict=True)}
    medium, high = ((math.log(chance / (1 - chance)) - base) * scale for chance in (0.10, 0.50))
    medium_from = max(1, round(medium))
    return RuleSet(0, points, medium_from, max(medium_from + 1, round(high)))
