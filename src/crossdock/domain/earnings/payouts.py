"""A payout: what is available is sent to a seller's bank account, proven like an order: intended, sent, acknowledged,
and equal to what the bank says it paid.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from crossdock.domain.values import Money


class PayoutState(StrEnum):
    """INTENDED is in the books and on its way to the bank; ACKNOWLEDGED has the bank's own number; PAID is with the
    seller. REFUSED never left, RETURNED came back: the money is available again.
    """

    INTENDED = "intended"
    ACKNOWLEDGED = "acknowledged"
    PAID = "paid"
    REFUSED = "refused"
    RETURNED = "returned"


# What has left the seller's balance.
GONE = (PayoutState.INTENDED, PayoutState.ACKNOWLEDGED, PayoutState.PAID)


class Schedule(StrEnum):
    """When payouts are made by themselves."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    BY_HAND = "by_hand"


SCHEDULES: dict[Schedule, str] = {
    Schedule.DAILY: "Every day",
    Schedule.WEEKLY: "Every Monday",
    Schedule.MONTHLY: "On the first of each month",
    Schedule.BY_HAND: "Only when I press the button",
}


def due_on(schedule: Schedule, day: date) -> bool:
    match schedule:
        case Schedule.DAILY:
            return True
        case Schedule.WEEKLY:
            return day.weekday() == 0
        case Schedule.MONTHLY:
            return day.day == 1
        case Schedule.BY_HAND:
            return False


@dataclass(frozen=True, slots=True)
class Destination:
    """A bank account as the provider knows it: `ref` is the provider's id, `words` what people read of it."""

    ref: str
    words: str


@dataclass(frozen=True, slots=True)
class PayoutAsked:
    """As the bank is asked for it. `id` is ours and the key of everything about this payout."""

    id: str
    amount: Money
    destination: str


class BankState(StrEnum):
    UNDER_WAY = "under_way"
    PAID = "paid"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class PayoutStanding:
    """A payout as the bank has it in its own books. `why` is the bank's word for a return."""

    ref: str
    amount: Money
    state: BankState
    why: str = ""
