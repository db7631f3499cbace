"""What a choice would sell, of all products of a shop. Nothing here writes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from crossdock.domain.finding.words import folded
from crossdock.domain.selling.choice import Choice, Chooser
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Listing
from crossdock.store.models.catalogue import ListingState

# Rows that are in memory at once, and words that a page names.
_AT_ONCE, MOST_WORDS = 2_000, 60


class Which(StrEnum):
    """Which products a page of the preview shows."""

    ALL = ""
    SOLD = "sold"
    OUT = "out"


@dataclass(slots=True)
class Counts:
    """Of all products of the shop, those that it deleted aside: `chosen` and `out` by the choice that is tried;
    `leaving` and `coming` are those that go out of what is chosen now and those that come in; `by_hand` of the chosen
    ones stay off sale, since the seller or staff took them off by hand. `unknown` are words of it that no product says.
    """

    chosen: int = 0
    out: int = 0
    leaving: int = 0
    coming: int = 0
    by_hand: int = 0
    types: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)

    @property
    def whole(self) -> int:
        return self.chosen + self.out

    @property
    def words(self) -> list[tuple[str, str, int]]:
        """What the products say (“type” or “tag”, the word, on how many), the most frequent first."""
        said = [("type", word, many) for word, many in self.types.most_common(MOST_WORDS)]
        return [*said, *(("tag", word, many) for word, many in self.tags.most_common(MOST_WORDS))]


@dataclass(frozen=True, slots=True)
class Seen:
    """A product of the preview's page. `why_not` is empty for one that would be sold, as far as the choice goes."""

    pk: int
    public_id: str
    title: str
    said: Mapping[str, Sequence[str]]
    price: Money | None
    why_not: str
    now: str
    by_hand: bool


def counts(*, connection: Connection, choice: Choice) -> Counts:
    """One statement, and rows as they come: however many there are, few are in memory."""
    chooser, found = Chooser.of(choice), Counts()
    for seen in _read(connection, chooser):
        found.types.update(set(seen.said.get("types", ())))
        found.tags.update(set(seen.said.get("tags", ())))
        if seen.why_not:
            found.out += 1
            found.leaving += not seen.now
        else:
            found.chosen += 1
            found.coming += bool(seen.now)
            found.by_hand += seen.by_hand
    types, tags = {*map(folded, found.types)}, {*map(folded, found.tags)}
    found.unknown = [word for word in (*choice.types, *choice.not_types) if folded(word) not in types]
    found.unknown += [word for word in (*choice.tags, *choice.not_tags) if folded(word) not in tags]
    return found


def page(*, connection: Connection, choice: Choice, which: Which, after: int | None, limit: int) -> list[Seen]:
    """Newest first, those behind `after` (a listing's key)."""
    found = list[Seen]()
    for seen in _read(connection, Chooser.of(choice), after):
        if which is Which.ALL or (which is Which.OUT) == bool(seen.why_not):
            found.append(seen)
            if len(found) == limit:
                break
    return found


def _read(connection: Connection, chooser: Chooser, after: int | None = None) -> Iterator[Seen]:
    rows = Listing.objects.filter(connection=connection, gone_in_shop=False).order_by("-pk")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    columns = ("pk", "public_id", "title", "said", "currency", "shop_lowest_minor", "not_chosen", "state")
    for pk, public_id, title, said, currency, lowest, now, state in rows.values_list(*columns).iterator(_AT_ONCE):
        price = None if lowest is None else Money(lowest, currency)
        why = chooser.why_not(said, price)
        yield Seen(pk, public_id, title, said, price, why, now, state != ListingState.LIVE)
