"""A list of what changed, oldest change first, that moves while one turns its pages: a page begins where the last
one's newest row was, not where it ended.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from crossdock.domain.events import LookKind, Unreadable
from crossdock.kit.connector import Page
from crossdock.kit.errors import Declined, NoAnswer, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.rows import named, read_each

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
# A row is seen some time after the moment that it carries: what is younger than this is read again.
SETTLED = timedelta(seconds=60)
# No clock is a day ahead of another.
AHEAD = timedelta(days=1)
SECOND = timedelta(seconds=1)
# Of one list that is read to its end at once.
MOST_PAGES = 1_000
_ENDLESS = "A list of your shop does not end."


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list, and the shop's own clock when it answered.

    `odd` are the entries that are no objects: each stands for itself, and `size` counts them. `total` is how many the
    whole list has, where the platform says so.
    """

    items: list[Node]
    at: datetime
    odd: tuple[Any, ...] = ()
    total: int | None = None

    @property
    def size(self) -> int:
        return len(self.items) + len(self.odd)


def listed(name: str, values: Any, at: datetime) -> Listed:
    """Raises Strange when it is no list."""
    if not isinstance(values, list):
        raise Strange(name, "list", values)
    nodes = [node_of(value, f"{name}[{n}]") for n, value in enumerate(values) if isinstance(value, dict)]
    return Listed(nodes, at, tuple(value for value in values if not isinstance(value, dict)))


async def every(page: Callable[[int], Awaitable[Listed]], size: int) -> Listed:
    """All pages of a list that is not expected to move. `page` reads `size` rows behind so many others."""
    nodes, odd = list[Node](), list[Any]()
    for number in range(MOST_PAGES):
        got = await page(number * size)
        nodes += got.items
        odd += got.odd
        if (number + 1) * size >= got.total if got.total is not None else got.size < size:
            return Listed(nodes, got.at, tuple(odd))
    raise NoAnswer(_ENDLESS)


@dataclass(frozen=True, slots=True)
class Paged:
    """One page of a list that goes on by a cursor; `onward` is the vendor's cursor of the next one, "" at the end."""

    rows: Listed
    onward: str


async def to_the_end(page: Callable[[str], Awaitable[Paged]]) -> Listed:
    """All pages of such a list that is not expected to move. One whose cursor does not move is at its end."""
    items, odd, before = list[Node](), list[Any](), ""
    for _ in range(MOST_PAGES):
        got = await page(before)
        items += got.rows.items
        odd += got.rows.odd
        if got.onward in ("", before):
            return Listed(items, got.rows.at, tuple(odd))
        before = got.onward
    raise NoAnswer(_ENDLESS)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a walk through a list goes on: rows changed after `after` (UTC, "" means all), without the first `offset`
    of them.
    """

    after: str = ""
    offset: int = 0

    @classmethod
    def of(cls, text: str) -> "Spot":
        """As it was written into a cursor; the beginning where that holds something else."""
        after, _, offset = text.partition("~")
        return cls(after, int(offset) if offset.isdigit() else 0) if not after or is_date(after) else cls()

    @classmethod
    def settled(cls, at: datetime) -> "Spot":
        """Before that moment everything was surely seen."""
        return cls(seconds(at - SETTLED))

    @property
    def begins(self) -> str:
        """The first second that is wanted, for filters that include their own; "" means all."""
        return (datetime.fromisoformat(self.after) + SECOND).isoformat() if self.after else ""

    def __str__(self) -> str:
        return f"{self.after}~{self.offset}"


@dataclass(frozen=True, slots=True)
class Walked:
    """`settled` is the moment before which everything was surely seen, by the shop's own clock."""

    rows: list[Node]
    spot: Spot
    more: bool
    settled: Spot
    odd: tuple[Any, ...] = ()


async def by_numbers(read: Callable[[int, int], Awaitable[Listed]], spot: Spot, size: int) -> Listed:
    """The page of `size` rows at a spot, of a list that is asked for by the numbers of its pages (1 is the first): one
    that begins in the middle of a page is two half ones. `read` takes a size and a number.
    """
    if spot.offset % size == 0:
        return await read(size, spot.offset // size + 1)
    half = max(1, size // 2)
    one, two = [await read(half, spot.offset // half + n) for n in (1, 2)]
    return Listed([*one.items, *two.items], one.at, (*one.odd, *two.odd))


async def walk(
    fetch: Callable[[Spot, int], Awaitable[Listed]],
    spot: Spot,
    size: int,
    changed: Callable[[Node], datetime | None],
    began: datetime,
) -> Walked:
    """One page of what changed after `spot`, which excludes its own second. `began` is when the platform did.

    Where a second fills a page, the next begins half a page further on: as many rows may move away meanwhile without
    one being lost. A row without a usable date is read and moves nothing.
    """
    page = await fetch(spot, size)
    dates = [(row, usable(changed(row), began, page.at)) for row in page.items]
    rows = [row for row, date in dates if date is None or seconds(date) >= spot.after]
    newest = max((date for _, date in dates if date is not None), default=None)
    settled = Spot.settled(page.at)
    if page.size < size:
        reached = min(seconds(newest), settled.after) if newest else settled.after
        return Walked(rows, Spot(max(spot.after, reached)), more=False, settled=settled, odd=page.odd)
    before = seconds(newest - SECOND) if newest else ""
    onward = Spot(before) if before > spot.after else Spot(spot.after, spot.offset + size // 2)
    return Walked(rows, onward, more=True, settled=settled, odd=page.odd)


async def by_moments(
    read: Callable[[str, str], Awaitable[Paged]],
    cursor: str,
    changed: Callable[[Node], datetime | None],
    began: datetime,
    now: datetime,
) -> tuple[Paged, str, bool]:
    """One page of what changed at or after a moment, with where to go on and whether at once. `read` takes the moment
    ("" means all) and the vendor's cursor.

    Our cursor is `after|onward`: a page begins where the last one's newest row was, and only where one moment fills a
    page the vendor's own cursor goes on.
    """
    after, _, onward = cursor.partition("|")
    if not is_instant(after):
        after = onward = ""
    try:
        page = await read(after, onward)
    except Declined:
        if not onward:
            raise
        # The vendor's cursor is no longer taken: the moment is read again from its beginning.
        return Paged(Listed([], now), ""), f"{after}|", False
    if not page.onward or page.onward == onward:
        return page, settled_at(page.rows.at), False
    dates = [usable(changed(row), began, page.rows.at) for row in page.rows.items]
    newest = instant(min(max((date for date in dates if date), default=began), page.rows.at))
    return page, f"{newest}|" if newest > after else f"{after}|{page.onward}", True


def settled_at(now: datetime) -> str:
    """The cursor of `by_moments` before which everything was surely seen."""
    return f"{instant(now - SETTLED)}|"


def entries(kind: LookKind, page: Listed | Walked, id_of: Callable[[Node], str]) -> list[Node | Unreadable]:
    """The rows of a page; what is no object, or has no id, stands by itself."""
    nodes = page.items if isinstance(page, Listed) else page.rows
    known = read_each(kind, nodes, lambda node: "", lambda node: (id_of(node), node)[1])
    return [*known, *(named(kind, each, id_of) for each in page.odd)]


def from_now(page: Listed) -> Page[Any]:
    """The first look at orders reads none: the walk begins at the shop's own clock, as any answer of it tells."""
    return Page((), str(Spot.settled(page.at)), more=False)


def read_cursor(kind: type[T], words: str) -> T:
    """A cursor that is a dataclass of texts, all with defaults; whatever is none of ours is the beginning."""
    try:
        return kind(**{name: str(value) for name, value in json.loads(words or "{}").items()})
    except (ValueError, TypeError, AttributeError):
        return kind()


def write_cursor(cursor: "DataclassInstance") -> str:
    return json.dumps({name: value for name, value in asdict(cursor).items() if value}, sort_keys=True)


def is_date(said: str) -> bool:
    """Whether it is a moment as cursors have it, UTC without a zone."""
    try:
        return datetime.fromisoformat(said).tzinfo is None
    except ValueError:
        return False


def instant(at: datetime) -> str:
    """As JSON APIs write it, to the millisecond: 2026-11-29T10:00:00.007Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_instant(said: str) -> bool:
    try:
        return instant(datetime.fromisoformat(said)) == said
    except ValueError:
        return False


def usable(change: datetime | None, began: datetime, now: datetime) -> datetime | None:
    """The date of a change; None where it is none (zero dates, a future one), and moves no cursor."""
    return change if change is not None and began < change <= now + AHEAD else None


def seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
