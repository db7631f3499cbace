"""Cancelling the shop's order: how it ends without a call, by the order as it was just read."""

from dataclasses import replace

from crossdock.domain.commands import CancelOrder, Done, Outcome, Refused, Unknown, Why

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
