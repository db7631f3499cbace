"""Whether buyers may see what a seller sells. While the marketplace says no, nothing of theirs is found or sold; what
was ordered before goes on.
"""

from enum import StrEnum


class Bar(StrEnum):
    """What stands in the way. `NONE`: they sell."""

    NONE = ""
    SUSPENDED = "suspended"
    APPROVAL = "approval"


def bar(*, suspended: bool, approved: bool) -> Bar:
    """A suspension says more than an approval that is still to come."""
    if suspended:
        return Bar.SUSPENDED
    return Bar.NONE if approved else Bar.APPROVAL


# For buyers: why it came to this is between the marketplace and its seller.
_BUYERS = {
    Bar.NONE: "",
    Bar.SUSPENDED: "The marketplace has stopped the sales of this seller for now.",
    Bar.APPROVAL: "This seller does not sell here yet: the marketplace has not approved them.",
}
_SELLERS = {
    Bar.NONE: "",
    Bar.SUSPENDED: "Your sales are suspended by the marketplace. You read why at the top of this page.",
    Bar.APPROVAL: "The marketplace has not approved you yet. What is left to do stands under “Before you sell”.",
}


def why_barred(bar: Bar) -> str:
    """For buyers; empty while things are sold."""
    return _BUYERS[bar]


def why_not_yours(bar: Bar) -> str:
    """The same for the seller, of each of their listings."""
    return _SELLERS[bar]
