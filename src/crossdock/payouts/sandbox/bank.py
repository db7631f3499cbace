"""A bank without money. It refuses what a real one refuses: a number whose check digits are wrong, an account that was
closed, another currency than the account's, a key that was used for another amount.

A hand (`Hand`) plays its people: payouts arrive or come back, deliveries are signed, and trouble is dialled.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from crossdock.domain.commands import Done, Later, Outcome, Refused, Unknown, Why
from crossdock.domain.earnings.payouts import BankState, Destination, PayoutAsked, PayoutStanding
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.domain.values import Money
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.errors import BadInput, Missing
from crossdock.kit.sandbox.ledger import OverLedger, strikes
from crossdock.kit.webhook import body_key, hmac_ok, sign
from crossdock.payouts.sandbox import ledger as books
from crossdock.payouts.sandbox.ledger import Ledger, Row

SIGNATURE = "x-sample-bank-signature"
LATE_SECONDS = 1.0
_LOST = "The bank did not answer in time."
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def iban_ok(number: str) -> bool:
    """The check digits of ISO 13616: letters count from 10, the first four stand last, the rest by 97 is 1."""
    if not _IBAN.fullmatch(number):
        return False
    return int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


class SandboxBank(OverLedger[Ledger]):
    """The PayoutBank protocol over a ledger."""

    name = "sandbox"
    label = "Sample Bank (no real money)"
    horizon = timedelta(seconds=LATE_SECONDS + 1)
    book_class = Ledger

    # A file may have to be waited for, and an event loop must not: each question is asked on a thread.

    async def register(self, holder: str, number: str, currency: str) -> Destination:
        return await asyncio.to_thread(self._register, holder.strip(), number, currency)

    async def send(self, payout: PayoutAsked) -> Outcome:
        return await asyncio.to_thread(self._send, payout)

    async def look_up(self, payout: PayoutAsked) -> tuple[PayoutStanding, ...]:
        return await asyncio.to_thread(self._look_up, payout.id)

    async def read(self, ref: str) -> PayoutStanding:
        return await asyncio.to_thread(self._read, ref)

    def verify(self, hook: Hook, now: datetime) -> None:
        if not hmac_ok(self.ledger.secret, hook.body, hook.headers.get(SIGNATURE, ""), encoding="hex"):
            raise Forged

    def news(self, hook: Hook) -> HookNews:
        ref = str(json.loads(hook.body)["payout"])
        return HookNews("payout.updated", f"payout.updated:{body_key(hook.body)}", (Look(LookKind.PAYOUT, ref),))

    def _register(self, holder: str, number: str, currency: str) -> Destination:
        plain = re.sub(r"\s", "", number).upper()
        if not holder:
            raise BadInput("Type the name of the account's holder.")
        if not iban_ok(plain):
            raise BadInput("That is no IBAN: check its letters and digits against your bank's paper.")
        with self.ledger.book() as db:
            ref = books.add_account(db, holder=holder[:70], number=plain, currency=currency)
        return Destination(ref, f"{holder[:70]}, {plain[:2]} ···· {plain[-4:]}")

    def _send(self, payout: PayoutAsked) -> Outcome:
        ledger, amount = self.ledger, payout.amount
        with ledger.book() as db:
            trouble = strikes(db, payout.id, "send")
            if "throttle" in trouble:
                return Later("The bank asks us to slow down.", 0.2)
            if "broken" in trouble:
                return Unknown("The bank answered with an error of its own.")
            before = books.by_key(db, payout.id)
            if before is not None:
                if (before.minor, before.currency, before.account) != (
                    amount.minor,
                    amount.currency,
                    payout.destination,
                ):
                    return Refused(Why.CONFLICT, "This payout was sent before with another amount or account.")
                return Done(before.ref, already=True)
            found = books.account(db, payout.destination)
            if found is None:
                return Refused(Why.NOT_FOUND, "The bank knows no such account.")
            currency, closed = found
            if closed:
                return Refused(Why.NOT_ALLOWED, "The account was closed.")
            if currency != amount.currency or amount.minor <= 0:
                return Refused(Why.INVALID, f"The account takes {currency} alone, and more than nothing.")
            late = LATE_SECONDS if "late" in trouble else 0.0
            row = books.write(
                db,
                key=payout.id,
                account=payout.destination,
                minor=amount.minor,
                currency=amount.currency,
                seen_from=ledger.clock() + late,
            )
        return Unknown(_LOST) if trouble & {"lost", "late"} else Done(row.ref)

    def _look_up(self, key: str) -> tuple[PayoutStanding, ...]:
        with self.ledger.book() as db:
            row = books.by_key(db, key, now=self.ledger.clock())
        return (_standing(row),) if row else ()

    def _read(self, ref: str) -> PayoutStanding:
        with self.ledger.book() as db:
            row = books.by_ref(db, ref)
        if row is None:
            raise Missing("The bank knows no such payout.")
        return _standing(row)


def _standing(row: Row) -> PayoutStanding:
    return PayoutStanding(row.ref, Money(row.minor, row.currency), BankState(row.state), row.why)


@dataclass(frozen=True, slots=True)
class Hand:
    """A person at the bank: for the demo, the story and the tests."""

    bank: SandboxBank

    def dial(self, **chances: float) -> None:
        """Set faults, each with its chance per asking; those that are not named stay."""
        self.bank.ledger.dial(chances)

    def sent(self) -> list[Row]:
        """The bank's own list, those that came back included."""
        with self.bank.ledger.book() as db:
            return books.everything(db)

    def arrives(self, ref: str) -> Hook:
        """It is with the seller; the delivery that tells it."""
        return self._moves(ref, "paid")

    def comes_back(self, ref: str, why: str = "The account was closed.") -> Hook:
        return self._moves(ref, "returned", why)

    def closes(self, account: str) -> None:
        with self.bank.ledger.book() as db:
            books.close_account(db, account)

    def _moves(self, ref: str, state: str, why: str = "") -> Hook:
        with self.bank.ledger.book() as db:
            books.set_state(db, ref, state, why)
        body = json.dumps({"payout": ref, "state": state}).encode()
        return Hook({SIGNATURE: sign(self.bank.ledger.secret, body, encoding="hex")}, body)
