"""What a seller sells of a shop: everything, or what its type, its tags and its price say. Decided from what the shop
said and nothing else, so the same product gets the same answer at each import.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from crossdock.domain.finding.words import folded
from crossdock.domain.values import Money

MOST_WORDS, LONGEST_WORD, LONGEST_SENTENCE = 100, 200, 300
# Words that a sentence names before it says how many more there are.
_NAMED = 3
_BEGINS = "Out of your choice of what to sell:"


@dataclass(frozen=True, slots=True)
class Choice:
    """All that is said has to hold; what is empty says nothing, so the empty one is everything.

    Words are compared without case and accents. `low` and `high`, both included, are of the lowest price of a product
    in the shop, in minor units of `currency`.
    """

    types: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    currency: str = ""

    @property
    def everything(self) -> bool:
        return not (self.types or self.not_types or self.tags or self.not_tags or self.by_price)

    @property
    def by_price(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def sentences(self) -> list[str]:
        """For its seller, each "type is one of ..." ; empty for everything."""
        said = [f"its type or category is one of {_listed(self.types)}"] if self.types else []
        said += [f"its type or category is not {_listed(self.not_types)}"] if self.not_types else []
        said += [f"its tag is one of {_listed(self.tags)}"] if self.tags else []
        said += [f"its tag is not {_listed(self.not_tags)}"] if self.not_tags else []
        said += [f"it costs {self._from(self.low)} or more in your shop"] if self.low is not None else []
        said += [f"it costs {self._from(self.high)} or less in your shop"] if self.high is not None else []
        return said

    def _from(self, minor: int) -> str:
        return Money(minor, self.currency).words


@dataclass(frozen=True, slots=True)
class Chooser:
    """A choice made ready for many products."""

    choice: Choice
    types: frozenset[str]
    not_types: frozenset[str]
    tags: frozenset[str]
    not_tags: frozenset[str]
    # Shops say the same few words again and again.
    known: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, choice: Choice) -> Self:
        types, not_types, tags, not_tags = (
            frozenset(map(folded, words)) for words in (choice.types, choice.not_types, choice.tags, choice.not_tags)
        )
        return cls(choice, types, not_types, tags, not_tags)

    def why_not(self, said: Mapping[str, Sequence[str]], price: Money | None) -> str:
        """Why a product is not sold, as a sentence for its seller; empty when it is.

        `said` are its "types" and "tags" as its listing keeps them; `price` is the lowest of its variants in the shop,
        None when it has none.
        """
        return self._why(said, price)[:LONGEST_SENTENCE]

    def _why(self, said: Mapping[str, Sequence[str]], price: Money | None) -> str:
        choice = self.choice
        types, tags = said.get("types", ()), said.get("tags", ())
        if choice.types and not self._among(types, self.types):
            has = f"its type or category is {_listed(types)}" if types else "it has no type or category"
            return f"{_BEGINS} {has}, and you sell {_listed(choice.types)}."
        if hit := self._among(types, self.not_types):
            return f"{_BEGINS} its type or category is {_listed(hit)}."
        if choice.tags and not self._among(tags, self.tags):
            return f"{_BEGINS} it has no tag {_listed(choice.tags, last='or')}."
        if hit := self._among(tags, self.not_tags):
            return f"{_BEGINS} it has the tag {_listed(hit)}."
        return self._price(price)

    def _price(self, price: Money | None) -> str:
        choice = self.choice
        if price is None or not choice.by_price:
            return ""
        if price.currency != choice.currency:
            return f"{_BEGINS} its price is in {price.currency}, and the prices of your choice in {choice.currency}."
        if choice.low is not None and price.minor < choice.low:
            return (
                f"{_BEGINS} it costs {price.words} in your shop, less than {Money(choice.low, price.currency).words}."
            )
        if choice.high is not None and price.minor > choice.high:
            return (
                f"{_BEGINS} it costs {price.words} in your shop, more than {Money(choice.high, price.currency).words}."
            )
        return ""

    def _among(self, words: Sequence[str], wanted: Collection[str]) -> list[str]:
        return [word for word in words if self._folded(word) in wanted] if wanted else []

    def _folded(self, word: str) -> str:
        if word not in self.known:
            self.known[word] = folded(word)
        return self.known[word]


EVERYTHING = Chooser.of(Choice())


def words_in(text: str) -> tuple[str, ...]:
    """As a seller types them, one a line; the same word twice is one."""
    lines = (" ".join(line.split())[:LONGEST_WORD] for line in text.splitlines())
    return tuple({folded(line): line for line in lines if line}.values())


def wrong_choice(choice: Choice) -> str:
    """What is wrong with it, as a sentence; empty when nothing is."""
    if max(map(len, (choice.types, choice.not_types, choice.tags, choice.not_tags))) > MOST_WORDS:
        return f"At most {MOST_WORDS} words of each kind."
    for some, others in ((choice.types, choice.not_types), (choice.tags, choice.not_tags)):
        if both := {*map(folded, some)} & {*map(folded, others)}:
            word = next(word for word in some if folded(word) in both)
            return f"“{word}” is both chosen and left out. Take it out of one of the two."
    if choice.high is not None and choice.high <= 0:
        return "Nothing costs that little. Type a highest price above zero, or leave it empty."
    if choice.low is not None and choice.high is not None and choice.low > choice.high:
        return "The lowest price is above the highest."
    return ""


def _listed(words: Sequence[str], last: str = "or") -> str:
    named = [f"“{word[:60]}”" for word in words[:_NAMED]]
    if len(words) > _NAMED:
        return f"{', '.join(named)} {last} {len(words) - _NAMED} more"
    return f" {last} ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else "".join(named)
