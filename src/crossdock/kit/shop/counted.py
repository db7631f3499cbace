"""An order in a shop that does not look whether it has the units: the counts are read before and after, one order at a
time, and an order that they were not enough for is taken back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from crossdock.domain.commands import AdjustStock, CreateOrder, Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import Count, ShopOrder, ShopOrderState, Unreadable
from crossdock.domain.orders import as_found, differences
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Declined, Missing, NoAnswer, Outside, Throttled
from crossdock.kit.rows import certain
from crossdock.kit.shop.concurrency import PAUSE_SECONDS, alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import refs, titles, units

C = TypeVar("C", bound=Count)
M = TypeVar("M")
NO_VARIANT = Refused(Why.PRODUCT_GONE, "Your shop has no such variant any more.")
FEES = "look for taxes, fees or an app that changes orders"


async def of_order(
    command: CreateOrder, read: Callable[[Sequence[VariantRef]], Awaitable[Sequence[C | Unreadable]]]
) -> dict[str, C]:
    """Counts of its variants; what the shop does not have is left out. Raises Outside when one cannot be understood."""
    wanted = list(dict.fromkeys(refs(command)))
    return {row.variant_id: row for row in certain(await read(wanted))}


def lacking(command: CreateOrder, there: Mapping[str, Count]) -> Refused | None:
    """Why the shop cannot sell it: `there` are its counts by variant, without what it has no more."""
    wanted = units(command)
    if gone := tuple(variant for variant in wanted if variant not in there):
        return Refused(Why.PRODUCT_GONE, f"Your shop has no {titles(command, gone)} any more.", gone)
    return _fewer(command, there, wanted)


def oversold(command: CreateOrder, there: Mapping[str, Count]) -> Refused | None:
    """What its units brought below zero."""
    return _fewer(command, there, dict.fromkeys(units(command), 0))


def too_few(there: Mapping[str, Count], wanted: Mapping[str, int]) -> tuple[str, ...]:
    """Variants that the shop counts less of than `wanted`. What can be ordered before it is there, may."""
    return tuple(
        variant
        for variant, number in wanted.items()
        if (row := there.get(variant)) is not None
        and row.count is not None
        and not row.backorders
        and row.count < number
    )


def _fewer(command: CreateOrder, there: Mapping[str, Count], wanted: Mapping[str, int]) -> Refused | None:
    short = too_few(there, wanted)
    return Refused(Why.NO_STOCK, f"Your shop has not enough of {titles(command, short)}.", short) if short else None


def fell(
    command: CreateOrder, earlier: Mapping[str, Count], now: Mapping[str, Count], *, uncounted: bool = False
) -> bool:
    """Whether the counts fell by its units: the evidence that they were taken. What is not counted shows nothing,
    unless the platform takes units as it creates an order: then nothing of it has to fall (`uncounted`).
    """

    def by(variant: str, wanted: int) -> bool:
        was, left = (counts[variant].count if variant in counts else None for counts in (earlier, now))
        if was is None:
            return uncounted and variant in earlier
        return left is not None and left <= was - wanted

    return all(by(variant, wanted) for variant, wanted in units(command).items())


def differs(
    command: CreateOrder,
    order: ShopOrder,
    *,
    at_our_price: bool = True,
    look: str = FEES,
) -> Refused | None:
    """Why what the shop made is not the order that was asked for; `look` says where that may come from."""
    if at_our_price and order.total.currency != command.total.currency:
        return Refused(Why.INVALID, f"Your shop took the order in {order.total.currency}; look at its currency.")
    found = differences(command, order, at_our_price=at_our_price)
    said = "; ".join(each.sentence for each in found)
    words = f"Your shop made another order of it; {look}. {said}"
    return Refused(Why.INVALID, words) if found else None


def stands(
    command: CreateOrder,
    order: ShopOrder,
    earlier: Mapping[str, Count] | None,
    now: Mapping[str, Count],
    *,
    uncounted: bool = False,
    note: str = "",
) -> Done:
    """How it ends where the order is there and the shop had enough. `earlier` is None for an order of an earlier try:
    its counts say nothing.
    """
    if earlier is None:
        return as_found(order)
    taken = order.stock_taken and fell(command, earlier, now, uncounted=uncounted)
    return Done(order.shop_id, order.number, order.url, stock_taken=taken, note=note)


@contextmanager
def unsent() -> Iterator[None]:
    """Around what is nobody's order yet (a guest, a cart): that its answer did not come leaves nothing in doubt."""
    try:
        yield
    except NoAnswer as error:
        raise Throttled(str(error), error.after_seconds) from error


async def sent(
    command: CreateOrder,
    *,
    address: str,
    stock: Callable[[], Awaitable[Mapping[str, C]]],
    send: Callable[[Mapping[str, C]], Awaitable[M]],
    finish: Callable[[M, Mapping[str, C] | None], Awaitable[Outcome]],
    find: Callable[[], Awaitable[Sequence[M]]] | None = None,
) -> Outcome:
    """`stock` reads the counts of its variants, `send` creates the order, `finish` says what came of it. Of what the
    shop refuses the counts say whether it was for want of them. `find`, by our reference, where a shop may refuse what
    it has saved.
    """
    earlier: Mapping[str, C] | None
    async with alone(address):
        try:
            earlier = await patiently(stock)
        except Outside as error:
            return not_begun(error)
        if trouble := lacking(command, earlier):
            return trouble
        try:
            made = await send(earlier)
        except (Declined, Missing) as error:
            try:
                found = await patiently(find) if find else ()
            except Outside as lost:
                return Unknown(f"{error} Whether the order was saved all the same is not known yet. {lost}")
            if not found:
                return await why(command, error, stock)
            # Whether it is this one or that of an earlier try is not to be seen.
            made, earlier = found[0], None
        return await finish(made, earlier)


async def finished(
    command: CreateOrder,
    earlier: Mapping[str, C] | None,
    *,
    read: Callable[[], Awaitable[tuple[M, ShopOrder]]],
    stock: Callable[[], Awaitable[Mapping[str, C]]],
    take_back: Callable[[str, Refused], Awaitable[Outcome]],
    looks: int = 1,
    at_our_price: bool = True,
    look: str = FEES,
    uncounted: bool = False,
    note: Callable[[M, ShopOrder], Awaitable[str]] | None = None,
) -> Outcome:
    """How it ends that an order was created: what `read` shows is compared with what was asked for, and the counts say
    whether there was enough for it. Where the shop moves its units in its own time, they are read up to `looks` times
    until they fell. `note` writes down what else is to be said of one that stands.
    """
    try:
        seen, order = await read()
        trouble = differs(command, order, at_our_price=at_our_price, look=look)
        now = {} if trouble else await _after(command, earlier or {}, stock, looks)
    except Outside as error:
        # Keys that ended just now as well: "sign in again" would have it created once more.
        return Unknown(f"The order was created; what came of it could not be read. {error}")
    if order.state is ShopOrderState.GONE:
        return Unknown("The order was created, and is not to be seen in your shop yet.")
    if trouble := trouble or oversold(command, now):
        return await take_back(order.shop_id, trouble)
    return stands(
        command, order, earlier, now, uncounted=uncounted, note="" if note is None else await note(seen, order)
    )


async def place(
    command: CreateOrder,
    *,
    address: str,
    stock: Callable[[], Awaitable[Mapping[str, C]]],
    send: Callable[[Mapping[str, C]], Awaitable[M]],
    read: Callable[[M], Awaitable[ShopOrder]],
    take_back: Callable[[str, Refused], Awaitable[Outcome]],
    looks: int = 1,
) -> Outcome:
    """Both, where one call creates the order, and one reads what stands there then."""

    async def finish(made: M, earlier: Mapping[str, C] | None) -> Outcome:
        async def seen() -> tuple[M, ShopOrder]:
            return made, await patiently(lambda: read(made))

        return await finished(command, earlier, read=seen, stock=stock, take_back=take_back, looks=looks)

    return await sent(command, address=address, stock=stock, send=send, finish=finish)


async def _after(
    command: CreateOrder, earlier: Mapping[str, C], stock: Callable[[], Awaitable[Mapping[str, C]]], looks: int
) -> Mapping[str, C]:
    counted = any(row.count is not None for row in earlier.values())
    now = await patiently(stock)
    for _ in range(looks - 1 if counted else 0):
        if fell(command, earlier, now) or oversold(command, now):
            break
        await asyncio.sleep(PAUSE_SECONDS)
        now = await patiently(stock)
    return now


async def why(
    command: CreateOrder, refusal: Declined | Missing, stock: Callable[[], Awaitable[Mapping[str, C]]]
) -> Outcome:
    """Why an order was refused, so that nothing was created."""
    try:
        trouble = lacking(command, await patiently(stock))
    except Outside as error:
        return not_begun(error)
    reason = refusal.why if isinstance(refusal, Declined) else Why.INVALID
    return trouble or Refused(reason, str(refusal), tuple(units(command)) if reason is Why.NO_STOCK else ())


async def confirm(
    command: CreateOrder,
    found: ShopOrder,
    *,
    stock: Callable[[], Awaitable[Mapping[str, C]]],
    take_back: Callable[[str, Refused], Awaitable[Outcome]],
) -> Outcome:
    """Only whether the shop had the units: its lines may have been changed since. What has left was there."""
    try:
        trouble = None if found.parcels else oversold(command, await patiently(stock))
    except Outside as error:
        return Unknown(f"The order stands there; the stock after it could not be read. {error}")
    return as_found(found) if trouble is None else await take_back(found.shop_id, trouble)


async def correct(
    command: AdjustStock,
    stock: Callable[[Sequence[VariantRef]], Awaitable[Mapping[str, C]]],
    send: Callable[[C], Awaitable[object]],
) -> Outcome:
    """One difference, sent once, after a look at the count: `send` gets what was read, and its refusal says why."""
    try:
        row = (await stock([VariantRef(command.product_id, command.variant_id)])).get(command.variant_id)
    except Outside as error:
        return not_begun(error)
    if (ended := correction(command, row)) or row is None:
        return ended or NO_VARIANT
    try:
        await send(row)
    except Declined as refusal:
        short = (command.variant_id,) if refusal.why is Why.NO_STOCK else ()
        return Refused(refusal.why, str(refusal), short)
    return Done(command.variant_id)


def correction(command: AdjustStock, row: Count | None) -> Outcome | None:
    """How a correction ends without being sent, by the count as it was just read; None: send the difference, once."""
    if row is None:
        return NO_VARIANT
    if row.count is None:
        return Refused(Why.CONFLICT, "Your shop does not track its quantity, so there is no count to correct.")
    # What gives back is not stopped by a count below zero.
    if command.delta < 0 and row.count + command.delta < 0:
        return Refused(Why.NO_STOCK, f"Your shop counts only {row.count}.", (command.variant_id,))
    return None if command.delta else Done(command.variant_id)
