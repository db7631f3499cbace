"""What a signal is: it looks at the facts and grades what it found, and says it in a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.grades import Grade, times
from crossdock.domain.wording import counted


class Sentiment(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class About(StrEnum):
    """What a signal looks at. Only a bank's word or the buyer's own past can make a risk low."""

    BANK = "bank"
    PERSON = "person"
    PAST = "past"
    SALE = "sale"


@dataclass(frozen=True, slots=True)
class Signal:
    """`look` grades how much of it was found: above 0 the message `bad` is true, at 0 `good` is.

    `praise` marks the ones that speak for the order. `figures` says `bad` with the numbers of this order.
    """

    code: str
    about: About
    bad: str
    good: str
    look: Callable[[Facts], Grade]
    praise: bool = False
    figures: Callable[[Facts], str] | None = None

    def sentence(self, facts: Facts, grade: float) -> str:
        if not grade:
            return self.good
        return self.figures(facts) if self.figures else self.bad


def times_words(name: str, usual: str, what: str) -> Callable[[Facts], str]:
    def words(f: Facts) -> str:
        return f"The amount is {times(getattr(f, name), getattr(f, usual)) or 0:.1f} times what {what}."

    return words


def count_words(name: str, text: str, one: str, many: str = "") -> Callable[[Facts], str]:
    return lambda f: text.format(counted(getattr(f, name), one, many))
