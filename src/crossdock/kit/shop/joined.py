"""What a page of rows needs out of another list: asked for by all their ids at once, kept by the row that it belongs
to.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from crossdock.kit.errors import NotJson, Strange
from crossdock.kit.json_node import Node


@dataclass(frozen=True, slots=True)
class Joined:
    """Rows by what they belong to, and why they could not be read for some of the ids that were asked for."""

    rows: Mapping[str, list[Node]] = field(default_factory=dict)
    odd: Mapping[str, Strange] = field(default_factory=dict)

    def of(self, id_: str) -> list[Node]:
        """Raises Strange."""
        self.check(id_)
        return self.rows.get(id_, [])

    def check(self, *ids: str) -> None:
        """Raises Strange."""
        for id_ in ids:
            if id_ in self.odd:
                raise self.odd[id_]

    def each(self) -> list[Node]:
        return [row for rows in self.rows.values() for row in rows]


def grouped(rows: Iterable[Node], of: Callable[[Node], str]) -> defaultdict[str, list[Node]]:
    """Rows by what they belong to; what has none has an empty list."""
    found = defaultdict[str, list[Node]](list)
    for row in rows:
        found[of(row)].append(row)
    return found


async def joined(read: Callable[[list[str]], Awaitable[Iterable[Node]]], ids: Iterable[str], by: str) -> Joined:
    """For all ids at once; where that answer is no list, for each alone. `by` is the field that says whose a row is."""
    wanted = list(ids)
    try:
        rows = grouped(await read(wanted) if wanted else (), lambda row: row.text(by))
    except NotJson:
        raise
    except Strange as error:
        if len(wanted) == 1:
            return Joined(odd={wanted[0]: error})
        return beside(*[await joined(read, [id_], by) for id_ in wanted])
    return Joined(rows)


def batched(ids: Iterable[str], size: int) -> list[list[str]]:
    """Each id once, in the order of their numbers, and so many in one question."""
    wanted = sorted(set(ids), key=lambda id_: (len(id_), id_))
    return [wanted[first : first + size] for first in range(0, len(wanted), size)]


def beside(*some: Joined) -> Joined:
    """Several of one list as one."""
    rows = dict[str, list[Node]]()
    for one in some:
        for id_, found in one.rows.items():
            rows.setdefault(id_, []).extend(found)
    return Joined(rows, {id_: odd for one in some for id_, odd in one.odd.items()})
