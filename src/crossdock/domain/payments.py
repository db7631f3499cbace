"""A payment as we wrote it down before anybody was asked, and as its provider shows it later: whole snapshots, so that
the difference decides what is news.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crossdock.domain.values import Money


@dataclass(frozen=True, slots=True)
class Intent:
    """`id` is ours and the key of everything about this payment; `ref` is the provider's own id, empty until it is
    known.
    """

    id: str
    amount: Money
    begun_at: datetime
    ref: str = ""


class RefundState(StrEnum):
    """FAILED: the money came back to the marketplace, so the buyer still has nothing."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BankRefund:
    """`key` is ours when we asked for it; empty when somebody refunded at the provider's own pages."""

    refund_id: str
    amount: Money
    state: RefundState
    key: str = ""


class DisputeState(StrEnum):
    """ASKED is a bank's question, before any money is taken back; TAKEN and LOST mean that the money is with the
    buyer's bank.
    """

    ASKED = "asked"
    TAKEN = "taken"
    WON = "won"
    LOST = "lost"

    def with_the_bank(self, amount: int, *, before: int) -> int:
        """Minor units of the disputed `amount` that the bank has now. A question, or a state that we do not know,
        leaves what it had `before`.
        """
        if self is DisputeState.ASKED:
            return before
        return 0 if self is DisputeState.WON else amount


@dataclass(frozen=True, slots=True)
class Dispute:
    """A buyer's bank disputes the payment.

    `reason` is the provider's word for why; `answer_by` the last day for evidence.
    """

    dispute_id: str
    amount: Money
    state: DisputeState
    reason: str = ""
    answer_by: datetime | None = None
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FraudWarning:
    """The card's issuer says that its owner did not make this payment. No money moved, and often a dispute follows.

    `kind` is the provider's word for it; `at` the day on which the issuer said it.
    """

    warning_id: str
    at: datetime
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that happened to one captured payment since."""

    refunds: tuple[BankRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    warnings: tuple[FraudWarning, ...] = ()
