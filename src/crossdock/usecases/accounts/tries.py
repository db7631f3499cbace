"""How many passwords may be guessed, and by whom: each source has some tries and then has to wait, longer each time.

An account is never locked. A browser in which its owner signed in before is counted alone, so a stranger's guesses
cannot keep the owner out; a stranger is counted by address, and all strangers together by account.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from crossdock.store.models import SignInTry

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=15)
# A source that was quiet so long begins anew.
FORGOTTEN = timedelta(hours=24)
_SWEPT_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Source:
    """Tries that are counted together. `free` come without a wait; the right password `ends` its count, or takes back
    only itself where others share it: whoever knows one password could guess on at all others.
    """

    name: str
    free: int
    ends: bool = False

    @property
    def bucket(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()


def sources(*, email: str, address: str, known_as: str) -> list[Source]:
    """`known_as` names the browser that the account's owner used before, or the session in which they are."""
    who = email.strip().lower()
    if known_as:
        return [Source(f"known:{who}:{known_as}", 10, ends=True)]
    return [
        Source(f"pair:{address}:{who}", 5, ends=True),
        Source(f"address:{address}", 30),
        Source(f"account:{who}", 100),
    ]


def wait_after(failures: int, free: int) -> timedelta:
    """None for the free ones, then 15 s, doubled each time, up to a quarter of an hour."""
    over = failures - free
    return timedelta(0) if over < 0 else min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT)


def begin_try(tried: Sequence[Source], *, now: datetime) -> int:
    """Seconds to wait; 0: it is counted as a failure already, so that a hundred at once are no more than one after
    the other. `end_well` takes it back.
    """
    with transaction.atomic():
        SignInTry.objects.bulk_create(
            [SignInTry(bucket=one.bucket, last_at=now, wait_until=now) for one in tried], ignore_conflicts=True
        )
        rows = SignInTry.objects.select_for_update().filter(bucket__in=[one.bucket for one in tried])
        found = {row.bucket: row for row in rows.order_by("bucket")}
        longest = max((row.wait_until for row in found.values()), default=now)
        if longest > now:
            return math.ceil((longest - now).total_seconds())
        for one in tried:
            row = found[one.bucket]
            row.failures = 1 if row.last_at < now - FORGOTTEN else row.failures + 1
            row.last_at, row.wait_until = now, now + wait_after(row.failures, one.free)
            row.save(update_fields=["failures", "last_at", "wait_until"])
    old = SignInTry.objects.filter(last_at__lt=now - FORGOTTEN).values("pk")[:_SWEPT_AT_ONCE]
    SignInTry.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return 0


def waiting(tried: Sequence[Source], *, now: datetime) -> int:
    """Seconds until the next try is taken."""
    rows = SignInTry.objects.filter(bucket__in=[one.bucket for one in tried]).values_list("wait_until", flat=True)
    return max(0, math.ceil((max(rows, default=now) - now).total_seconds()))


def end_well(tried: Sequence[Source], *, now: datetime) -> None:
    """The password was right."""
    SignInTry.objects.filter(bucket__in=[one.bucket for one in tried if one.ends]).delete()
    shared = SignInTry.objects.filter(bucket__in=[one.bucket for one in tried if not one.ends])
    shared.update(failures=Greatest(F("failures") - 1, 0), wait_until=now)


def wait_in_words(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{seconds} seconds" if seconds < 60 else "a minute" if minutes == 1 else f"{minutes} minutes"
