"""A rule set weighs the signals and draws the two lines. Too few signals with data mean "not assessed", never low."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.signals import SIGNALS, Sentiment


class RiskLevel(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    NOT_ASSESSED = "not_assessed"


# Set before any of the report's figures was seen; the reasons are the field's: links and failed checks weigh most,
# youth alone little.
WEIGHTS: Mapping[str, int] = {
    "postal_code": 30,
    "cvc": 30,
    "authenticated": -30,
    "prepaid": 8,
    "gateway": 30,
    "countries": 15,
    "card_country": 12,
    "amount": 15,
    "amount_buyer": 20,
    "units": 10,
    "new_account": 8,
    "rush": 15,
    "known_buyer": -15,
    "orders_hour": 15,
    "orders_day": 15,
    "declined_day": 25,
    "device_declined": 25,
    "cards_buyer": 20,
    "cards_device": 30,
    "card_shared": 30,
    "device_shared": 30,
    "address_shared": 25,
    "ip_shared": 15,
    "linked_fraud": 60,
    "taken_over": 30,
    "disposable_email": 20,
    "phone": 10,
    "phone_country": 8,
    "postal_state": 15,
    "forwarder": 25,
    "ip_country": 20,
    "ip_hosting": 12,
    "blocked": 100,
    "trusted": -60,
}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Version 0 is the one shipped with the program.

    A weight of 0 switches a signal off: it is then not asked at all.
    """

    version: int = 0
    weights: Mapping[str, int] = field(default_factory=lambda: dict(WEIGHTS))
    medium_from: int = 30
    high_from: int = 60
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
    """`available` of `asked` signals had data. `score` is the sum of the points, at least 0."""

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
    for signal in asked:
        found = signal.look(facts)
        if found is None:
            continue
        points = rules.weights[signal.code] * found
        if points:
            sentiment = Sentiment.NEGATIVE if points > 0 else Sentiment.POSITIVE
        else:
            sentiment = Sentiment.NEUTRAL if signal.praise else Sentiment.POSITIVE
        reasons.append(Reason(signal.code, points, signal.bad if found else signal.good, sentiment))
    score = max(0, sum(reason.points for reason in reasons))
    if score >= rules.high_from:
        level = RiskLevel.HIGH
    elif score >= rules.medium_from:
        level = RiskLevel.MEDIUM
    else:
        level = RiskLevel.LOW if len(reasons) >= rules.needed else RiskLevel.NOT_ASSESSED
    ordered = tuple(sorted(reasons, key=lambda reason: -reason.points))
    return Assessment(level, ordered, len(reasons), len(asked), score, rules.version)
