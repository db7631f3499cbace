"""An offer's way: made, countered, accepted, paid.

Whose turn it is decides who may do what; every price is for one unit.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

OPEN_FOR = timedelta(hours=48)
PAY_WITHIN = timedelta(hours=24)
# An offer below this share of the asking price is a slip of the finger more often than an offer.
_LEAST_PERCENT = 1


class OfferState(StrEnum):
    """OPEN waits for the seller, COUNTERED for the buyer, ACCEPTED for the payment; the others are ends."""

    OPEN = "open"
    COUNTERED = "countered"
    ACCEPTED = "accepted"
    PAID = "paid"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Who(StrEnum):
    BUYER = "buyer"
    SELLER = "seller"
    MARKETPLACE = "marketplace"


class Deed(StrEnum):
    MAKE = "make"
    COUNTER = "counter"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    PAY = "pay"


WAITING = (OfferState.OPEN, OfferState.COUNTERED, OfferState.ACCEPTED)
# state -> (whose turn, what they may do). The buyer may withdraw as long as nothing is paid.
_MAY: dict[OfferState, dict[Who, tuple[Deed, ...]]] = {
    OfferState.OPEN: {
        Who.SELLER: (Deed.ACCEPT, Deed.COUNTER, Deed.DECLINE),
        Who.BUYER: (Deed.WITHDRAW,),
        Who.MARKETPLACE: (Deed.ACCEPT, Deed.DECLINE, Deed.EXPIRE),
    },
    OfferState.COUNTERED: {
        Who.BUYER: (Deed.ACCEPT, Deed.COUNTER, Deed.DECLINE, Deed.WITHDRAW),
        Who.SELLER: (Deed.WITHDRAW,),
        Who.MARKETPLACE: (Deed.EXPIRE,),
    },
    OfferState.ACCEPTED: {Who.BUYER: (Deed.WITHDRAW, Deed.PAY), Who.MARKETPLACE: (Deed.EXPIRE, Deed.PAY)},
}
_NEXT: dict[tuple[Who, Deed], OfferState] = {
    (Who.SELLER, Deed.COUNTER): OfferState.COUNTERED,
    (Who.BUYER, Deed.COUNTER): OfferState.OPEN,
}
_ENDS = {
    Deed.ACCEPT: OfferState.ACCEPTED,
    Deed.DECLINE: OfferState.DECLINED,
    Deed.WITHDRAW: OfferState.WITHDRAWN,
    Deed.EXPIRE: OfferState.EXPIRED,
    Deed.PAY: OfferState.PAID,
}


def may(state: OfferState, who: Who, deed: Deed) -> bool:
    return deed in _MAY.get(state, {}).get(who, ())


def after(who: Who, deed: Deed) -> OfferState:
    """The state that an allowed deed leads to."""
    return _NEXT.get((who, deed)) or _ENDS[deed]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a seller decided for a listing, in minor units of one unit's price; None where they decide case by case."""

    accept_from: int | None = None
    decline_below: int | None = None


def at_once(amount: int, terms: Terms) -> Deed | None:
    """The answer that the seller gave beforehand: accept, decline, or none."""
    if terms.accept_from is not None and amount >= terms.accept_from:
        return Deed.ACCEPT
    if terms.decline_below is not None and amount < terms.decline_below:
        return Deed.DECLINE
    return None


def wrong_amount(amount: int, *, asking: int, than: int | None = None, by: Who = Who.BUYER) -> str:
    """Why this price for one unit can't be offered; empty when it can.

    `than` is the other side's last price, for a counter-offer.
    """
    if amount <= 0 or amount * 100 < asking * _LEAST_PERCENT:
        return "Offer more than that."
    if amount >= asking and by is Who.BUYER:
        return "That is the asking price or more: buy it at the asking price instead."
    if amount > asking:
        return "A counter-offer cannot be above the asking price."
    if than is not None and by is Who.BUYER and amount >= than:
        return "That is the seller's price or more: accept it instead."
    if than is not None and by is Who.SELLER and amount <= than:
        return "That is the buyer's price or less: accept it instead."
    return ""


def off(amount: int, asking: int) -> int:
    """How many percent below the asking price, rounded to the nearest; 0 when there is none."""
    return round(100 * (asking - amount) / asking) if asking > 0 else 0
