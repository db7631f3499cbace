"""How much one seller may have or do: the marketplace's usual limits, and the words for them.

Staff set others for one seller; a limit that is lowered takes nothing away, it only lets nothing more in.
"""

from dataclasses import dataclass
from enum import StrEnum

HIGHEST = 1_000_000


class Quota(StrEnum):
    """What is counted. Listings are those on sale, of shops and made by hand; days are the 24 hours before."""

    LISTINGS = "listings"
    BY_HAND = "by_hand"
    CASES = "cases"
    MESSAGES = "messages"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Kind:
    """`usual` holds where staff set nothing; None is no limit. `full` follows "You have 100 ..."."""

    title: str
    usual: int | None
    about: str
    full: str
    then: str


KINDS: dict[Quota, Kind] = {
    Quota.LISTINGS: Kind(
        "Listings on sale",
        None,
        "Of connected shops and made by hand. What a shop brings beyond it waits, and is listed by itself when there is"
        " room.",
        "listings on sale",
        "Archive some, or choose what to sell of your shop.",
    ),
    Quota.BY_HAND: Kind(
        "Listings made by hand",
        10_000,
        "Those on sale that no connected shop keeps.",
        "listings made by hand",
        "Archive some, or connect a shop for more.",
    ),
    Quota.CASES: Kind(
        "Open cases", 200, "Questions to staff that nobody has closed.", "open cases", "Close some, or write into one."
    ),
    Quota.MESSAGES: Kind(
        "Messages to buyers in a day",
        1_000,
        "Each of them is mailed to its buyer.",
        "messages to buyers within a day",
        "Write again tomorrow.",
    ),
    Quota.ORDERS: Kind(
        "Orders in a day",
        None,
        "Those placed and those being paid. Buyers read that the shop takes no more orders today.",
        "orders within a day",
        "Buyers can order again tomorrow.",
    ),
}


def most_of(quotas: dict[str, int], quota: Quota) -> int | None:
    """What holds for a seller with these own limits; None is no limit."""
    return quotas.get(quota.value, KINDS[quota].usual)


def is_near(used: int, most: int) -> bool:
    """From four fifths on."""
    return used * 5 >= most * 4


def why_full(quota: Quota, most: int) -> str:
    """For the seller."""
    kind = KINDS[quota]
    return f"You have {most:,} {kind.full}, as many as you may. {kind.then} Staff can give you more: ask them."


def near_words(quota: Quota, used: int, most: int) -> str:
    """For the seller, once."""
    kind = KINDS[quota]
    return f"You have {used:,} of {most:,} {kind.full}. {kind.then} Staff can give you more: ask them."
