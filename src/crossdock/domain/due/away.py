"""A seller's holidays: from when until when they ship nothing, what buyers can do meanwhile, and what becomes of the
orders that wait.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from crossdock.domain.due.calendar import Calendar
from crossdock.domain.due.ship_by import ship_by, stood_still

LONGEST_AWAY = 366
# How long before they may be planned.
EARLIEST = 366


class AwayMode(StrEnum):
    """PAUSE: nothing of theirs is sold. LATER: it is sold, and ships when they are back."""

    PAUSE = "pause"
    LATER = "later"


class NotAway(ValueError):
    """Why holidays cannot be from and until these days, in words for the seller."""


@dataclass(frozen=True, slots=True)
class Away:
    """`ends` is when they work again, None while nobody knows. `begun`: it holds now."""

    mode: AwayMode
    begins: datetime
    ends: datetime | None
    begun: bool = False

    @property
    def pauses(self) -> bool:
        return self.begun and self.mode is AwayMode.PAUSE


def planned(*, first: date, back: date | None, mode: AwayMode, now: datetime, calendar: Calendar) -> Away:
    """From the begin of the first day, or from now where that is today, until the begin of the day on which they are
    back. Raises NotAway.
    """
    today = calendar.day_of(now)
    if first < today:
        raise NotAway("Your holidays begin today or later.")
    if first > today + timedelta(days=EARLIEST):
        raise NotAway("Your holidays begin within a year.")
    begins = max(calendar.begins(first), now)
    return Away(mode, begins, _back(first, back, mode, today, calendar))


def prolonged(away: Away, *, back: date | None, mode: AwayMode, now: datetime, calendar: Calendar) -> Away:
    """Holidays that have begun, with another end. Raises NotAway."""
    first, today = calendar.day_of(away.begins), calendar.day_of(now)
    return Away(mode, away.begins, _back(first, back, mode, today, calendar), begun=True)


def wanted(
    held: Away | None, *, first: date | None, back: date | None, mode: AwayMode, now: datetime, calendar: Calendar
) -> Away:
    """What a seller's wish makes of the holidays that are `held`. Raises NotAway."""
    if held is not None and held.begun:
        return prolonged(held, back=back, mode=mode, now=now, calendar=calendar)
    if first is None:
        raise NotAway("Say on which day your holidays begin.")
    return planned(first=first, back=back, mode=mode, now=now, calendar=calendar)


def _back(first: date, back: date | None, mode: AwayMode, today: date, calendar: Calendar) -> datetime | None:
    if back is None:
        if mode is AwayMode.LATER:
            raise NotAway("Say when you are back: buyers read from when on their order is shipped.")
        return None
    if back <= first or back <= today:
        raise NotAway("You are back on a day after the first one, and after today.")
    if (back - first).days > LONGEST_AWAY:
        raise NotAway("Holidays last a year at most. Leave the end open if you do not know it.")
    return calendar.begins(back)


def after_break(
    due: datetime, *, placed_at: datetime, days: int, calendar: Calendar, begins: datetime, ends: datetime
) -> datetime:
    """The ship-by of an order when its seller is back: the clock stood still for what was placed before; what was
    placed meanwhile has as long as an order of that moment.
    """
    if placed_at >= begins:
        return max(due, ship_by(placed_at=placed_at, days=days, calendar=calendar, back=ends))
    return stood_still(due, since=begins, back=ends, calendar=calendar)


def expected(
    due: datetime, away: Away | None, *, placed_at: datetime, days: int, calendar: Calendar
) -> datetime | None:
    """The same while they are away, or before they go: None where nobody knows when they are back."""
    if away is None or due < away.begins:
        return due
    if away.ends is None:
        return None
    return after_break(due, placed_at=placed_at, days=days, calendar=calendar, begins=away.begins, ends=away.ends)


def day_words(moment: datetime, calendar: Calendar) -> str:
    """ "7 January"."""
    day = calendar.day_of(moment)
    return f"{day.day} {day:%B}"


def why_paused(away: Away | None, calendar: Calendar) -> str:
    """For buyers; empty while things are sold."""
    if away is None or not away.pauses:
        return ""
    if away.ends is None:
        return "The seller is on holiday. It can be bought again when they are back."
    return f"The seller is on holiday. It can be bought again on {day_words(away.ends, calendar)}."


def ships_from(away: Away | None, calendar: Calendar) -> str:
    """For buyers of somebody who sells while they are away; empty for all others."""
    if away is None or not away.begun or away.mode is not AwayMode.LATER or away.ends is None:
        return ""
    return f"The seller is on holiday: it ships from {day_words(away.ends, calendar)}."
