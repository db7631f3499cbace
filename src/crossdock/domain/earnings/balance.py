"""Where a seller's money is: not payable yet, held back, available; and the lines that explain it.

An order's money becomes payable some days after the parcel is delivered, or after the last one was shipped where nobody
tells of deliveries. What a seller owes (a label, a credit of an order that was paid out) lowers what is available at
once, below zero if need be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crossdock.domain.values import Money


@dataclass(frozen=True, slots=True)
class Reserve:
    """How long an order's money waits."""

    delivered: timedelta
    shipped: timedelta


@dataclass(frozen=True, slots=True)
class Sent:
    """What decides when an order's money is payable. `delivered_at` is of the last parcel, and only when all are."""

    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None


def payable_from(sent: Sent, reserve: Reserve) -> datetime | None:
    """None while something still has to be shipped. What is cancelled waits for nothing: the buyer has their money."""
    if sent.cancelled_at is not None:
        return sent.cancelled_at
    if sent.shipped_at is None:
        return None
    after = sent.shipped_at + reserve.shipped
    return after if sent.delivered_at is None else min(after, sent.delivered_at + reserve.delivered)


class Waits(StrEnum):
    """Why an order's money is not available."""

    NOT_SHIPPED = "not_shipped"
    RESERVE = "reserve"
    RISK = "risk"
    CREDIT_ASKED = "credit_asked"
    DISPUTED = "disputed"
    RETURN = "return"


WAITS: dict[Waits, str] = {
    Waits.NOT_SHIPPED: "Not shipped yet.",
    Waits.RESERVE: "Shipped; it becomes available by itself.",
    Waits.RISK: "Held until our staff have looked at the order.",
    Waits.CREDIT_ASKED: "Held until our staff have decided about the credit.",
    Waits.DISPUTED: "Held: the buyer's bank disputes the payment.",
    Waits.RETURN: "Held for a return: what the buyer gets when the goods are back.",
}


@dataclass(frozen=True, slots=True)
class Balance:
    """Of one currency, in minor units. `pending`, `held` and `available` add up to what the books owe the seller;
    `available` is below zero when the seller owes us.
    """

    currency: str
    pending: int
    held: int
    available: int

    @property
    def owed(self) -> int:
        return self.pending + self.held + self.available

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


class LineKind(StrEnum):
    """What moved a seller's balance. The first word of a transfer's cause says it."""

    ORDER = "paid"
    CREDIT = "credit"
    LABEL = "label"
    LABEL_BACK = "label_void"
    PAYOUT = "payout"
    PAYOUT_BACK = "payout_back"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a kind is called for one line and for a sum of many, and the sentence that explains it."""

    one: str
    many: str
    means: str


KIND_WORDS: dict[LineKind, KindWords] = {
    LineKind.ORDER: KindWords("Order", "Orders", "What the buyer paid, less our commission."),
    LineKind.CREDIT: KindWords(
        "Credit", "Credits", "Money that went back to the buyer; our commission on it comes back to you."
    ),
    LineKind.LABEL: KindWords("Label", "Labels", "A shipping label that you bought here."),
    LineKind.LABEL_BACK: KindWords("Label voided", "Labels voided", "The price of a label that was not used."),
    LineKind.PAYOUT: KindWords("Payout", "Payouts", "Sent to your bank account."),
    LineKind.PAYOUT_BACK: KindWords("Payout back", "Payouts back", "A payout that did not arrive: it is yours again."),
    LineKind.OTHER: KindWords("Other", "Other", ""),
}


def kind_of(cause: str) -> LineKind:
    word = cause.partition(":")[0]
    return LineKind(word) if word in set(LineKind) else LineKind.OTHER
