"""What a shop's news says about the shop itself: when something last happened there, how long it took until it was
known here, and whether its webhooks can be relied on.

A shop at rest writes nothing of this.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least

from crossdock.domain.health import Stream
from crossdock.store.models import Connection, Cursor, NewsLag

# Activity is written at most this often.
_STIR = timedelta(minutes=1)
# A delivery may come so much later than what it tells of; a poll that knew it before proves nothing.
TOLD_WITHIN = timedelta(minutes=3)
_DAY = timedelta(days=1)


def stir(*, connection_id: int, soon: timedelta | None, now: datetime) -> bool:
    """Something happened: a sale here, news from the shop, a person looking. A shop that was at rest is asked after
    `soon` instead of at its next time; None leaves its times alone (the operator chose them).
    """
    quiet = Connection.objects.filter(Q(active_at=None) | Q(active_at__lt=now - _STIR), pk=connection_id)
    if not quiet.update(active_at=now):
        return False
    if soon is not None:
        earliest = Greatest(Coalesce(F("asked_at"), Value(now)) + soon, Value(now))
        polled = Cursor.objects.filter(connection_id=connection_id, stream__in=[Stream.ORDERS, Stream.PRODUCTS])
        polled.update(due_at=Least(F("due_at"), earliest))
    return True


def known_now(
    *, connection_id: int, stream: Stream, moments: Iterable[datetime], now: datetime, measure: bool = True
) -> tuple[datetime, ...]:
    """The shop's own times of what was just taken in. Returns those that are later than all before, oldest first: that
    is news. What happened before the shop was connected is none.
    """
    told = sorted(moments)
    if not told:
        return ()
    with transaction.atomic():
        rows = Cursor.objects.select_for_update(no_key=True, of=("self",)).select_related("connection")
        row = rows.filter(connection_id=connection_id, stream=stream).first()
        if row is None or (row.newest_at is not None and row.newest_at >= told[-1]):
            return ()
        begun = row.connection.created_at
        fresh = tuple(at for at in told if at > max(begun, row.newest_at or begun))
        row.newest_at = told[-1]
        row.save(update_fields=["newest_at"])
        if measure:
            took = [max(0, (now - at) // timedelta(milliseconds=1)) for at in fresh]
            NewsLag.objects.bulk_create(NewsLag(connection_id=connection_id, at=now, milliseconds=ms) for ms in took)
    return fresh if measure else ()


def proven(*, connection_id: int, now: datetime) -> bool:
    """All subscriptions were active at the last audit, and a delivery arrived since they were last mended or found
    silent.
    """
    shop = Connection.objects.only("hooks", "hooks_checked_at", "last_delivery_at").get(pk=connection_id)
    hooks = shop.hooks or {}
    expected, active, after = hooks.get("expected", []), hooks.get("active", []), hooks.get("proven_after")
    if not expected or set(expected) - set(active) or shop.hooks_checked_at is None or shop.last_delivery_at is None:
        return False
    audited = now - shop.hooks_checked_at < timedelta(hours=3)
    return audited and after is not None and shop.last_delivery_at > datetime.fromisoformat(after)


def missed(*, connection_id: int, fresh: Iterable[datetime], now: datetime) -> bool:
    """A poll found what no delivery told of, long after it happened: the subscriptions are proven no more, until one
    arrives again, and are looked after now.
    """
    old = [at for at in fresh if now - at > TOLD_WITHIN]
    if not old:
        return False
    with transaction.atomic():
        shop = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
        if not shop.hooks or (shop.last_delivery_at is not None and shop.last_delivery_at >= max(old)):
            return False
        shop.hooks = {**shop.hooks, "proven_after": now.isoformat()}
        shop.save(update_fields=["hooks"])
        Cursor.objects.filter(connection_id=connection_id, stream=Stream.HOOKS).update(due_at=now)
    return True


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds until half of a day's events, and until 95 of 100, were known. None: there were none."""

    many: int
    p50: float | None
    p95: float | None


_NEWS = """
SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY milliseconds) / 1000.0,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY milliseconds) / 1000.0
FROM store_newslag WHERE connection_id = %s AND at > %s
"""
_READ_BACK = """
SELECT count(*), extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY equal_at - intended_at)),
  extract(epoch FROM percentile_disc(0.95) WITHIN GROUP (ORDER BY equal_at - intended_at))
FROM store_shopcopy WHERE connection_id = %s AND equal_at > %s
"""


def lags(*, connection_id: int, now: datetime) -> tuple[Lag, Lag]:
    """Over the last day: (something happened in the shop until it was known here, an order was placed here until it was
    read back equal). By the shop's own clock, so a clock that is wrong there shows.
    """
    found = []
    with database.cursor() as cursor:
        for sql in (_NEWS, _READ_BACK):
            cursor.execute(sql, [connection_id, now - _DAY])
            many, p50, p95 = cursor.fetchone()
            found.append(Lag(many, None if p50 is None else float(p50), None if p95 is None else float(p95)))
    return found[0], found[1]
