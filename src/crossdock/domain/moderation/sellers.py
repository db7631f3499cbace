"""Whether buyers may see what a seller sells. While the marketplace says no, nothing of theirs is found or sold; what
was ordered before goes on.
"""

from enum import StrEnum


class Bar(StrEnum):
    """What stands in the way. `NONE`: they sell."""

    NONE = ""
    SUSPENDED = "suspended"


def bar(*, suspended: bool) -> Bar:
    return Bar.SUSPENDED if suspended else Bar.NONE


# For buyers: why it came to this is between the marketplace and its seller.
_BUYERS = {
    Bar.NONE: "",
    Bar.SUSPENDED: "The marketplace has stopped the sales of this seller for now.",
}
_SELLERS = {
    Bar.NONE: "",
    Bar.SUSPENDED: "Your sales are suspended by the marketplace. You read why at the top of this page.",
}


def why_barred(bar: Bar) -> str:
    """For buyers; empty while things are sold."""
    return _BUYERS[bar]


def why_not_yours(bar: Bar) -> str:
    """The same for the seller, of each of their listings."""
    return _SELLERS[bar]
