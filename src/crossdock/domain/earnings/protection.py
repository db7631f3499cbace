"""The marketplace's protection of sellers: whether it bears a lost dispute over an order, because of what, and what the
seller must still do. Decided from facts alone; who bears a dispute in the end is staff's word.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from crossdock.domain.due.calendar import Calendar
from crossdock.domain.due.ship_by import in_words


class Cover(StrEnum):
    COVERED = "covered"
    NOT_YET = "not_yet"
    NOT_COVERED = "not_covered"


COVER_WORDS: dict[Cover, tuple[str, str]] = {
    Cover.COVERED: ("Covered", "good"),
    Cover.NOT_YET: ("Not covered yet", "warn"),
    Cover.NOT_COVERED: ("Not covered", "bad"),
}


class Bearer(StrEnum):
    SELLER = "seller"
    MARKETPLACE = "marketplace"


class DisputeEnd(StrEnum):
    """OPEN waits for staff, SECOND for another person of staff; DECIDED is in the books. BACK: the bank gave the money
    back after all.
    """

    OPEN = "open"
    SECOND = "second"
    DECIDED = "decided"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Parcel:
    """`heard`: its carrier tells us of it, as with a label that was bought here. `scanned`: the carrier had it.
    `to_order`: it went to the address that was paid for; None where nobody knows.
    """

    number: str
    heard: bool
    scanned: bool
    to_order: bool | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one order. `shipped_at` is when the last parcel left, by when we heard of it; None while something is to be
    shipped. `left_held`: a parcel left while our staff held the order. `fraud_ours`: the marketplace bears losses by
    fraud, by the rule of the day on which it was placed. The calendar is the seller's. `reason` is the bank's word for
    its dispute.
    """

    ship_by: datetime
    shipped_at: datetime | None
    cancelled: bool
    held: bool
    left_held: bool
    parcels: tuple[Parcel, ...]
    fraud_ours: bool
    calendar: Calendar
    reason: str = ""

    @property
    def due(self) -> str:
        return in_words(self.ship_by, self.calendar, year=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`because` reads on after "Covered, because" and the like; `todo` are sentences, what the seller must still do."""

    cover: Cover
    because: str
    todo: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"{COVER_WORDS[self.cover][0]}, because {self.because}."


# Disputes about the goods or about a promise: no proof of delivery answers them. Providers' words.
GOODS: dict[str, str] = {
    "product_unacceptable": "the buyer says that the goods are not as described",
    "credit_not_processed": "the buyer says that money was promised back",
}


def verdict(facts: Facts, *, now: datetime) -> Verdict:
    """What is missing for good stands before what the seller can still do."""
    if facts.cancelled:
        return Verdict(Cover.NOT_COVERED, "the order was cancelled and the buyer has their money")
    if facts.reason in GOODS:
        return Verdict(Cover.NOT_COVERED, GOODS[facts.reason])
    if "fraud" in facts.reason.lower() and not facts.fraud_ours:
        return Verdict(
            Cover.NOT_COVERED,
            "the bank calls it fraud, and by the marketplace's rule that loss is the seller's",
        )
    if facts.left_held:
        return Verdict(Cover.NOT_COVERED, "a parcel left while our staff held the order for its risk")
    if facts.held:
        return Verdict(
            Cover.NOT_YET, "our staff hold the order for its risk", ("Ship nothing before they have released it.",)
        )
    if facts.shipped_at is None:
        return _not_shipped(facts, now)
    if facts.shipped_at > facts.ship_by:
        return Verdict(Cover.NOT_COVERED, f"we heard that it was shipped only after {facts.due}")
    found = _shipped(facts.parcels)
    if found.cover is Cover.COVERED and not facts.reason and not facts.fraud_ours:
        found = replace(found, because=f"{found.because}; a loss by fraud is the seller's all the same")
    return found


def _not_shipped(facts: Facts, now: datetime) -> Verdict:
    if now > facts.ship_by:
        late = "Ship it all the same, or reject it: the buyer waits."
        return Verdict(Cover.NOT_COVERED, f"it was not shipped by {facts.due}", (late,))
    todo = f"Ship all of it by {facts.due}, with a tracking number, to the order's address."
    return Verdict(Cover.NOT_YET, "it is not shipped yet", (todo,))


def _shipped(parcels: tuple[Parcel, ...]) -> Verdict:
    if any(parcel.to_order is False for parcel in parcels):
        return Verdict(Cover.NOT_COVERED, "a parcel went to another address than the order's")
    if not parcels or not all(parcel.number for parcel in parcels):
        return Verdict(
            Cover.NOT_YET, "a parcel has no tracking number", ("Add the tracking number of each parcel to the order.",)
        )
    if any(parcel.heard and not parcel.scanned for parcel in parcels):
        todo = "Hand the parcel to the carrier; its first scan counts."
        return Verdict(Cover.NOT_YET, "the carrier has not scanned a parcel yet", (todo,))
    if not all(parcel.heard for parcel in parcels):
        todo = (
            "Keep the carrier's proof of delivery. If the buyer's bank disputes the payment, send it to our staff in a"
            " case: they look at it before they decide."
        )
        return Verdict(Cover.NOT_YET, "its carrier does not tell us of a parcel that has no label from here", (todo,))
    return Verdict(
        Cover.COVERED, "it left in time, to the order's address, with tracking numbers that the carrier scanned"
    )
