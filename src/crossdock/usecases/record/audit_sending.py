"""How far the audit log was sent on, to each receiver: a number of the chain, moved only after the receiver has it. A
worker that dies between the two sends those rows again: each is there at least once, and its `no` tells doubles.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from crossdock.store.models import AuditSending
from crossdock.usecases.record.audit_chain import rows_after

AT_ONCE = 500
# So long one worker has a batch; a receiver is given up on sooner.
LEASE = timedelta(minutes=2)
# After a failure: doubled from the first up to the last.
PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Row:
    no: int
    at: datetime
    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    target: str
    after: int
    rows: tuple[Row, ...]


def begin(*, target: str, now: datetime) -> Batch:
    """What comes next, for one worker at a time; empty while another has it, or the receiver has its pause."""
    AuditSending.objects.bulk_create([AuditSending(target=target)], ignore_conflicts=True)
    with transaction.atomic():
        mine = AuditSending.objects.select_for_update().filter(target=target)
        row = mine.filter(Q(not_before=None) | Q(not_before__lte=now)).first()
        if row is None:
            return Batch(target, 0, ())
        rows = tuple(
            Row(found["no"], datetime.fromisoformat(found["at"]), found["topic"], json.dumps(found))
            for found in rows_after(row.sent_no, most=AT_ONCE)
        )
        if rows:
            row.not_before = now + LEASE
            row.save(update_fields=["not_before"])
    return Batch(target, row.sent_no, rows)


def done(*, batch: Batch, now: datetime) -> None:
    """A batch that another worker sent meanwhile, since this one took too long, moves nothing back."""
    mine = AuditSending.objects.filter(target=batch.target, sent_no__lt=batch.rows[-1].no)
    mine.update(sent_no=batch.rows[-1].no, sent_at=now, not_before=None, failures=0, why="")


def failed(*, batch: Batch, why: str, now: datetime) -> None:
    with transaction.atomic():
        row = AuditSending.objects.select_for_update().get(target=batch.target)
        row.failures, row.why = row.failures + 1, why[:80]
        row.not_before = now + min(LONGEST_PAUSE, PAUSE * 2 ** min(row.failures - 1, 10))
        row.save(update_fields=["failures", "why", "not_before"])


@dataclass(frozen=True, slots=True)
class Behind:
    """`rows` are not sent yet; `since` is when the oldest of them was written."""

    rows: int
    since: datetime | None
    failures: int = 0
    why: str = ""


def behind(*, target: str) -> Behind:
    row = AuditSending.objects.filter(target=target).first()
    sent = row.sent_no if row else 0
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, [sent, sent])
        many, since = cursor.fetchone()
    return Behind(many, since, row.failures if row else 0, row.why if row else "")


# Links have no gaps, so the ends tell how many.
_BEHIND = """
SELECT coalesce(max(last_no) - greatest(%s, min(first_no) - 1), 0),
       (SELECT e.at FROM store_auditlink l JOIN store_auditentry e ON e.id = l.entry_id WHERE l.no > %s
        ORDER BY l.no LIMIT 1)
FROM store_auditends
"""
