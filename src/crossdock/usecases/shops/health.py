"""Which connected shops are not as they should be, and why: told by one function, so that the seller's page, staff's
board and /healthz agree.

A shop waits for its seller (signed out), does not answer (failing), a stream of it is overdue though nobody saw an
error (late), or something of it stands in quarantine (odd). The worst one is told: it explains the others.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection as database
from django.db.models import Count, Max, Min, Q, QuerySet

from crossdock.domain.alerts import AlertCode
from crossdock.domain.health import ODD, ODD_AFTER, PATIENCE, UNFINISHED, Late, Promise, Stream, odd_in_words, overdue
from crossdock.store.models import Connection, Cursor, Delivery, Quarantined
from crossdock.store.models.quarantine import STANDING
from crossdock.store.models.shops import ConnectionState

# A worker tells of itself every ten seconds; one that is silent for so long does nothing.
WORKER_SILENT_SECONDS = 120.0
# Rows that are read of each stream; more than these are one trouble of ours, whatever each of them is.
MOST = 20_000


class Trouble(StrEnum):
    SIGNED_OUT = "signed_out"
    FAILING = "failing"
    LATE = "late"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Ill:
    """One shop that is not as it should be. `error` is the same for shops with the same trouble."""

    shop: int
    platform: str
    trouble: Trouble
    since: datetime
    error: str
    late: tuple[Late, ...] = ()
    said: str = ""

    @property
    def sentence(self) -> str:
        return " ".join(late.sentence for late in self.late) or self.said or self.error


def not_working(*, now: datetime, only: Iterable[int] | None = None) -> dict[int, Ill]:
    """Connection -> what is wrong with it, of the shops that should work now. Paused and disconnected ones are so by
    wish. Five statements, however many shops there are.
    """
    some = None if only is None else list(only)
    shops = Connection.objects.all() if some is None else Connection.objects.filter(pk__in=some)
    found = {ill.shop: ill for ill in _told(shops, now=now)}
    odd = _odd(shops, now=now)
    late: dict[int, list[Late]] = defaultdict(list)
    platforms: dict[int, str] = {}
    for pk, platform, promise in (*_timers(shops, now=now), *_commands(some, now=now), *_deliveries(shops, now=now)):
        one = overdue(promise, now=now)
        if one is not None and pk not in found:
            late[pk].append(one)
            platforms[pk] = platform
    for pk, streams in late.items():
        ordered = tuple(sorted(streams, key=lambda each: list(Stream).index(each.stream)))
        since = min(each.since for each in ordered)
        found[pk] = Ill(pk, platforms[pk], Trouble.LATE, since, ordered[0].what, ordered)
    for ill in odd:
        found.setdefault(ill.shop, ill)
    return found


@dataclass(frozen=True, slots=True)
class Shops:
    """All connected shops in figures. `late_streams` counts the overdue streams by name; `late_since` is the oldest."""

    connected: int
    healthy: int
    signed_out: int
    failing: int
    late: int
    odd: int
    late_streams: dict[str, int]
    late_since: datetime | None


def shops_now(*, now: datetime) -> Shops:
    ill = not_working(now=now).values()
    by = Counter(one.trouble for one in ill)
    by_stream = Counter(late.stream.value for one in ill for late in one.late)
    since = min((one.since for one in ill if one.trouble is Trouble.LATE), default=None)
    open_ones = Connection.objects.filter(state__in=[ConnectionState.ACTIVE, ConnectionState.NEEDS_REAUTH]).count()
    healthy = max(0, open_ones - len(ill))
    return Shops(
        connected=open_ones,
        healthy=healthy,
        signed_out=by[Trouble.SIGNED_OUT],
        failing=by[Trouble.FAILING],
        late=by[Trouble.LATE],
        odd=by[Trouble.ODD],
        late_streams=dict(by_stream),
        late_since=since,
    )


Row = tuple[int, str, Promise]


def _told(shops: QuerySet[Connection], *, now: datetime) -> list[Ill]:
    """Those that said so themselves. A shop that asks to sign in again fails since its alert was raised."""
    raised = Max(
        "alerts__raised_at", filter=Q(alerts__code=AlertCode.SIGN_IN_AGAIN, alerts__settled_at=None, alerts__order=None)
    )
    told = Q(state=ConnectionState.NEEDS_REAUTH) | Q(state=ConnectionState.ACTIVE, party__failing_since__isnull=False)
    rows = shops.filter(told).annotate(raised=raised).order_by("-pk")
    values = rows.values_list(
        "pk", "platform", "state", "raised", "state_sentence", "party__failing_since", "party__last_error"
    )
    return [
        Ill(pk, platform, Trouble.SIGNED_OUT, asked or now, said)
        if state == ConnectionState.NEEDS_REAUTH
        else Ill(pk, platform, Trouble.FAILING, since or now, error)
        for pk, platform, state, asked, said, since, error in values[:MOST]
    ]


def _timers(shops: QuerySet[Connection], *, now: datetime) -> list[Row]:
    active = shops.filter(state=ConnectionState.ACTIVE)
    rows = Cursor.objects.filter(due_by__lt=now, connection__in=active).order_by("due_by")
    values = rows.values_list("connection_id", "connection__platform", "stream", "completed_at", "due_by")
    return [
        (pk, platform, Promise(Stream(stream), done, due))
        for pk, platform, stream, done, due in values[:MOST]
        if stream in set(Stream)
    ]


# A command behind an unfinished one of its subject waits for that one; a dead one has an alert of its own.
_COMMANDS = """
SELECT c.id, c.platform, count(*), min(m.created_at) FROM store_command m
JOIN store_connection c ON c.party_id = m.party_id AND c.state = 'active'
WHERE m.state IN ('waiting', 'in_flight') AND (%(only)s::bigint[] IS NULL OR c.id = ANY(%(only)s))
  AND ((m.state = 'waiting' AND m.due_at < %(stuck)s) OR (m.state = 'in_flight' AND m.last_sent_at < %(stuck)s)
    OR (m.attempts > 0 AND m.created_at < %(unfinished)s))
  AND NOT EXISTS (SELECT 1 FROM store_command e WHERE e.party_id = m.party_id AND e.subject = m.subject
    AND e.id < m.id AND e.state IN ('waiting', 'in_flight', 'dead'))
GROUP BY c.id, c.platform ORDER BY c.id LIMIT %(most)s
"""


def _commands(only: list[int] | None, *, now: datetime) -> list[Row]:
    asked = {
        "only": only,
        "stuck": now - PATIENCE[Stream.COMMANDS],
        "unfinished": now - UNFINISHED,
        "most": MOST,
    }
    with database.cursor() as cursor:
        cursor.execute(_COMMANDS, asked)
        rows = cursor.fetchall()
    return [_waits(row, Stream.COMMANDS) for row in rows]


def _deliveries(shops: QuerySet[Connection], *, now: datetime) -> list[Row]:
    active = shops.filter(state=ConnectionState.ACTIVE)
    old = Delivery.objects.filter(
        handled_at=None, received_at__lt=now - PATIENCE[Stream.DELIVERIES], party__connection__in=active
    )
    grouped = old.order_by().values("party__connection__pk", "party__connection__platform")
    rows = grouped.annotate(many=Count("pk"), first=Min("received_at"))
    values = rows.values_list("party__connection__pk", "party__connection__platform", "many", "first")
    return [_waits(row, Stream.DELIVERIES) for row in values[:MOST]]


def _odd(shops: QuerySet[Connection], *, now: datetime) -> list[Ill]:
    """Those with something in quarantine for longer than a few tries. What staff dismissed is left alone."""
    active = shops.filter(state=ConnectionState.ACTIVE)
    old = Quarantined.objects.filter(state__in=STANDING, first_at__lt=now - ODD_AFTER, connection__in=active)
    grouped = old.order_by().values("connection_id", "connection__platform")
    rows = grouped.annotate(many=Count("pk"), first=Min("first_at"))
    values = rows.values_list("connection_id", "connection__platform", "many", "first")
    return [
        Ill(pk, platform, Trouble.ODD, first, ODD, said=odd_in_words(many, since=first, now=now))
        for pk, platform, many, first in values[:MOST]
    ]


def _waits(row: tuple[int, str, int, datetime], stream: Stream) -> Row:
    """The oldest of these rows has waited longer than the stream's patience: that is how it was found."""
    pk, platform, many, first = row
    return pk, platform, Promise(stream, first, first + PATIENCE[stream], many)


_LAST_SIGN = "SELECT extract(epoch FROM now() - max(last_heartbeat))::float8 FROM procrastinate_workers"


def worker_age() -> float | None:
    """Seconds since a worker told of itself; None when none was ever seen or the newest one signed off."""
    with database.cursor() as cursor:
        cursor.execute(_LAST_SIGN)
        age: float | None = cursor.fetchone()[0]
    return age


def worker_works() -> bool:
    age = worker_age()
    return age is not None and age < WORKER_SILENT_SECONDS
