"""Which of our lines a line of the shop's copy stands for, and what a parcel there means in our units.

Shops keep their own ids of lines for ever, while product and variant ids vanish with a deleted product: so lines are
matched once, by variant while it is known, and remembered by the shop's line id.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from crossdock.domain.events import OrderLine, Parcel
from crossdock.domain.shipping import plain

LONGEST_NUMBER = 500
_BETWEEN = re.compile(r"[,;|/\n]|\s(?:and|und|et|&|\+)\s")
_NUMBER = re.compile(r"(?=.*\d.*\d.*\d)[0-9A-Z]{8,40}")


@dataclass(frozen=True, slots=True)
class Ours:
    """One of our lines. `key` names it; `units` is what the buyer still is to get or has got, `left` what of it has
    not been shipped.
    """

    key: int
    product_id: str
    variant_id: str
    sku: str
    units: int
    left: int = 0


@dataclass(frozen=True, slots=True)
class Bond:
    """`units` of our line `key` stand in the shop's line `there`.

    One of ours may stand in two lines there, and two of ours in one. Zero units: a line of the same article that was
    added there; it may still be what a parcel names.
    """

    key: int
    there: str
    units: int


Same = Callable[[Ours, OrderLine], bool]


def match(ours: Sequence[Ours], rows: Sequence[OrderLine], known: Sequence[Bond] = ()) -> tuple[Bond, ...]:
    """What is known stays as it is, whatever the shop says of the article now; lines that are new there are matched
    with the units that stand nowhere yet.
    """
    found, free = _grown(ours, rows, known)
    rest = _unbound(rows, found)
    for same in (_variant, _article_gone):
        for way in (_exact, _filled):
            found += way(ours, rest, free, same)
            rest = _unbound(rest, found)
    found += _by_order(ours, rest, free)
    for row in _unbound(rest, found):
        if twin := next((one for one in ours if _variant(one, row)), None):
            found.append(Bond(twin.key, row.line_id, 0))
    return tuple(found)


def _grown(ours: Sequence[Ours], rows: Sequence[OrderLine], known: Sequence[Bond]) -> tuple[list[Bond], dict[int, int]]:
    """What is known, with more units where the line there has got more; and the units of ours that stand nowhere.

    A line that has vanished there holds none of them.
    """
    room = {row.line_id: row.quantity for row in rows}
    free = {one.key: one.units for one in ours}
    for bond in known:
        if bond.there in room:
            room[bond.there] -= bond.units
            free[bond.key] = free.get(bond.key, 0) - bond.units
    found = []
    for bond in known:
        more = max(0, min(room.get(bond.there, 0), free.get(bond.key, 0)))
        if more:
            room[bond.there] -= more
            free[bond.key] -= more
        found.append(replace(bond, units=bond.units + more))
    return found, {key: max(0, units) for key, units in free.items()}


def _unbound(rows: Sequence[OrderLine], bonds: Sequence[Bond]) -> list[OrderLine]:
    bound = {bond.there for bond in bonds}
    return [row for row in rows if row.line_id not in bound]


def _variant(one: Ours, row: OrderLine) -> bool:
    return bool(row.variant_id) and row.variant_id == one.variant_id


def _gone(one: Ours, row: OrderLine) -> bool:
    """The shop does not say any more what the line is of: nothing, or (a variation that was deleted) its product."""
    return not row.variant_id or (row.variant_id == row.product_id == one.product_id != one.variant_id)


def _article_gone(one: Ours, row: OrderLine) -> bool:
    return _gone(one, row) and bool(row.sku) and row.sku == one.sku


def _exact(ours: Sequence[Ours], rows: Sequence[OrderLine], free: dict[int, int], same: Same) -> list[Bond]:
    """Lines of equal units first: two lines of one variant are told apart by them."""
    found: list[Bond] = []
    taken: set[int] = set()
    for row in rows:
        for one in ours:
            if one.key not in taken and 0 < free[one.key] == row.quantity and same(one, row):
                taken.add(one.key)
                free[one.key] = 0
                found.append(Bond(one.key, row.line_id, row.quantity))
                break
    return found


def _filled(ours: Sequence[Ours], rows: Sequence[OrderLine], free: dict[int, int], same: Same) -> list[Bond]:
    """The others, in the order in which they stand: units of one of ours may lie in several lines, and the reverse."""
    found: list[Bond] = []
    for row in rows:
        room = row.quantity
        for one in ours:
            units = min(room, free[one.key]) if same(one, row) else 0
            if units > 0:
                free[one.key] -= units
                room -= units
                found.append(Bond(one.key, row.line_id, units))
    return found


def _by_order(ours: Sequence[Ours], rows: Sequence[OrderLine], free: dict[int, int]) -> list[Bond]:
    """What is left on both sides and has the same units in the same order: the shop has forgotten what it sold."""
    open_ones = [one for one in ours if free[one.key] > 0]
    loose = [row for row in rows if row.quantity > 0]
    if len(open_ones) != len(loose):
        return []
    pairs = list(zip(open_ones, loose, strict=True))
    if not all(free[one.key] == row.quantity and _gone(one, row) for one, row in pairs):
        return []
    return [Bond(one.key, row.line_id, row.quantity) for one, row in pairs]


def dealt(parcel: Iterable[tuple[str, int]], bonds: Sequence[Bond], ours: Sequence[Ours]) -> dict[int, int]:
    """Our units of a parcel that names (shop's line, units), by our line; never more than is left of each.

    A parcel that names no line has everything that is left. What it names twice is summed; lines there that are none
    of ours (a gift that was added) count for nothing.
    """
    named = list(parcel)
    left = {one.key: one.left for one in ours if one.left > 0}
    if not named:
        return left
    wanted = Counter[str]()
    for there, units in named:
        wanted[there] += max(0, units)
    got = Counter[int]()
    for key, there, most in _ways(bonds, ours, wanted):
        units = min(wanted[there], left.get(key, 0) - got[key], most)
        if units > 0:
            got[key] += units
            wanted[there] -= units
    return {one.key: got[one.key] for one in ours if got[one.key]}


def _ways(bonds: Sequence[Bond], ours: Sequence[Ours], wanted: Mapping[str, int]) -> list[tuple[int, str, int]]:
    """(our line, the shop's, at most so many), best first: as they were matched, then any of ours that stands there,
    then any other of the same article.
    """
    mine = [bond for bond in bonds if wanted.get(bond.there)]
    article = {one.key: one.variant_id for one in ours}
    twins = [
        (one.key, bond.there, wanted[bond.there])
        for bond in mine
        for one in ours
        if one.key != bond.key and one.variant_id and one.variant_id == article.get(bond.key)
    ]
    return [
        *((bond.key, bond.there, bond.units) for bond in mine),
        *((bond.key, bond.there, wanted[bond.there]) for bond in mine),
        *twins,
    ]


def rows_of(units: Mapping[int, int], bonds: Sequence[Bond], taken: Mapping[str, int]) -> dict[str, int]:
    """The other way round: units of our lines as (shop's line -> units), for a parcel that is to be written there.

    `taken` is units per shop's line that other parcels there have. What finds no room is left out.
    """
    room = Counter[str]()
    for bond in bonds:
        room[bond.there] += bond.units
    room.subtract(taken)
    found = Counter[str]()
    for key, wanted in units.items():
        for bond in (bond for bond in bonds if bond.key == key):
            here = min(wanted, max(0, room[bond.there]), bond.units)
            if here > 0:
                found[bond.there] += here
                room[bond.there] -= here
                wanted -= here
    return dict(found)


# One parcel on both sides


@dataclass(frozen=True, slots=True)
class Told:
    """What the shop said of a parcel when it was last read; what is None was not kept then.

    Compared whole, whatever its length and whatever is shown of it: a number that is longer than the column is kept as
    its beginning and a digest of all of it.
    """

    number: str
    carrier: str | None = None
    url: str | None = None
    lines: tuple[tuple[str, int], ...] | None = None

    @classmethod
    def of(cls, parcel: Parcel) -> "Told":
        units = Counter[str]()
        for line, n in parcel.lines:
            units[line] += n
        lines = tuple(sorted(units.items()))
        return cls(_whole(parcel.tracking_number), _whole(parcel.carrier), _whole(parcel.tracking_url), lines)


def _whole(text: str) -> str:
    if len(text) <= LONGEST_NUMBER:
        return text
    return f"{text[:400]}#{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def one_number_each(parcels: Iterable[Parcel]) -> tuple[Parcel, ...]:
    """Sellers type two numbers into one field; each is a parcel that can be followed. The first has the units."""
    found: list[Parcel] = []
    for parcel in parcels:
        numbers = several(parcel.tracking_number)
        found.append(replace(parcel, tracking_number=numbers[0]) if len(numbers) > 1 else parcel)
        # One link cannot be that of both numbers.
        found += [
            replace(
                parcel,
                parcel_id=f"{parcel.parcel_id}/{place}",
                lines=tuple((line, 0) for line, _ in parcel.lines),
                tracking_number=number,
                tracking_url="",
            )
            for place, number in enumerate(numbers[1:], 2)
        ]
    return tuple(found)


def several(text: str) -> tuple[str, ...]:
    """The numbers in a field, if every part of it looks like one; otherwise the text as it is."""
    parts = tuple(part.strip() for part in _BETWEEN.split(text) if part.strip())
    return parts if len(parts) > 1 and all(_NUMBER.fullmatch(plain(part)) for part in parts) else (text,)


@dataclass(frozen=True, slots=True)
class Standing:
    """A parcel as it stands here. `there`: ids of fulfilments in the shop that are this parcel and still stand."""

    key: int
    number: str
    units: Mapping[int, int] = field(default_factory=dict)
    there: frozenset[str] = frozenset()


def twin(
    parcel: Parcel, parcels: Sequence[Standing], *, named: Mapping[int, int], new: Mapping[int, int]
) -> int | None:
    """Which parcel here is the one that was found in the shop; None when it is one more.

    `named` are its units in our lines, `new` those of them that nothing here has shipped yet. The same number is the
    same parcel, unless another fulfilment has that one and this brings more units. Without a number on either side,
    equal units are the same parcel, if only one fits.
    """
    number = plain(parcel.tracking_number)
    alone = [one for one in parcels if not one.there]
    if number:
        same = [one for one in parcels if plain(one.number) == number]
        mine = [one for one in same if one in alone] or ([] if new else same)
        if mine:
            return next((one for one in mine if one.units == named), mine[0]).key
    bare = [one for one in alone if not (number and one.number)]
    if not parcel.lines and new:
        return None
    fits = [one for one in bare if not parcel.lines or (one.units and one.units == named)]
    return fits[0].key if len(fits) == 1 else None
