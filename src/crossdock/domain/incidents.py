"""One incident per platform failing: when many shops of one platform stop working at about the same time, it is the
platform, not the shops.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

# Shops are asked every few minutes, so that a platform's trouble is seen by all of them within this time.
APART = timedelta(minutes=15)
# Two shops may fail together by chance; fewer than this is no incident.
LEAST = 3


@dataclass(frozen=True, slots=True)
class Failing:
    """One shop that does not work. `shop` is its id here, `error` what was heard last."""

    platform: str
    shop: int
    since: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Incident:
    """`first` and `newest` are when the first and the last of the shops began to fail; `error` is what most of them
    heard.
    """

    platform: str
    shops: tuple[int, ...]
    of: int
    first: datetime
    newest: datetime
    error: str


def incidents(failing: Iterable[Failing], *, of: Mapping[str, int]) -> list[Incident]:
    """Newest first.

    `of` is how many connected shops each platform has. A run ends where nothing more fails for APART.
    """
    ordered = sorted(failing, key=lambda one: (one.platform, one.since, one.shop))
    found: list[Incident] = []
    for platform, group in groupby(ordered, key=lambda one: one.platform):
        run: list[Failing] = []
        for one in group:
            if run and one.since - run[-1].since > APART:
                found += _incident(platform, run, of)
                run = []
            run.append(one)
        found += _incident(platform, run, of)
    return sorted(found, key=lambda incident: incident.first, reverse=True)


def _incident(platform: str, run: list[Failing], of: Mapping[str, int]) -> list[Incident]:
    if len(run) < LEAST:
        return []
    error = Counter(one.error for one in run).most_common(1)[0][0]
    shops = tuple(one.shop for one in run)
    return [Incident(platform, shops, max(of.get(platform, 0), len(run)), run[0].since, run[-1].since, error)]
