"""`python -m crossdock_lab risk-weights`: the weights that are shipped, learned again from the made-up histories and
from points set by hand; with `--write` they replace domain/risk/weights.py. The same seeds give the same weights.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.cli.risks.risk_report import Case, at_one_percent, cases
from crossdock.cli.scratch import scratch
from crossdock.cli.trouble import Trouble
from crossdock.demo.fields import KNOWN, SIX
from crossdock.demo.histories import KINDS, Kind, history_of
from crossdock.domain.risk import SIGNALS, RuleSet, assess, weights

if TYPE_CHECKING:
    import numpy as np

# Set by hand before anything was learned: what is commonly said of such frauds.
HAND: Mapping[str, int] = {
    "postal_code": 20,
    "cvc": 27,
    "authenticated": -12,
    "prepaid": 2,
    "gateway": 20,
    "countries": 5,
    "card_country": 6,
    "amount": 16,
    "amount_market": 27,
    "amount_buyer": 2,
    "units": 5,
    "seller_fraud": 10,
    "seller_busy": 10,
    "new_account": 17,
    "rush": 9,
    "known_buyer": -24,
    "old_account": -6,
    "own_things": -10,
    "used_to_it": -14,
    "orders_hour": 14,
    "orders_day": 9,
    "orders_week": 2,
    "spent_day": 7,
    "declined_day": 7,
    "card_hour": 2,
    "card_day": 3,
    "device_hour": 6,
    "device_day": 4,
    "device_declined": 8,
    "cards_buyer": 13,
    "devices_buyer": 6,
    "cards_device": 17,
    "card_shared": 13,
    "device_shared": 11,
    "address_shared": 13,
    "ip_shared": 5,
    "buyer_fraud": 30,
    "card_fraud": 16,
    "device_fraud": 16,
    "linked_fraud": 45,
    "new_card": 7,
    "new_device": 2,
    "taken_over": 18,
    "disposable_email": 16,
    "phone": 6,
    "phone_country": 5,
    "postal_state": 6,
    "forwarder": 15,
    "ip_country": 16,
    "ip_hosting": 15,
    "blocked": 100,
    "trusted": -40,
}
# What the histories do not show, or show only as their maker imagined it: it stays as it was set by hand.
FIXED = frozenset(
    (
        "postal_code",
        "cvc",
        "authenticated",
        "gateway",
        "forwarder",
        "blocked",
        "trusted",
        "postal_state",
        "ip_shared",
        "units",
        "phone",
    )
)
# How strongly the points are drawn to those set by hand: the histories are made up, so they correct the hand
# and do not replace it.
PULL = 60.0
# What all histories together weigh, each as much as another, and half of each its frauds, however many they are.
WEIGHT = 10_000.0
# Of honest orders, at 1 % fraud, so many may reach a line; less than is promised, for histories that nobody has seen.
MEDIUM_SHARE, HIGH_SHARE = 0.035, 0.007
LEAST_STEP = 10
_HONEST = 1500
WHERE = Path(weights.__file__)


@dataclass(frozen=True, slots=True)
class Sample:
    """Of each kind, with everything and with six fields known; and honest orders of each at 1 % fraud."""

    learned: list[list[Case]]
    honest: list[list[Case]]


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=0, help="size of each made-up history; as its kind says")
    parser.add_argument("--seeds", default="1,2", help="which made-up histories, by their seeds")
    parser.add_argument("--write", action="store_true", help="write them to domain/risk/weights.py")


def run(args: argparse.Namespace) -> int:
    try:
        chosen = [int(seed) for seed in args.seeds.split(",")]
    except ValueError:
        raise Trouble("--seeds are numbers with commas between them, such as 1,2.") from None
    return fit_kinds(KINDS, seeds=chosen, orders=args.orders, write=args.write)


def fit_kinds(kinds: Sequence[Kind], *, seeds: Sequence[int], orders: int, write: bool) -> int:
    sample = Sample([], [])
    with scratch():
        for kind in kinds:
            for seed in seeds:
                _gather(sample, kind, seed, orders)
            print(f"{kind.name}: {sum(map(len, sample.learned))} orders so far", flush=True)
    rules = learn(sample)
    text = as_module(rules, len(kinds), seeds)
    moved = [f"{code} {HAND[code]} -> {points}" for code, points in rules.weights.items() if points != HAND[code]]
    print("Moved from what was set by hand:", *moved, sep="\n  ")
    print(f"Medium from {rules.medium_from}, high from {rules.high_from}.")
    if write:
        WHERE.write_text(text)
        print(f"Written to {WHERE}.")
    return 0


def _gather(sample: Sample, kind: Kind, seed: int, orders: int) -> None:
    attempts = history_of(kind, seed=seed, orders=orders)
    for known in ("everything", SIX):
        sample.learned.append(cases(attempts, KNOWN[known], most_honest=_HONEST))
    calm = history_of(at_one_percent(kind), seed=seed, orders=orders)
    sample.honest.append([case for case in cases(calm, KNOWN["everything"], most_honest=_HONEST) if not case[1]])


def learn(sample: Sample) -> RuleSet:
    """Points from a logistic fit that is drawn to the hand's, then the two lines."""
    points = _points([block for block in sample.learned if any(fraud for _, fraud in block)])
    rules = RuleSet(0, points, 1, 2)
    scores = [sorted((assess(facts, rules).score for facts, _ in block), reverse=True) for block in sample.honest]
    medium = max(_line(ordered, MEDIUM_SHARE) for ordered in scores)
    high = max(medium + LEAST_STEP, *(_line(ordered, HIGH_SHARE) for ordered in scores))
    return replace(rules, medium_from=medium, high_from=high)


def _line(ordered: Sequence[float], share: float) -> int:
    """The lowest line that at most this share of them reaches."""
    return max(1, int(ordered[int(len(ordered) * share)]) + 1)


def _points(blocks: Sequence[Sequence[Case]]) -> dict[str, int]:
    try:
        import numpy as np
        from scipy.optimize import minimize
    except ImportError:
        raise Trouble(
            "Fitting needs the optional packages: pip install -r requirements/extras.txt. Scoring does not."
        ) from None
    size, hand = len(SIGNALS), np.array([HAND[signal.code] / 10 for signal in SIGNALS])
    known = [_as_arrays(block, WEIGHT / len(blocks)) for block in blocks]

    def loss(values: "np.ndarray") -> tuple[float, "np.ndarray"]:
        """Each history has a base of its own, so that its share of fraud teaches nothing."""
        weights, slope = values[:size], np.zeros_like(values)
        cost = PULL * float(np.sum((weights - hand) ** 2)) / 2
        slope[:size] = PULL * (weights - hand)
        for n, (looks, truth, counts) in enumerate(known):
            line = looks @ weights + values[size + n]
            off = counts * (1 / (1 + np.exp(-np.clip(line, -35, 35))) - truth)
            cost += float(np.sum(counts * (np.logaddexp(0, line) - truth * line)))
            slope[:size] += looks.T @ off
            slope[size + n] = np.sum(off)
        return cost, slope

    bounds = [_bounds(signal.code) for signal in SIGNALS] + [(None, None)] * len(known)
    begin = np.append(hand, np.zeros(len(known)))
    found = minimize(loss, begin, jac=True, bounds=bounds, method="L-BFGS-B")
    return {signal.code: round(10 * float(value)) for signal, value in zip(SIGNALS, found.x[:size], strict=True)}


def _bounds(code: str) -> tuple[float | None, float | None]:
    """A signal can lose its weight, never change its side."""
    points = HAND[code] / 10
    if code in FIXED:
        return points, points
    return (None, 0.0) if points < 0 else (0.0, None)


def _as_arrays(block: Sequence[Case], weight: float) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    import numpy as np

    looks = np.array([[signal.look(facts) or 0 for signal in SIGNALS] for facts, _ in block], dtype=float)
    truth = np.array([fraud for _, fraud in block], dtype=float)
    frauds = truth.sum()
    counts = np.where(truth == 1, weight / 2 / max(1, frauds), weight / 2 / max(1, len(truth) - frauds))
    return looks, truth, counts


def as_module(rules: RuleSet, kinds: int, seeds: Sequence[int]) -> str:
    points = "\n".join(f'    "{code}": {points},' for code, points in rules.weights.items())
    return _MODULE.format(
        seeds=",".join(map(str, seeds)), kinds=kinds, points=points, medium=rules.medium_from, high=rules.high_from
    )


_MODULE = '''\
"""What each signal weighs in the rules that are shipped, and where the levels begin. Ten points are about one
step of e in the odds.

Written by `python -m crossdock_lab risk-weights --seeds {seeds} --write` from {kinds} kinds of made-up histories:
change what that learns from (crossdock_lab/risk_weights.py, demo/histories.py), not this.
"""

from collections.abc import Mapping

WEIGHTS: Mapping[str, int] = {{
{points}
}}
# Few honest orders reach the first line (docs/risk.md says how many); most above the second are fraud.
MEDIUM_FROM, HIGH_FROM = {medium}, {high}
'''
