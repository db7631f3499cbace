"""A carrier without vans. Who asks it twice buys twice; what it sold stands in its own ledger, where tests count.

A hand (`Hand`) plays its people: parcels move, slow refunds are decided, deliveries are signed, and trouble is dialled.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from crossdock.carriers.sandbox import ledger as books
from crossdock.carriers.sandbox import printing
from crossdock.carriers.sandbox.code128 import check_digit
from crossdock.carriers.sandbox.ledger import Ledger, Row
from crossdock.carriers.sandbox.prices import BRAND, CURRENCY, quotes
from crossdock.domain.commands import Done, Later, Outcome, Refused, Unknown, Why
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.domain.labels import (
    HOME,
    Bought,
    Can,
    Form,
    LabelStanding,
    Purchase,
    Quote,
    TrackEvent,
    TrackStatus,
    VoidState,
    Wanted,
)
from crossdock.domain.values import Money
from crossdock.kit.carrier import Answer
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.errors import BadInput, Missing
from crossdock.kit.gateway import Check
from crossdock.kit.sandbox.ledger import OverLedger, strikes
from crossdock.kit.webhook import body_key, hmac_ok, sign

SIGNATURE = "x-sample-signature"
LATE_SECONDS = 1.0
_WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)
_LOST = f"{BRAND} did not answer in time."
# Service type and mailer id of nobody.
_STC, _MID = "001", "990000001"


class SandboxCarrier(OverLedger[Ledger]):
    """The Carrier protocol over a ledger."""

    name = "sandbox"
    label = f"{BRAND} (no real postage)"
    can = Can(international=True, insurance=True, insures_up_to=5000, forms=(Form.PDF, Form.PNG, Form.ZPL))
    patience = timedelta(seconds=5)
    horizon = timedelta(seconds=LATE_SECONDS + 1)
    book_class = Ledger

    # A file may have to be waited for, and an event loop must not: each question is asked on a thread.

    async def quote(self, wanted: Wanted) -> tuple[Quote, ...]:
        return quotes(wanted)

    async def buy(self, purchase: Purchase) -> Answer:
        return await asyncio.to_thread(self._buy, purchase, time.monotonic() + self.patience.total_seconds())

    async def look_up(self, purchase: Purchase) -> tuple[Bought, ...]:
        return await asyncio.to_thread(self._look_up, purchase.wanted.reference)

    async def void(self, ref: str) -> Outcome:
        return await asyncio.to_thread(self._void, ref)

    async def read(self, ref: str) -> LabelStanding:
        return await asyncio.to_thread(self._read, ref)

    async def document(self, ref: str, form: Form) -> bytes:
        return await asyncio.to_thread(self._document, ref, form)

    def verify(self, hook: Hook, now: datetime) -> None:
        if not hmac_ok(self.ledger.secret, hook.body, hook.headers.get(SIGNATURE, ""), encoding="hex"):
            raise Forged

    def news(self, hook: Hook) -> HookNews:
        ref = str(json.loads(hook.body)["label"])
        return HookNews("label.updated", f"label.updated:{body_key(hook.body)}", (Look(LookKind.LABEL, ref),))

    async def check(self) -> tuple[Check, ...]:
        return (Check(True, "Sample labels work; nobody can send anything with them."),)

    def _buy(self, purchase: Purchase, until: float) -> Answer:
        wanted, ledger = purchase.wanted, self.ledger
        try:
            chosen = next((one for one in quotes(wanted) if one.ref == purchase.quote.ref), None)
        except BadInput as wrong:
            return Refused(Why.INVALID, str(wrong))
        if chosen is None or chosen.price != purchase.quote.price:
            return Refused(Why.INVALID, f"{BRAND} has no such price for this parcel.")
        with ledger.book() as db:
            now = ledger.clock()
            if time.monotonic() > until:
                return Later(f"{BRAND} was too busy to begin.")
            trouble = strikes(db, wanted.reference, "buy")
            if "throttle" in trouble:
                return Later(f"{BRAND} asks us to slow down.", 0.2)
            if "broken" in trouble:
                return Unknown(f"{BRAND} answered with an error of its own.")
            late = LATE_SECONDS if "late" in trouble else 0.0
            row = books.sell(
                db,
                reference=wanted.reference,
                service=chosen.ref,
                minor=chosen.price.minor,
                at=now,
                seen_from=now + late,
                wanted=_WANTED.dump_python(wanted, mode="json"),
            )
        return Unknown(_LOST) if trouble & {"lost", "late"} else _bought(row)

    def _look_up(self, reference: str) -> tuple[Bought, ...]:
        with self.ledger.book() as db:
            return tuple(map(_bought, books.by_reference(db, reference, self.ledger.clock())))

    def _void(self, ref: str) -> Outcome:
        with self.ledger.book() as db:
            row = books.by_ref(db, ref)
            if row is None:
                return Refused(Why.NOT_FOUND, f"{BRAND} knows no such label.")
            trouble = strikes(db, row.reference, "void")
            if "broken" in trouble:
                return Unknown(f"{BRAND} answered with an error of its own.")
            if row.void in ("none", "refused"):
                if any(event.status is not TrackStatus.MADE for event in books.events_of(db, ref)):
                    return Refused(Why.TOO_LATE, "The parcel was scanned already.")
                books.set_void(db, ref, "asked" if "slow_void" in trouble else "done")
        return Unknown(_LOST) if trouble & {"lost", "late"} else Done(ref, already=row.void in ("asked", "done"))

    def _read(self, ref: str) -> LabelStanding:
        with self.ledger.book() as db:
            row = books.by_ref(db, ref)
            if row is None:
                raise Missing(f"{BRAND} knows no such label.")
            sentence = "The parcel was used after all." if row.void == "refused" else ""
            return LabelStanding(VoidState(row.void), books.events_of(db, ref), sentence)

    def _document(self, ref: str, form: Form) -> bytes:
        with self.ledger.book() as db:
            row = books.by_ref(db, ref)
        if row is None:
            raise Missing(f"{BRAND} knows no such label.")
        return printed(row, form)


def number_of(row: Row) -> str:
    """22 digits: 94, service type, mailer, serial, check digit."""
    digits = f"94{_STC}{_MID}{row.serial % 10_000_000:07d}"
    return digits + check_digit(digits)


def _bought(row: Row) -> Bought:
    service = next(quote.service for quote in quotes(_WANTED.validate_python(row.wanted)) if quote.ref == row.service)
    return Bought(row.ref, number_of(row), BRAND, service, Money(row.minor, CURRENCY))


def printed(row: Row, form: Form) -> bytes:
    wanted, number = _WANTED.validate_python(row.wanted), number_of(row)
    zip5 = wanted.ship_to.postal_code[:5]
    home = wanted.ship_to.country == HOME and zip5.isascii() and zip5.isdigit() and len(zip5) == 5
    notes = [f"Ref {wanted.reference}   {wanted.parcel.grams / 1000:g} kg"]
    if wanted.insured is not None:
        notes[0] += f"   insured {wanted.insured} {wanted.insured.currency}"
    notes += [
        f"{item.quantity} x {item.description[:40]}, {item.value} {item.value.currency}, {item.origin}"
        for item in wanted.customs
    ]
    marks = printing.label(
        brand=BRAND,
        service=_bought(row).service.upper(),
        start=wanted.ship_from,
        end=wanted.ship_to,
        number=number,
        barcode=(f"420{zip5}", number) if home else (number,),
        notes=notes,
    )
    match form:
        case Form.PDF:
            return printing.as_pdf(marks, title=f"{printing.SAMPLE} {number}")
        case Form.PNG:
            return printing.as_png(marks)
        case Form.ZPL:
            return printing.as_zpl(marks)


@dataclass(frozen=True, slots=True)
class Hand:
    """A person at the carrier: for the demo, the story and the tests."""

    carrier: SandboxCarrier

    def dial(self, **chances: float) -> None:
        """Set faults, each with its chance per asking; those that are not named stay."""
        self.carrier.ledger.dial(chances)

    def calm(self) -> None:
        self.dial(**dict.fromkeys(books.FAULTS, 0.0))

    def sold(self) -> list[Row]:
        """The carrier's own list, voided ones included."""
        with self.carrier.ledger.book() as db:
            return books.everything(db)

    def move(self, number: str, status: TrackStatus, at: datetime, place: str = "") -> Hook:
        """The parcel with this tracking number moves; the delivery that tells it."""
        with self.carrier.ledger.book() as db:
            row = next(row for row in books.everything(db) if number_of(row) == number)
            books.add_event(db, row.ref, TrackEvent(status, at, place))
        return self.delivery(row.ref, str(status))

    def decide_void(self, number: str, *, granted: bool) -> Hook:
        """What was asked for weeks ago. What was given back at once stays so, also when nobody has read it yet."""
        with self.carrier.ledger.book() as db:
            row = next(row for row in books.everything(db) if number_of(row) == number)
            if row.void != "done":
                books.set_void(db, row.ref, "done" if granted else "refused")
        return self.delivery(row.ref, "void")

    def delivery(self, ref: str, what: str) -> Hook:
        body = json.dumps({"label": ref, "what": what}).encode()
        return Hook({SIGNATURE: sign(self.carrier.ledger.secret, body, encoding="hex")}, body)
