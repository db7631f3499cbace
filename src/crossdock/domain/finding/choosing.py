"""What a buyer chose among attributes: any of several values of one, and all attributes together."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from crossdock.domain.finding.filling import values_in
from crossdock.domain.finding.taxonomy import CATEGORY

# Numbers of listings are below this (filling.py).
END = Decimal(10) ** 12
# As filling.py writes them. What an attribute says was a choice or words where its definition was another before.
NUMBER = r"-?[0-9]+([.][0-9]+)?"


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of `values`; or, of a number, what is from `low` to `high`, both included."""

    attribute: str
    values: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def facts(self) -> list[str]:
        """Of which a listing has one; of a range the bare attribute, which an index finds."""
        return [f"{self.attribute}={value}" for value in self.values] or [self.attribute]

    @property
    def is_range(self) -> bool:
        return not self.values

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        return (-END if self.low is None else self.low, END if self.high is None else self.high)

    def takes(self, values: Iterable[str]) -> bool:
        if self.values:
            return not set(self.values).isdisjoint(values)
        low, high = self.bounds
        return any(low <= Decimal(value) <= high for value in values if re.fullmatch(NUMBER, value))


def in_category(key: str) -> Choice:
    return Choice(CATEGORY, (key,))


def all_take(choices: Sequence[Choice], facts: Iterable[str]) -> bool:
    """Whether one thing, by its facts, is what all of these ask for."""
    if not choices:
        return True
    known: Mapping[str, Sequence[str]] = values_in(facts, category=True)
    return all(choice.takes(known.get(choice.attribute, ())) for choice in choices)
