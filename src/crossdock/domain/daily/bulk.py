"""Many orders at once: what can be done with them, how far a run of that got, and what became of each order.

What is only shown (slips, a CSV file) is no run.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from crossdock.domain.labels import Parcel

# Each is two fields of a form at most, of which a browser may send a thousand.
MOST = 300
# How long a run can be looked at; what it did stays with its orders.
KEPT = timedelta(days=90)


class BulkKind(StrEnum):
    """PRICE asks what labels cost and buys none; LABEL buys what a run of that kind showed."""

    SHIP = "ship"
    REJECT = "reject"
    TAG = "tag"
    UNTAG = "untag"
    PRICE = "price"
    LABEL = "label"


# For a button, and for the list of runs.
BUTTONS = {
    BulkKind.SHIP: "Ship",
    BulkKind.REJECT: "Reject",
    BulkKind.TAG: "Tag",
    BulkKind.UNTAG: "Take a tag off",
    BulkKind.PRICE: "Prices of labels",
    BulkKind.LABEL: "Buy labels",
}
# What can be chosen above a list.
CHOICES = {
    BulkKind.SHIP: "Ship",
    BulkKind.PRICE: "Buy labels",
    BulkKind.REJECT: "Reject",
    BulkKind.TAG: "Tag",
    BulkKind.UNTAG: "Take a tag off",
}


class BulkState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


GOING = (BulkState.WAITING, BulkState.RUNNING)


class RowState(StrEnum):
    """SKIPPED was not to be done, by what stood then; FAILED was tried and refused; ASKED waits for a carrier."""

    WAITING = "waiting"
    ASKED = "asked"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


OPEN = (RowState.WAITING, RowState.ASKED)
UNDONE = (RowState.FAILED, RowState.SKIPPED)


@dataclass(frozen=True, slots=True)
class ForAll:
    """What is said once for all orders of a run, each where its kind asks for it. A parcel of 0 grams has no weight
    for all.
    """

    carrier: str = ""
    reason: str = ""
    tag: str = ""
    parcel: Parcel | None = None


@dataclass(frozen=True, slots=True)
class ForOne:
    """What is said for one order. `back` is what its buyer gets back, as it was confirmed, in minor units; `label` and
    `quote` are the ids of the prices that were shown and of the chosen one.
    """

    tracking: str = ""
    carrier: str = ""
    back: int | None = None
    grams: int | None = None
    label: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many orders of a run stand how."""

    waiting: int = 0
    asked: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def all(self) -> int:
        return self.waiting + self.asked + self.done + self.skipped + self.failed

    @property
    def undone(self) -> int:
        return self.skipped + self.failed
