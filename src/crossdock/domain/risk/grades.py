"""How a fact becomes a grade between 0 and 1, or None where it says nothing."""

from collections.abc import Callable, Mapping

from crossdock.domain.places import postal_country
from crossdock.domain.risk.facts import Facts

Grade = float | None
# line -> the grade from there on.
Levels = Mapping[int, float] | Mapping[float, float]
Look = Callable[[Facts], Grade]


def graded(value: float | None, levels: Levels) -> Grade:
    """The grade of the highest line that the value reaches."""
    if value is None:
        return None
    return max((grade for line, grade in levels.items() if value >= line), default=0.0)


def steps(name: str, levels: Levels, *, once: str = "") -> Look:
    """`once`: a count of earlier things; where there are none, this count could not have said anything."""

    def look(facts: Facts) -> Grade:
        if once and not getattr(facts, once):
            return None
        return graded(getattr(facts, name), levels)

    return look


def times(value: float | None, usual: float | None) -> float | None:
    return None if value is None or not usual else value / usual


def ratio(name: str, usual: str, levels: Levels) -> Look:
    """How many times the usual it is."""

    def look(facts: Facts) -> Grade:
        return graded(times(getattr(facts, name), getattr(facts, usual)), levels)

    return look


def check(result: str | None) -> Grade:
    return {"pass": 0.0, "fail": 1.0}.get(result or "")


def yes(value: bool | None) -> Grade:
    return None if value is None else float(value)


def listed(value: bool | None) -> Grade:
    """Not to stand on a list says nothing: most lists are short."""
    return 1.0 if value else None


def differ(one: str | None, other: str | None) -> Grade:
    """Puerto Rico and its like are the US: cards, phone numbers and networks from there are at home in both."""
    return None if not one or not other else float(postal_country(one) != postal_country(other))
