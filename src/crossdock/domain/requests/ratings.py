"""Ratings: what a buyer says of a seller once an order has arrived; from when, until when, and what they come to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from crossdock.domain.requests.withdrawals import Sale

BEST = 5
LONGEST = 1000
# After we heard that its last parcel left, an order counts as arrived where nobody knows.
ARRIVES_WITHIN = timedelta(days=7)
OPEN_FOR = timedelta(days=90)
# What the stars mean, as a buyer chooses them and a reader hears them.
WORDS = {5: "Very good", 4: "Good", 3: "Neither good nor bad", 2: "Bad", 1: "Very bad"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one rating. `down`: staff took it down; `reported`: it waits for them."""

    down: bool = False
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Rated:
    """Of one seller: how many ratings are shown, and the sum of their stars."""

    ratings: int = 0
    stars: int = 0

    @property
    def average(self) -> Decimal | None:
        """With one digit, a half rounded up; None without a rating."""
        if not self.ratings:
            return None
        return (Decimal(self.stars) / self.ratings).quantize(Decimal("0.1"), ROUND_HALF_UP)


def opens(sale: Sale) -> datetime | None:
    """From when it can be rated; None while nothing left. No word of who is rated shuts that time."""
    heard = sale.heard_at or sale.left_at
    if heard is None:
        return None
    return sale.delivered_at or heard + ARRIVES_WITHIN


def why_not_rate(sale: Sale, now: datetime) -> str:
    """Empty when its buyer may say, or change, what they think of the seller."""
    first = opens(sale)
    if first is None:
        return "Nothing of this order was shipped, so there is nothing to rate yet."
    if now < first:
        return f"You can rate the seller when it has arrived, or from {first:%d %B %Y} on."
    if now >= first + OPEN_FOR:
        return f"The time to rate this order ended on {first + OPEN_FOR:%d %B %Y}."
    return ""


def why_not_change(standing: Standing) -> str:
    """Empty while the rating is its buyer's to change or take back."""
    if standing.down:
        return "Our staff took this rating down, so it cannot be changed. Write to us if you think that is wrong."
    return ""


def why_no_stars(stars: int | None) -> str:
    """Empty for one to five."""
    return "" if stars in WORDS else "Choose how it was, from one star to five."


def why_not_decide(standing: Standing, *, down: bool) -> str:
    """Empty when staff may take it down (`down`), or dismiss the report or put it back."""
    if down and standing.down:
        return "It was taken down meanwhile. See what was written."
    if not down and not (standing.down or standing.reported):
        return "Somebody decided it meanwhile. Look at it as it is now."
    return ""
