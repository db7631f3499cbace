"""What comes back: which units may be asked for and until when, who may do what next, what of the payment goes back.

A return is asked for, accepted or declined, sent, and received; the receipt decides credit and stock. One that follows
from a withdrawal binds (`binding`): nobody may decline it. A refund that was made in the shop answers it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crossdock.domain.credit import Paid, for_lines


class ReturnState(StrEnum):
    """ASKED waits for the seller, ACCEPTED for the goods. RECEIVED and REFUNDED (in the shop) are done; LAPSED was
    accepted and never sent.
    """

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"
    RECEIVED = "received"
    REFUNDED = "refunded"
    LAPSED = "lapsed"


class ReturnDeed(StrEnum):
    """By the seller, and by the buyer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    RECEIVE = "receive"
    TAKE_BACK = "take_back"
    SEND = "send"
    SHOW = "show"


class ReturnReason(StrEnum):
    DAMAGED = "damaged"
    WRONG = "wrong"
    NOT_AS_DESCRIBED = "not_as_described"
    NOT_WANTED = "not_wanted"
    OTHER = "other"
    WITHDRAWN = "withdrawn"


REASONS: dict[ReturnReason, str] = {
    ReturnReason.DAMAGED: "Arrived damaged or does not work",
    ReturnReason.WRONG: "Not what was ordered",
    ReturnReason.NOT_AS_DESCRIBED: "Not as described",
    ReturnReason.NOT_WANTED: "Does not fit or is not wanted any more",
    ReturnReason.OTHER: "Another reason",
    ReturnReason.WITHDRAWN: "Withdrawn from the contract",
}
# What the buyer chooses from: a withdrawal has a page of its own.
CHOICES = tuple(reason for reason in ReturnReason if reason is not ReturnReason.WITHDRAWN)
# The seller's doing, or the law's word: each unit's share of what the delivery cost goes back with it.
_WITH_DELIVERY = frozenset(
    {ReturnReason.DAMAGED, ReturnReason.WRONG, ReturnReason.NOT_AS_DESCRIBED, ReturnReason.WITHDRAWN}
)


class Condition(StrEnum):
    """Of the units of a line, as they came back."""

    AS_SENT = "as_sent"
    USED = "used"
    DAMAGED = "damaged"


CONDITIONS: dict[Condition, str] = {
    Condition.AS_SENT: "As it was sent",
    Condition.USED: "Used",
    Condition.DAMAGED: "Damaged",
}


class Fate(StrEnum):
    """What becomes of them: for sale again, here and in the shop; not sold; the seller enters the return in their shop,
    so nothing is counted from here.
    """

    RESTOCK = "restock"
    ASIDE = "aside"
    IN_SHOP = "in_shop"


class Payer(StrEnum):
    """Who pays for the way back."""

    BUYER = "buyer"
    SELLER = "seller"


LONGEST_WORDS = 1000
# Of one order: each is a row that the seller answers.
MOST_RETURNS = 10
# Of one return, those that were added later among them.
MOST_PICTURES = 6
OPEN = (ReturnState.ASKED, ReturnState.ACCEPTED)
# So long the buyer may take to send what was accepted; afterwards it keeps no money from its seller.
SEND_WITHIN = timedelta(days=30)
# Over, and yet the seller may still accept them, as long as nothing came in between.
REVIVED = (ReturnState.DECLINED, ReturnState.LAPSED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules ask of a return. `sent`: the buyer has entered its number."""

    state: ReturnState
    binding: bool = False
    sent: bool = False

    @property
    def open(self) -> bool:
        return self.state in OPEN


_ENDS = {
    ReturnDeed.ACCEPT: ReturnState.ACCEPTED,
    ReturnDeed.DECLINE: ReturnState.DECLINED,
    ReturnDeed.RECEIVE: ReturnState.RECEIVED,
    ReturnDeed.TAKE_BACK: ReturnState.TAKEN_BACK,
}
_OVER = "This return is over already."


def why_not(standing: Standing, deed: ReturnDeed) -> str:
    """Why this cannot be done now; empty when it can. What is done already can be done again.

    What was declined, or closed since nobody sent it, may still be accepted, as long as nothing came in between.
    """
    if _ENDS.get(deed) is standing.state:
        return ""
    if standing.state is ReturnState.LAPSED and deed in (ReturnDeed.SEND, ReturnDeed.TAKE_BACK):
        return "It was not sent in time, so the return is closed. Write to the seller, who may accept it after all."
    if not standing.open and not (deed is ReturnDeed.ACCEPT and standing.state in REVIVED):
        return _OVER
    match deed:
        case ReturnDeed.DECLINE if standing.binding:
            return "The buyer withdrew from the contract, which a seller cannot decline: the goods come back."
        case ReturnDeed.DECLINE if standing.state is ReturnState.ACCEPTED:
            return "You accepted this return already. Write to the buyer if something changed."
        case ReturnDeed.TAKE_BACK if standing.binding:
            return "You withdrew from the contract. That cannot be taken back here."
        case ReturnDeed.TAKE_BACK if standing.sent:
            return "You sent it back already. Write to the seller if you want to keep it."
        case ReturnDeed.SEND if standing.state is ReturnState.ASKED:
            return "The seller has not answered yet. Wait for the address to send it to."
        case _:
            return ""


def why_no_more_pictures(there: int, more: int) -> str:
    """Empty when a return that has so many pictures may get so many more."""
    if there + more <= MOST_PICTURES:
        return ""
    if there >= MOST_PICTURES:
        return f"This return has {there} pictures already; more than {MOST_PICTURES} cannot be added."
    there_already = f" {there} {'is' if there == 1 else 'are'} there already." if there else ""
    return f"A return has at most {MOST_PICTURES} pictures.{there_already} Choose fewer."


@dataclass(frozen=True, slots=True)
class Unit:
    """Of a line: what was shipped, and how many of that are in returns already, whatever became of those."""

    shipped: int
    claimed: int

    @property
    def free(self) -> int:
        return max(0, self.shipped - self.claimed)


@dataclass(frozen=True, slots=True)
class Back:
    """A line as it was paid, and how many of its units come back now."""

    paid: Paid
    units: int


def with_delivery(reason: ReturnReason) -> bool:
    """Whether the units' share of what the delivery cost goes back too: the reason is the seller's or the law's.

    Article 13 of 2011/83/EU wants the standard delivery back with the whole contract and says nothing of a part; the
    shares are those of a cancel of units, so that parts which come back one after the other make up the whole.
    """
    return reason in _WITH_DELIVERY


def shares(lines: Sequence[Back], shipping: int, reason: ReturnReason) -> tuple[int, ...]:
    """What of the payment belongs to the units that come back, line by line, to the minor unit."""
    part = shipping if with_delivery(reason) else 0
    return for_lines([line.paid for line in lines], part, [line.units for line in lines])


def holds_money(
    standing: Standing, answered_at: datetime | None, now: datetime, due_at: datetime | None = None
) -> bool:
    """Whether what it would credit is kept from the seller meanwhile. Until they answer that is in their hands; what
    was accepted and never sent keeps nothing for ever. `due_at` is later where it was accepted once more.
    """
    if not standing.open or standing.sent or answered_at is None:
        return standing.open
    return now < max(answered_at + SEND_WITHIN, due_at or answered_at)


def lapses(standing: Standing) -> bool:
    """Whether it is closed at the time by which it was due, rather than told of: accepted and never sent. A withdrawal
    is the law's, and what was sent is on its way; no clock ends those.
    """
    return standing.state is ReturnState.ACCEPTED and not standing.binding and not standing.sent


def due(whole: int, *, before: int, deduction: int, room: int) -> int:
    """What is credited of it now: less what went back since it was asked for, less what the seller keeps for wear, and
    never more than is left of the payment.
    """
    return max(0, min(whole - before - deduction, room))


def why_no_deduction(deduction: int, whole: int, why: str, conditions: Sequence[Condition]) -> str:
    """Empty when so much may be kept."""
    if deduction == 0:
        return ""
    if not 0 < deduction <= whole:
        return "Keep nothing, or an amount up to what would go back."
    if not why:
        return "Say why you keep some of it: the buyer reads it."
    if all(condition is Condition.AS_SENT for condition in conditions):
        return "Something can be kept only for what came back used or damaged. Say so in its condition."
    return ""
