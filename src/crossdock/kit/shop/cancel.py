"""Cancelling the shop's order: how it ends without a call, by the order as it was just read."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from crossdock.domain.commands import CancelOrder, Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit.errors import Declined
from crossdock.kit.shop.fulfilment import live

GONE = Refused(Why.NOT_FOUND, "Your shop no longer has this order.")
NOT_YET = Unknown("The order is not cancelled in your shop yet.")


def before(
    command: CancelOrder, done: Done | None, *, reference: str, closed: bool, shipped: bool, words: str
) -> Outcome | None:
    """`done` is None where the shop has no such order. `words` say what stands against it once it is shipped.

    None: cancel it. It must not be called ours when somebody cancelled it before us.
    """
    if done is None:
        return GONE
    if reference != command.reference:
        return Refused(Why.CONFLICT, f"Order {done.shop_number} in your shop is not ours; nothing was cancelled.")
    if closed:
        return replace(done, already=True)
    if shipped:
        return Refused(Why.TOO_LATE, words)
    return NOT_YET if command.only_look else None


def standing(command: CancelOrder, order: ShopOrder, words: str) -> Outcome | None:
    """The same of an order as we show it: `words`, with its `{number}`, are said where a parcel is packed or has left.
    One that is gone and has a number lies in the shop's bin: it is closed there.
    """
    return before(
        command,
        cancelled(order) if order.state is not ShopOrderState.GONE or order.number else None,
        reference=order.reference,
        closed=order.state is not ShopOrderState.OPEN,
        shipped=bool(order.packed or live(order)),
        words=words.format(number=order.number),
    )


def cancelled(order: ShopOrder) -> Done:
    """How it ends that it is cancelled."""
    return Done(order.shop_id, order.number, order.url, note=order.cancel_note)


async def looked_at(
    command: CancelOrder,
    read: Callable[[], Awaitable[ShopOrder]],
    send: Callable[[ShopOrder], Awaitable[object]],
    words: str,
) -> Outcome:
    """Read, cancelled, and read again where the shop says no: somebody, or an earlier try of ours, may have been
    faster, and then that is what it says no to.

    `send` cancels the order; what it gives as a text is as what the order stands there all the same ("" when it does
    not).
    """
    order = await read()
    if ended := standing(command, order, words):
        return ended
    try:
        left = await send(order)
    except Declined as refusal:
        there = await read()
        if there.state is ShopOrderState.CANCELLED:
            return as_found(there)
        return Refused(refusal.why, f"Order {order.number} was not cancelled. {refusal}", refusal.short)
    still = isinstance(left, str) and left
    return Unknown(f"The order is still “{left}” in your shop.") if still else cancelled(order)
