"""Why a shop's count is not what it should be: one cause per difference, decided from the evidence alone, never from
the number by itself.

The shop's count is the truth whatever the cause; this only tells the seller what happened, so that they know which
button to press.
"""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """In the order in which they are considered."""

    GONE = "gone"
    ECHO = "echo"
    BOTH_PLACES = "both_places"
    RESTORED_TWICE = "restored_twice"
    EDITED = "edited"
    MISSED = "missed"


class Decision(StrEnum):
    """What the seller pressed."""

    SHOP = "shop"
    OURS = "ours"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one variant between the count before and the count that was read now.

    `taken` are units of orders of ours that this read proved to be in the count. `given_back` are units of orders
    cancelled meanwhile; `corrected` is what our own corrections of the count should have added. `owed` are units
    promised here that the shop has not taken yet. `told`: the shop sent word of it.
    """

    before: int | None
    now: int | None
    taken: int = 0
    given_back: int = 0
    corrected: int = 0
    owed: int = 0
    told: bool = False
    listening: bool = False
    gone: bool = False

    @property
    def expected(self) -> int | None:
        """The count before, less what our own orders took, plus what went back and what we corrected."""
        return None if self.before is None else self.before - self.taken + self.given_back + self.corrected


def cause_of(seen: Evidence) -> Cause:
    """Only a count that is exactly what our own doings explain is an echo; everything else names somebody."""
    if seen.gone:
        return Cause.GONE
    if seen.expected == seen.now:
        return Cause.ECHO
    if seen.now is not None and (seen.now < 0 or seen.now < seen.owed):
        return Cause.BOTH_PLACES
    back = seen.given_back
    if back > 0 and seen.now is not None and seen.expected is not None and seen.now == seen.expected + back:
        return Cause.RESTORED_TWICE
    return Cause.MISSED if seen.listening and not seen.told else Cause.EDITED


TITLES: dict[Cause, str] = {
    Cause.GONE: "Product gone",
    Cause.ECHO: "Our own order",
    Cause.BOTH_PLACES: "Sold in both places",
    Cause.RESTORED_TWICE: "Put back twice",
    Cause.EDITED: "Changed in the shop",
    Cause.MISSED: "Webhook missed",
}

SENTENCES: dict[Cause, str] = {
    Cause.GONE: "The shop no longer has this variant. It is not sold here until it comes back.",
    Cause.ECHO: "Exactly what orders placed here took or gave back; nothing to do.",
    Cause.BOTH_PLACES: (
        "The shop has fewer than are promised here: the same units were sold in both places. Look at the open orders"
        " first."
    ),
    Cause.RESTORED_TWICE: (
        "The count rose by a cancelled order's units twice. Count them; take ours if the second time was a mistake."
    ),
    Cause.EDITED: "Somebody sold, received or recounted units in the shop.",
    Cause.MISSED: "It changed in the shop, and no webhook told us.",
}


def suggestion(cause: Cause) -> Decision:
    """Which button stands first.

    The shop's number is right unless the evidence says that units were put back twice or promised twice.
    """
    match cause:
        case Cause.RESTORED_TWICE:
            return Decision.OURS
        case Cause.BOTH_PLACES:
            return Decision.ASIDE
        case _:
            return Decision.SHOP
