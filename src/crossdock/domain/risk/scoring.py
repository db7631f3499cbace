"""A rule set weighs the signals and draws the two lines. Too few signals with data mean "not assessed", never low."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.signal import About, Sentiment
from crossdock.domain.risk.signals import SIGNALS
from crossdock.domain.risk.weights import HIGH_FROM, MEDIUM_FROM, WEIGHTS


class RiskLevel(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Version 0 is the one shipped with the program.

    A weight of 0 switches a signal off: it is then not asked at all.
    """

    version: int = 0
    weights: Mapping[str, int] = field(default_factory=lambda: dict(WEIGHTS))
    medium_from: int = MEDIUM_FROM
    high_from: int = HIGH_FROM
    needed: int = 5

    def problems(self) -> list[str]:
        """What makes these rules unusable, as sentences."""
        wrong = [f"There is no signal called {code}." for code in self.weights if code not in WEIGHTS]
        wrong += [
            f"{code}: between -100 and 100." for code, weight in self.weights.items() if not -100 <= weight <= 100
        ]
        if not 0 < self.medium_from < self.high_from <= 1000:
            wrong.append("Medium has to begin above 0, and high above medium.")
        return wrong


SHIPPED = RuleSet()


@dataclass(frozen=True, slots=True)
class Reason:
    """What one signal with data contributed. `points` is 0 where it found nothing to say."""

    code: str
    points: int
    sentence: str
    sentiment: Sentiment = Sentiment.NEUTRAL

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "points": self.points, "sentence": self.sentence, "sentiment": self.sentiment}


@dataclass(frozen=True, slots=True)
class Assessment:
    """`available` of `asked` signals had data. `score` is the sum of the points; what speaks for it takes away."""

    level: RiskLevel
    reasons: tuple[Reason, ...]
    available: int
    asked: int
    score: int = 0
    version: int = 0


def assess(facts: Facts, rules: RuleSet = SHIPPED) -> Assessment:
    """The level with its reasons, worst first."""
    asked = [signal for signal in SIGNALS if rules.weights.get(signal.code)]
    reasons: list[Reason] = []
    about: set[About] = set()
    for signal in asked:
        grade = signal.look(facts)
        if grade is None:
            continue
        about.add(signal.about)
        points = round(rules.weights[signal.code] * grade)
        if grade:
            sentiment = Sentiment.POSITIVE if signal.praise else Sentiment.NEGATIVE
        else:
            sentiment = Sentiment.NEUTRAL if signal.praise else Sentiment.POSITIVE
        reasons.append(Reason(signal.code, points, signal.sentence(facts, grade), sentiment))
    score = sum(reason.points for reason in reasons)
    if score >= rules.high_from:
        level = RiskLevel.HIGH
    elif score >= rules.medium_from:
        level = RiskLevel.MEDIUM
    else:
        known = len(reasons) >= rules.needed and _known(facts, about)
        level = RiskLevel.LOW if known else RiskLevel.NOT_ASSESSED
    available = len(reasons)
    if level is RiskLevel.NOT_ASSESSED:
        reasons.append(Reason("unknown", 0, _NEW if facts.earlier_of_buyer else _UNKNOWN, Sentiment.NEUTRAL))
    ordered = tuple(sorted(reasons, key=lambda reason: -reason.points))
    return Assessment(level, ordered, available, len(asked), score, rules.version)


def _known(facts: Facts, about: set[About]) -> bool:
    """Whether anything vouches for the order: a bank has looked at the payment, or the buyer bought here before and a
    first dispute would have come. What an amount or a count of nothing says is not enough for "low".
    """
    return About.BANK in about or (facts.known_days or 0) >= SOME_TIME


# Most disputes for fraud of an order come later; the first come about then.
SOME_TIME = 7.0
_UNKNOWN = "Nothing is known about this buyer, so it cannot be called low."
_NEW = "Too little is known about this buyer, so it cannot be called low."
