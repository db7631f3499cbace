"""What the books add up to at the end of each day (UTC), so that what is open at a moment is the last closing before it
and what moved since: nobody adds up all of the past again.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from crossdock.domain.earnings.report import Open
from crossdock.store.models import Closing, Transfer

# A transfer is dated when its transaction began; none of them lasts for a day.
_SETTLED = timedelta(days=1)
_DAYS_AT_ONCE = 400

_CLOSE = """
INSERT INTO store_closing (day, account, currency, minor)
SELECT %(day)s, account, currency, sum(minor) FROM (
  SELECT account, currency, minor FROM store_closing WHERE day = %(before)s
  UNION ALL
  SELECT split_part(e.account, ':', 1), e.currency, e.amount_minor
  FROM store_transfer t JOIN store_entry e ON e.transfer_id = t.id WHERE t.at >= %(since)s AND t.at < %(until)s
) moved GROUP BY account, currency ON CONFLICT DO NOTHING
"""

_OPEN = """
WITH last AS (SELECT max(day) AS day FROM store_closing WHERE day < %(day)s)
SELECT currency, account, sum(minor) FROM (
  SELECT c.currency, c.account, c.minor FROM store_closing c JOIN last ON c.day = last.day
  UNION ALL
  SELECT e.currency, split_part(e.account, ':', 1), e.amount_minor
  FROM store_transfer t JOIN store_entry e ON e.transfer_id = t.id WHERE t.at < %(moment)s
  AND t.at >= coalesce((SELECT (day + 1)::timestamp AT TIME ZONE 'UTC' FROM last), '-infinity')
) moved GROUP BY currency, account ORDER BY currency, account
"""


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def close_days(*, now: datetime) -> int:
    """How many days were closed. Two workers at once write the same; what is left waits for the next night."""
    last = Closing.objects.order_by("-day").values_list("day", flat=True).first()
    if last is None:
        first = Transfer.objects.order_by("at").values_list("at", flat=True).first()
        if first is None:
            return 0
        last = first.astimezone(UTC).date() - timedelta(days=1)
    closed = 0
    while closed < _DAYS_AT_ONCE and _begin(last + timedelta(days=2)) <= now - _SETTLED:
        day = last + timedelta(days=1)
        given = {"day": day, "before": last, "since": _begin(day), "until": _begin(day + timedelta(days=1))}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CLOSE, given)
        last, closed = day, closed + 1
    return closed


def open_at(moment: datetime) -> Iterable[Open]:
    """What each kind of account held just before this moment, by currency; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"moment": moment, "day": moment.astimezone(UTC).date()})
        return [Open(code, account, int(minor)) for code, account, minor in cursor.fetchall()]
