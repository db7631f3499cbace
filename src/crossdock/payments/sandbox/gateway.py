"""A card processor without money. An intent is decided once: whatever is asked later about it gets the same answer,
whichever means was chosen then.

"The bank answers too late" captures, loses the answer, and stays silent at the first look-up as well: exactly what
must never charge twice.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crossdock.domain.commands import Done, Outcome, Refused, Why
from crossdock.domain.events import HookNews
from crossdock.domain.payments import BankRefund, Intent, RefundState, Standing
from crossdock.domain.values import Money
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.gateway import Answer, Captured, CardForm, Check, Choice, Declined, NeverSeen, NotKnown
from crossdock.kit.sandbox.ledger import OverLedger
from crossdock.payments.sandbox.ledger import (
    Ledger,
    Payment,
    payment,
    refund_of,
    refunded,
    refunds_of,
    refunds_since,
    told,
    write_payment,
    write_refund,
)

GOOD = {"postal_code": "pass", "cvc": "pass"}
LATE = "The bank did not answer in time."
VOIDED = "The payment was given up before the bank carried it out."


@dataclass(frozen=True, slots=True)
class Means:
    """One choice at the checkout and how it behaves."""

    label: str
    declined: str = ""
    answers_late: bool = False
    checks: Mapping[str, str] = field(default_factory=lambda: dict(GOOD))


MEANS: Mapping[str, Means] = {
    "works": Means("Test card that works"),
    "declined": Means("Test card that is declined", declined="Your bank declined the card."),
    "late": Means("Test card whose bank answers too late", answers_late=True),
    "postal-code": Means("Test card whose postal code does not match", checks={**GOOD, "postal_code": "fail"}),
    "security-code": Means("Test card whose security code fails", checks={**GOOD, "cvc": "fail"}),
}


class SandboxGateway(OverLedger[Ledger]):
    """The Gateway protocol over a ledger."""

    name = "sandbox"
    label = "Test payment, no real money"
    book_class = Ledger

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(token, means.label) for token, means in MEANS.items())

    def card_form(self) -> CardForm | None:
        return None

    def accepts(self, token: str) -> bool:
        return token in MEANS

    # A file may have to be waited for, and an event loop must not: each question is asked on a thread.

    async def capture(self, intent: Intent, token: str, *, back_url: str = "") -> Answer:
        return await asyncio.to_thread(self._capture, intent.id, intent.amount, token)

    async def look_up(self, intent: Intent) -> Answer:
        return await asyncio.to_thread(self._look_up, intent.id)

    async def void(self, intent: Intent) -> Captured | NeverSeen | NotKnown:
        return await asyncio.to_thread(self._void, intent.id)

    async def refund(self, intent: Intent, amount: Money, key: str) -> Outcome:
        return await asyncio.to_thread(self._refund, intent.id, amount, key)

    async def read(self, intent: Intent) -> Standing:
        return await asyncio.to_thread(self._read, intent)

    async def changed(self, since: datetime) -> tuple[str, ...]:
        return await asyncio.to_thread(self._changed, since)

    def verify(self, hook: Hook, now: datetime) -> None:
        """It has nobody who could tell us anything."""
        raise Forged

    def news(self, hook: Hook) -> HookNews:
        raise Forged

    async def check(self) -> tuple[Check, ...]:
        return (Check(True, "Test payments work; nobody pays real money through them."),)

    def _capture(self, intent: str, amount: Money, token: str) -> Captured | Declined | NotKnown:
        with self.ledger.book() as db:
            row = payment(db, intent)
            if row is None:
                row = _decided(intent, amount, token)
                write_payment(db, row)
            elif row.state == "captured" and Money(row.minor, row.currency) != amount:
                return Declined("This payment was made before with another amount; nothing was charged this time.")
        if MEANS[row.token].answers_late:
            return NotKnown(LATE)
        answer = _answer(row)
        return Declined(VOIDED) if isinstance(answer, NeverSeen) else answer

    def _look_up(self, intent: str) -> Captured | Declined | NotKnown | NeverSeen:
        with self.ledger.book() as db:
            row = payment(db, intent)
            if row is None:
                return NeverSeen()
            if MEANS[row.token].answers_late and told(db, intent, "look_up") == 0:
                return NotKnown(LATE)
        return _answer(row)

    def _void(self, intent: str) -> Captured | NeverSeen | NotKnown:
        with self.ledger.book() as db:
            row = payment(db, intent)
            if row is None:
                write_payment(db, Payment(intent, 0, "", "voided", "works", "", VOIDED))
                return NeverSeen()
        answer = _answer(row)
        return answer if isinstance(answer, Captured) else NeverSeen()

    def _refund(self, intent: str, amount: Money, key: str) -> Outcome:
        ref = _ref("re", key)
        with self.ledger.book() as db:
            before = refund_of(db, key)
            if before is not None:
                if before[:2] != (intent, amount.minor):
                    return Refused(Why.CONFLICT, "This refund was made before with another amount.")
                return Done(before[2], already=True)
            row = payment(db, intent)
            if row is None or row.state != "captured":
                return Refused(Why.NOT_FOUND, "The bank knows no such payment.")
            if amount.currency != row.currency or amount.minor <= 0:
                return Refused(Why.INVALID, "The bank refunds in the payment's own currency, and more than nothing.")
            if refunded(db, intent) + amount.minor > row.minor:
                return Refused(Why.INVALID, "The bank refuses to refund more than was paid.")
            write_refund(db, key=key, intent=intent, minor=amount.minor, ref=ref)
        return Done(ref)

    def _read(self, intent: Intent) -> Standing:
        with self.ledger.book() as db:
            made = refunds_of(db, intent.id)
        done = (
            BankRefund(ref, Money(minor, intent.amount.currency), RefundState.DONE, key) for key, minor, ref in made
        )
        return Standing(tuple(done))

    def _changed(self, since: datetime) -> tuple[str, ...]:
        with self.ledger.book() as db:
            return refunds_since(db, since)


def _ref(kind: str, of: str) -> str:
    return f"{kind}_{hashlib.sha256(of.encode()).hexdigest()[:20]}"


def _decided(intent: str, amount: Money, token: str) -> Payment:
    means = MEANS.get(token)
    if means is None:
        return Payment(
            intent, amount.minor, amount.currency, "declined", "declined", "", "This means of payment is not known."
        )
    state = "declined" if means.declined else "captured"
    return Payment(intent, amount.minor, amount.currency, state, token, _ref("pay", intent), means.declined)


def _answer(row: Payment) -> Captured | Declined | NeverSeen:
    match row.state:
        case "captured":
            return Captured(row.ref, dict(MEANS[row.token].checks))
        case "voided":
            return NeverSeen()
        case _:
            return Declined(row.sentence)
