"""Until when an order has to leave: the one place that says so, and says it in words."""

from datetime import datetime, time, timedelta

from crossdock.domain.due.calendar import Calendar
from crossdock.domain.due.zones import place_of

LONGEST_HANDLING = 30
# Who ships on the same day does so with what came before this; the rest leaves on the next working day.
SAME_DAY_UNTIL = time(14)
# Less than this costs nobody a working day.
SHORTEST_STANDSTILL = timedelta(hours=1)
_LAST_MOMENT = timedelta(seconds=1)


def ship_by(*, placed_at: datetime, days: int, calendar: Calendar, back: datetime | None = None) -> datetime:
    """The end of the seller's `days`-th working day after that of the order. `back`: when a seller who was away by then
    works again; their first working day counts.
    """
    if back is not None and back > placed_at:
        return calendar.ends(calendar.after(calendar.day_of(back - _LAST_MOMENT), days))
    today, local = calendar.day_of(placed_at), calendar.local(placed_at)
    if days == 0 and local.time() < SAME_DAY_UNTIL and calendar.works_on(today):
        return calendar.ends(today)
    return calendar.ends(calendar.after(today, days))


def stood_still(due: datetime, *, since: datetime, back: datetime, calendar: Calendar) -> datetime:
    """The new ship-by of an order that could not leave for a while: each working day that was lost in whole or in part
    is given again. One that was late before stays late.
    """
    if due < since or back - since < SHORTEST_STANDSTILL:
        return due
    left = calendar.between(calendar.day_of(since), calendar.day_of(due))
    return max(due, calendar.ends(calendar.after(calendar.day_of(back - _LAST_MOMENT), left)))


def in_words(due: datetime, calendar: Calendar, *, year: bool = False) -> str:
    """ "Monday, 7 December, end of the day in Berlin"; with its time where it is none of a day's end."""
    local = calendar.local(due)
    ends = calendar.ends(local.date()) == due
    at = "end of the day" if ends else f"{local:%H:%M}"
    return f"{local:%A}, {local.day} {local:%B}{f' {local.year}' if year else ''}, {at} in {place_of(calendar.zone)}"
