"""A seller's working days: days of the week, less public holidays and days on which they are closed, in their own time
zone. A day ends with its last second there, summer time or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_LAST = time(23, 59, 59)
# Somebody who is closed for longer than this works again, or an order would never be due.
MOST_CLOSED = 400


@lru_cache(maxsize=1024)
def public_holidays(region: str, year: int) -> Mapping[date, str]:
    """By day, with their names. `region` is a country or one of its states: "DE", "DE-BY". None where nobody knows."""
    # Imported with the first question: it reads a calendar of every country.
    import holidays

    country, _, state = region.partition("-")
    try:
        return dict(holidays.country_holidays(country, subdiv=state or None, years=year, language="en_US"))
    except NotImplementedError:
        return {}


@lru_cache(maxsize=300)
def states_of(country: str) -> Mapping[str, str]:
    """Parts of a country that have holidays of their own: code -> name."""
    import holidays

    found = holidays.list_supported_countries().get(country)
    if not found:
        return {}
    names = holidays.country_holidays(country).get_subdivision_aliases()
    return {code: next(iter(names.get(code) or ()), code) for code in found}


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekdays`: Monday is 0. `region` is whose public holidays are free, or nobody's. `closed` are days besides."""

    zone: str = "UTC"
    weekdays: frozenset[int] = frozenset(range(5))
    region: str = ""
    closed: tuple[Span, ...] = ()

    def works_on(self, day: date) -> bool:
        if day.weekday() not in self.weekdays or (self.region and day in public_holidays(self.region, day.year)):
            return False
        return not any(span.first <= day <= span.last for span in self.closed)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone))

    def day_of(self, moment: datetime) -> date:
        return self.local(moment).date()

    def begins(self, day: date) -> datetime:
        """In UTC. Where clocks jump over midnight, the first moment of the day; where it comes twice, its first."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def ends(self, day: date) -> datetime:
        """The last second of the day, in UTC; where it comes twice, the second one."""
        return datetime.combine(day, _LAST, ZoneInfo(self.zone)).replace(fold=1).astimezone(UTC)

    def after(self, day: date, days: int) -> date:
        """So many working days after this one, at least one."""
        left, closed = max(days, 1), 0
        while left:
            day += _DAY
            works = self.works_on(day)
            closed = 0 if works else closed + 1
            left -= works or closed > MOST_CLOSED
        return day

    def between(self, first: date, last: date) -> int:
        """Working days among these, both included."""
        return sum(self.works_on(first + _DAY * n) for n in range((last - first).days + 1))
