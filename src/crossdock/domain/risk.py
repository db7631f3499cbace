"""First risk signals of an order. A signal without data counts as not available, never as good; too few signals mean "not assessed"."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class RiskLevel(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when the order is placed; None where nobody told us. Check results are "pass", "fail" or "unavailable" as gateways say."""

    postal_code_check: str | None = None
    cvc_check: str | None = None
    billing_country: str | None = None
    ship_country: str | None = None
    orders_last_hour: int | None = None
    declined_last_day: int | None = None
    account_age_days: int | None = None
    total_minor: int | None = None
    usual_total_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One named look at the facts: points when it speaks against the order, 0 when it speaks for it, None when there is no data."""

    code: str
    bad: str
    good: str
    points: Callable[[Facts], int | None]


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    points: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """`available` of `asked` signals had data."""

    level: RiskLevel
    reasons: tuple[Reason, ...]
    available: int
    asked: int


def _check(result: str | None, points: int) -> int | None:
    return {"pass": 0, "fail": points}.get(result or "")


def _countries(facts: Facts) -> int | None:
    if facts.billing_country is None or facts.ship_country is None:
        return None
    return 25 if facts.billing_country != facts.ship_country else 0


def _above(value: int | None, limit: int, points: int) -> int | None:
    return None if value is None else points if value > limit else 0


def _amount(facts: Facts) -> int | None:
    if facts.total_minor is None or not facts.usual_total_minor:
        return None
    return 20 if facts.total_minor > 5 * facts.usual_total_minor else 0


SIGNALS: tuple[Signal, ...] = (
    Signal("postal_code", "The card's postal code did not match.", "The card's postal code matched.", lambda f: _check(f.postal_code_check, 40)),
    Signal("cvc", "The card's security code did not match.", "The card's security code matched.", lambda f: _check(f.cvc_check, 40)),
    Signal("countries", "Billing and shipping country differ.", "Billing and shipping country are the same.", _countries),
    Signal("orders_hour", "More than 3 orders within an hour.", "No unusual number of orders.", lambda f: _above(f.orders_last_hour, 3, 25)),
    Signal("declined_day", "Several declined payments within a day.", "No declined payments.", lambda f: _above(f.declined_last_day, 1, 30)),
    Signal("new_account", "The buyer's account is new.", "The buyer's account is not new.",
           lambda f: None if f.account_age_days is None else 10 if f.account_age_days < 1 else 0),
    Signal("amount", "The amount is far above what this seller usually sells.", "The amount is usual for this seller.", _amount),
)  # fmt: skip

MEDIUM_FROM, HIGH_FROM, SIGNALS_NEEDED = 30, 60, 3


def assess(facts: Facts) -> Assessment:
    """The level with its reasons; fewer than SIGNALS_NEEDED signals with data is "not assessed", never low."""
    found = [(signal, signal.points(facts)) for signal in SIGNALS]
    reasons = tuple(
        Reason(signal.code, points, signal.bad if points else signal.good)
        for signal, points in found
        if points is not None
    )
    score = sum(reason.points for reason in reasons)
    if score >= HIGH_FROM:
        level = RiskLevel.HIGH
    elif score >= MEDIUM_FROM:
        level = RiskLevel.MEDIUM
    else:
        level = RiskLevel.LOW if len(reasons) >= SIGNALS_NEEDED else RiskLevel.NOT_ASSESSED
    return Assessment(level, tuple(sorted(reasons, key=lambda reason: -reason.points)), len(reasons), len(SIGNALS))
