"""Many orders at once: what can be done with them, how far a run of that got, and what became of each order.

What is only shown (slips, a CSV file) is no run.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# Each is two fields of a form at most, of which a browser may send a thousand.
MOST = 300
# How long a run can be looked at; what it did stays with its orders.
KEPT = timedelta(days=90)


class BulkKind(StrEnum):
    SHIP = "ship"
    REJECT = "reject"
    TAG = "tag"
    UNTAG = "untag"


# For a button, and for the list of runs.
BUTTONS = {
    BulkKind.SHIP: "Ship",
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
    """SKIPPED was not to be done, by what stood then; FAILED was tried and refused."""

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


UNDONE = (RowState.FAILED, RowState.SKIPPED)


@dataclass(frozen=True, slots=True)
class ForAll:
    """What is said once for all orders of a run, each where its kind asks for it."""

    carrier: str = ""
    reason: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ForOne:
    """What is said for one order. `back` is what its buyer gets back, as it was confirmed, in minor units."""

    tracking: str = ""
    carrier: str = ""
    back: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many orders of a run stand how."""

    waiting: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def all(self) -> int:
        return self.waiting + self.done + self.skipped + self.failed

    @property
    def undone(self) -> int:
        return self.skipped + self.failed
