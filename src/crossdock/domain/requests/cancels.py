"""A buyer who no longer wants an order that was not shipped: they ask, the seller answers. A withdrawal from the
contract is asked for the same way, and nobody may decline it.

While it is open nothing should leave; a parcel or a cancel, whoever makes it, answers it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class CancelState(StrEnum):
    """ASKED waits for the seller; the others are answers. All but CANCELLED can be followed by another request."""

    ASKED = "asked"
    TAKEN_BACK = "taken_back"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"


class CancelDeed(StrEnum):
    """By the buyer, by the seller, and what happened to the order."""

    ASK = "ask"
    WITHDRAW = "withdraw"
    TAKE_BACK = "take_back"
    DECLINE = "decline"
    CANCEL = "cancel"
    SHIP = "ship"


# Each time the order waits again, so not endlessly.
MOST_ASKS = 3
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Request:
    """`binding`: the buyer withdrew from the contract."""

    state: CancelState
    binding: bool = False
    asks: int = 1

    @property
    def open(self) -> bool:
        return self.state is CancelState.ASKED


# What declining means, as the seller reads it before.
GOES_ON = "The order goes on, and the time it waited is added to your ship-by date."
_ENDS = {
    CancelDeed.TAKE_BACK: CancelState.TAKEN_BACK,
    CancelDeed.DECLINE: CancelState.DECLINED,
    CancelDeed.CANCEL: CancelState.CANCELLED,
    CancelDeed.SHIP: CancelState.SHIPPED,
}


def why_not(request: Request | None, deed: CancelDeed) -> str:
    """Why this cannot be done now; empty when it can. What is done already can be done again."""
    if request is None:
        return "" if deed in (CancelDeed.ASK, CancelDeed.WITHDRAW) else "Nobody asked to cancel this order."
    if deed in _ENDS:
        return _why_not_end(request, deed)
    if request.state is CancelState.CANCELLED:
        return "This order is cancelled."
    if deed is CancelDeed.WITHDRAW or request.open:
        return ""
    if request.state is CancelState.DECLINED:
        return "The seller has answered already and goes on with the order."
    if request.asks >= MOST_ASKS:
        return f"You asked {request.asks} times to cancel this order and it went on. Write to the seller instead."
    return ""


def _why_not_end(request: Request, deed: CancelDeed) -> str:
    if not request.open:
        return "" if request.state is _ENDS[deed] else "This request was answered already."
    if request.binding and deed is CancelDeed.DECLINE:
        return "The buyer withdrew from the contract, which a seller cannot decline: cancel the order."
    if request.binding and deed is CancelDeed.TAKE_BACK:
        return "You withdrew from the contract. That cannot be taken back here; order again if you want it after all."
    return ""


def after(request: Request | None, deed: CancelDeed) -> Request:
    """What a deed that can be done leads to; the same again where it is done already."""
    if request is None:
        return Request(CancelState.ASKED, binding=deed is CancelDeed.WITHDRAW)
    if deed in _ENDS:
        return replace(request, state=_ENDS[deed]) if request.open else request
    binding = deed is CancelDeed.WITHDRAW or (request.open and request.binding)
    return Request(CancelState.ASKED, binding, request.asks if request.open else request.asks + 1)


def stood_since(*, asked_at: datetime, held_at: datetime | None, cleared_at: datetime | None) -> datetime | None:
    """From when on the order stood still for the request alone: the seller, who could not ship, has that longer. Time
    in which it was held for its risk as well is added when that hold ends, not twice: None while it is.
    """
    if held_at is not None and cleared_at is None:
        return None
    return asked_at if cleared_at is None else max(asked_at, cleared_at)
