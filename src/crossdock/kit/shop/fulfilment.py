"""Writing a parcel into the shop's copy: what is missing there, decided from the order as it was just read.

Looking first is what makes a repeat harmless: no platform keeps a key of ours with every fulfilment. A parcel is found
again by the shop's id, by our key where the shop keeps one, or by its tracking number; one without a number by its
units.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from crossdock.domain.commands import Done, Later, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder, ShopOrderState
from crossdock.domain.shipping import plain
from crossdock.kit.errors import Declined, NotAllowed, Outside, outcome_of
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.mapping import BARE, NO_ORDER, summed

T = TypeVar("T")
NOT_YET = "The parcel does not stand in your shop like this yet."


@dataclass(frozen=True, slots=True)
class Make:
    """Fulfil these units (by the shop's line id) with the command's tracking, beside what stands there of it."""

    units: dict[str, int]
    beside: tuple[Parcel, ...] = ()


@dataclass(frozen=True, slots=True)
class Renumber:
    """These fulfilments get the command's tracking."""

    parcels: tuple[Parcel, ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(parcel.parcel_id for parcel in self.parcels)


@dataclass(frozen=True, slots=True)
class Cancel:
    """These fulfilments are cancelled."""

    parcels: tuple[Parcel, ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(parcel.parcel_id for parcel in self.parcels)


@dataclass(frozen=True, slots=True)
class Ship:
    """These fulfilments of the parcel wait there, from an earlier try: they leave now."""

    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True)
class There:
    """What the shop has beside what `order` shows: `waiting` are fulfilments that hold units and have not left yet,
    `keys` is our key by parcel id where the shop keeps it.
    """

    waiting: tuple[Parcel, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)


Step = Make | Renumber | Cancel


def same_number(one: str, other: str) -> bool:
    return plain(one) == plain(other)


def step(
    order: ShopOrder,
    command: WriteFulfilment,
    there: There = There(),
    *,
    split: bool = False,
    same: Callable[[Parcel, WriteFulfilment], bool] = lambda parcel, command: same_number(
        parcel.tracking_number, command.tracking_number
    ),
) -> Step | Outcome:
    """What to do now; otherwise how it ends.

    `split`: one parcel may stand there as several fulfilments, so what is missing of its units is made beside them.
    """
    if order.state is ShopOrderState.GONE:
        return Refused(Why.NOT_FOUND, NO_ORDER)
    if order.reference != command.reference:
        return Refused(Why.CONFLICT, f"Order {order.number} in your shop is not ours; nothing was changed there.")
    found = this_parcel(order, command, there)
    done = Done(ids_of(found), order.number, order.url, already=True)
    if command.undone:
        return done if not found else _unless_looking(command, Cancel(found))
    if found and not all(same(parcel, command) for parcel in found):
        return _unless_looking(command, Renumber(found))
    if found:
        rest = _missing(order, command, found) if split else {}
        return _unless_looking(command, Make(rest, found)) if rest else done
    if order.state is ShopOrderState.CANCELLED:
        return Refused(Why.TOO_LATE, f"Order {order.number} is cancelled in your shop, so nothing was fulfilled there.")
    units = _allotted(order, command, there)
    return units if isinstance(units, Refused) else _unless_looking(command, Make(units))


def begun_or(
    order: ShopOrder, command: WriteFulfilment, there: There, begun: tuple[Parcel, ...], *, split: bool = False
) -> Step | Ship | Outcome:
    """The same where `begun` of what waits there is of this parcel, since an earlier try stopped in between."""
    if not begun or order.reference != command.reference:
        return step(order, command, there, split=split)
    wanted = Cancel(begun) if command.undone else Ship(begun)
    return Unknown(NOT_YET) if command.only_look else wanted


async def carried_out(
    order: ShopOrder,
    wanted: Step | Outcome,
    *,
    make: Callable[[dict[str, int]], Awaitable[str]],
    renumber: Callable[[Parcel], Awaitable[object]],
    cancel: Callable[[Sequence[Parcel]], Awaitable[object]],
    only_marked: str,
    no_right: str,
) -> Outcome:
    """A step where each fulfilment is written by a call of its own: `make` gives the id of the new one. `only_marked`,
    with the order's `{number}`, is said of units that were marked as sent without a fulfilment, which has no number to
    change; `no_right` where the credentials may not do it.
    """
    try:
        match wanted:
            case Make(units):
                ids = [await make(units)]
            case Renumber(parcels) | Cancel(parcels) if any(parcel.parcel_id == BARE for parcel in parcels):
                return Refused(Why.TOO_LATE, only_marked.format(number=order.number))
            case Renumber(parcels):
                for parcel in parcels:
                    await renumber(parcel)
                ids = [parcel.parcel_id for parcel in parcels]
            case Cancel(parcels):
                await cancel(parcels)
                ids = [parcel.parcel_id for parcel in parcels]
            case _:
                return wanted
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, no_right)
    return Done(",".join(ids), order.number, order.url)


def not_begun(error: Outside) -> Outcome:
    """The order could not be read, so nothing was sent: no reason to wait until an earlier call is surely over."""
    outcome = outcome_of(error)
    return Later(outcome.sentence, outcome.after_seconds) if isinstance(outcome, Unknown) else outcome


async def looked_at(
    command: WriteFulfilment,
    read: Callable[[], Awaitable[tuple[T, ShopOrder]]],
    act: Callable[[T, ShopOrder, Step | Outcome], Awaitable[Outcome]],
    *,
    no_right: str,
    split: bool = False,
) -> Outcome:
    """The order is read, what is to be done is decided, and `act` does it: it gets what was read with the order, the
    order, and the step or how it ends without one. `no_right` says what the credentials lack where they may read only.
    """
    try:
        seen, order = await read()
    except Outside as error:
        return not_begun(error)
    try:
        return await act(seen, order, step(order, command, split=split))
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, no_right)


class Hands(Protocol[T]):
    """What `by_key` does with, in one shop, for one command. `T` is the shop's own order, as it was read."""

    async def read(self) -> tuple[T | None, ShopOrder]: ...

    def keys(self, seen: T, /) -> dict[str, str]:
        """Our keys, by the ids of the fulfilments that carry one."""

    def begun(self, parcel: Parcel, key: str, /) -> bool:
        """Whether one that waits there, with the key that it carries, is of this parcel."""

    async def make(self, seen: T, units: Mapping[str, int], /) -> None: ...

    async def renumber(self, parcel: Parcel, /) -> None: ...

    async def cancel(self, seen: T, parcel: Parcel, /) -> None: ...

    async def ship(self, parcel: Parcel, /) -> None:
        """It waits there: it leaves now."""

    async def complete(self, parcel: Parcel, /) -> None:
        """It stands there as it should: what an earlier try could not write with it is made good."""

    def refused(self, refusal: Declined, order: ShopOrder, /) -> Outcome: ...


async def by_key(command: WriteFulfilment, address: str, hands: Hands[T]) -> Outcome:
    """A parcel whose fulfilments carry our key, so that what an earlier try left is gone on with. One at a time in a
    shop.
    """
    async with alone(address):
        try:
            seen, order = await hands.read()
        except Outside as error:
            return not_begun(error)
        if seen is None:
            return Refused(Why.NOT_FOUND, NO_ORDER)
        there = There(order.packed, hands.keys(seen))
        waiting = tuple(each for each in order.packed if hands.begun(each, there.keys.get(each.parcel_id, "")))
        try:
            match begun_or(order, command, there, waiting, split=True):
                case Make(units):
                    await hands.make(seen, units)
                case Renumber(parcels):
                    for parcel in parcels:
                        await hands.renumber(parcel)
                case Cancel(parcels):
                    for parcel in parcels:
                        await hands.cancel(seen, parcel)
                    return Done(ids_of(parcels), order.number, order.url)
                case Ship(parcels):
                    for parcel in parcels:
                        await hands.ship(parcel)
                case ended:
                    done = isinstance(ended, Done) and not (command.undone or command.only_look)
                    for parcel in this_parcel(order, command, there) if done else ():
                        await hands.complete(parcel)
                    return ended
        except Declined as refusal:
            return hands.refused(refusal, order)
        seen, after = await hands.read()
        return written(after, command, There(keys=hands.keys(seen) if seen is not None else {}))


def ids_of(parcels: Iterable[Parcel]) -> str:
    """The shop's ids of a parcel, as a command keeps them."""
    return ",".join(parcel.parcel_id for parcel in parcels)


def _unless_looking(command: WriteFulfilment, wanted: Step) -> Step | Outcome:
    return Unknown(NOT_YET) if command.only_look else wanted


def live(order: ShopOrder) -> list[Parcel]:
    return [parcel for parcel in order.parcels if not parcel.cancelled]


def this_parcel(order: ShopOrder, command: WriteFulfilment, there: There = There()) -> tuple[Parcel, ...]:
    """The shop's fulfilments of this parcel that are not cancelled: several where one parcel left two locations."""
    parcels = live(order)
    known = set(filter(None, command.parcel_id.split(",")))
    if by_id := [parcel for parcel in parcels if parcel.parcel_id in known]:
        return tuple(by_id)
    if by_key := [parcel for parcel in parcels if there.keys.get(parcel.parcel_id) == command.key]:
        return tuple(by_key)
    free = [parcel for parcel in parcels if parcel.parcel_id not in command.others]
    numbers = {plain(number) for number in (command.tracking_number, *command.numbers)} - {""}
    if numbers:
        return tuple(parcel for parcel in free if plain(parcel.tracking_number) in numbers)
    wanted = +summed(command.lines)
    bare = [parcel for parcel in free if not parcel.tracking_number and _variants(order, parcel) == wanted]
    return tuple(bare[:1])


def written(order: ShopOrder, command: WriteFulfilment, there: There = There()) -> Outcome:
    """How it ends that the parcel was written, by the order as it was read after that."""
    found = this_parcel(order, command, there)
    if not found or not all(same_number(parcel.tracking_number, command.tracking_number) for parcel in found):
        return Unknown("The parcel was sent to your shop, and is not to be seen there yet.")
    return Done(ids_of(found), order.number, order.url)


def _variants(order: ShopOrder, parcel: Parcel) -> Counter[str]:
    """Units per variant in a parcel. One that names no line has what no other parcel has."""
    variant = {line.line_id: line.variant_id for line in order.lines}
    if parcel.lines:
        return +summed([(variant.get(line, ""), units) for line, units in parcel.lines])
    rest = +summed([(line.variant_id, line.quantity) for line in order.lines])
    for other in live(order):
        rest.subtract(+summed([(variant.get(line, ""), units) for line, units in other.lines]))
    return +rest


def left(order: ShopOrder, waiting: Sequence[Parcel] = ()) -> Counter[str]:
    """Units per line that no parcel has, packed ones included. A parcel that names no line has all that is left."""
    parcels = [*live(order), *waiting]
    if any(not parcel.lines for parcel in parcels):
        return Counter()
    units = Counter({line.line_id: line.quantity for line in order.lines})
    for parcel in parcels:
        for line, quantity in parcel.lines:
            units[line] -= quantity
    return +units


def _allotted(order: ShopOrder, command: WriteFulfilment, there: There) -> dict[str, int] | Refused:
    """By the shop's own lines where they are known and have room; the rest by variant."""
    free, taken, wanted = left(order, there.waiting), Counter[str](), +summed(command.lines)
    open_units = sum(wanted.values())
    for row, units in command.rows:
        here = min(units, free[row], open_units)
        taken[row] += here
        free[row] -= here
        open_units -= here
    if command.rows and not open_units:
        return dict(+taken)
    free, taken = left(order, there.waiting), Counter[str]()
    for variant, units in wanted.items():
        for line in order.lines:
            here = min(units, free[line.line_id]) if line.variant_id == variant else 0
            taken[line.line_id] += here
            units -= here
        if units:
            return _short(order, there)
    if not +taken:
        return Refused(Why.INVALID, "The parcel holds nothing that stands in the order in your shop.")
    return dict(+taken)


def _missing(order: ShopOrder, command: WriteFulfilment, found: Sequence[Parcel]) -> dict[str, int]:
    """Units of the parcel that none of its fulfilments has, and that are still to be had."""
    wanted, free, rest = +summed(command.lines), left(order), Counter[str]()
    for parcel in found:
        wanted.subtract(_variants(order, parcel))
    for line in order.lines:
        here = max(0, min(wanted[line.variant_id], free[line.line_id]))
        rest[line.line_id] += here
        wanted[line.variant_id] -= here
    return dict(+rest)


def _short(order: ShopOrder, there: There) -> Refused:
    """The units are gone into a fulfilment of the seller's own, or out of the order."""
    numbers = [parcel.tracking_number for parcel in live(order) if parcel.tracking_number]
    if there.waiting:
        words = "is packed in your shop and not marked as shipped there"
    elif numbers:
        words = f"is fulfilled in your shop already, with {', '.join(numbers)}"
    elif live(order):
        words = "is fulfilled in your shop already, without a tracking number"
    else:
        words = "has fewer units in your shop than this parcel holds"
    return Refused(Why.TOO_LATE, f"Order {order.number} {words}; nothing was changed there.")
