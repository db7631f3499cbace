"""Whether the audit log is whole: every row as it was written, none missing at either end or between, none put in; all
of it for export; and how it is shortened when its oldest rows had their time.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from crossdock.store.models import AuditEntry, AuditTopic
from crossdock.usecases.record.audit import note

_AT_ONCE = 5000
SHORTENED = "audit log shortened"
_LINKS = """
SELECT l.no, l.entry_id, l.previous, l.hash, e.id IS NOT NULL, store_audit_hash(l.previous, e)
FROM store_auditlink l LEFT JOIN store_auditentry e ON e.id = l.entry_id
WHERE l.no > %s ORDER BY l.no LIMIT %s
"""
_UNLINKED = """
SELECT min(e.id), count(*) FROM store_auditentry e
WHERE NOT EXISTS (SELECT 1 FROM store_auditlink l WHERE l.entry_id = e.id)
"""
_ROWS = """
SELECT l.no, e.id, e.at, e.actor_id, e.person_id, e.topic, e.action, e.subject, e.detail::text, store_audit_said(e),
       l.previous, l.hash
FROM store_auditlink l JOIN store_auditentry e ON e.id = l.entry_id
WHERE l.no > %s AND (%s::timestamptz IS NULL OR e.at >= %s) ORDER BY l.no LIMIT %s
"""
_ENDS = "SELECT first_no, first_previous, last_no, last_hash FROM store_auditends"
# Up to the first that has to stay. The newest always stays: what comes next goes on from it.
_STAYS = """
SELECT l.no FROM store_auditlink l JOIN store_auditentry e ON e.id = l.entry_id WHERE e.at >= %s ORDER BY l.no LIMIT 1
"""
_CUT = """
DELETE FROM store_auditentry e USING store_auditlink l WHERE l.entry_id = e.id AND l.no < %s;
DELETE FROM store_auditlink WHERE no < %s;
"""
# Under the lock that links are made under: whoever commits meanwhile holds it, and the row of the ends after it.
_BEGIN = """
SELECT pg_advisory_xact_lock(x'61756469'::int);
UPDATE store_auditends SET (first_no, first_previous) = (SELECT no, previous FROM store_auditlink WHERE no = %s);
"""
_NAMES = ("no", "id", "at", "actor", "person", "topic", "action", "subject", "detail", "said", "previous", "hash")


@dataclass(frozen=True, slots=True)
class Checked:
    """`broken` is the sentence about the first row that is not right; empty when all are. `head` is the last hash,
    worth keeping elsewhere: whoever owns the database can take the guards off and write all of it anew.
    """

    rows: int
    head_no: int
    head: str
    broken: str = ""
    found_known: bool = True


def verify(*, known: str = "") -> Checked:
    """`known`: a hash that was the head once; it has to be in the chain still."""
    while True:
        ends = _ends()
        checked = _verified(ends, known)
        now = _ends()
        if not checked.broken or not ends or not now or now[0] == ends[0]:
            return checked
        # It was shortened while it was read: once more.


def _ends() -> "tuple[int, str, int, str] | None":
    found = _asked(_ENDS, [])
    return found[0] if found else None


def _verified(ends: tuple[int, str, int, str] | None, known: str) -> Checked:
    """Links that are made meanwhile lie behind `ends`."""
    rows, no, head, found = 0, 0, "", not known
    last = ""
    while batch := _asked(_LINKS, [no, _AT_ONCE]):
        for number, entry, previous, kept, there, computed in batch:
            before = (no, head) if rows else (ends[0] - 1, ends[1]) if ends else None
            wrong = _wrong(number, entry, previous, kept, there, computed, before=before, begins=not rows)
            if wrong:
                return Checked(rows, no, head, wrong)
            rows, no, head = rows + 1, number, kept
            last = kept if ends and number == ends[2] else last
            found = found or kept == known
    first, many = _asked(_UNLINKED, [])[0]
    if many:
        return Checked(rows, no, head, f"Row {first} was put in beside the chain, as {many} in all.")
    return Checked(rows, no, head, _ends_wrong(ends, rows, no, last), found_known=found)


def _ends_wrong(ends: tuple[int, str, int, str] | None, rows: int, no: int, last: str) -> str:
    if ends is None:
        return "" if not rows else "The row that says where the chain begins and ends was deleted."
    if not rows:
        return f"All rows up to link {ends[2]} are missing."
    if no < ends[2]:
        return f"The chain ends at link {no} instead of {ends[2]}: the newest rows are missing."
    if last != ends[3]:
        return f"Link {ends[2]} is not the one that was written: its hash is another."
    if ends[0] > 1 and not AuditEntry.objects.filter(action=SHORTENED, detail__first_no=ends[0]).exists():
        return f"The chain begins at link {ends[0]}, and no row says that the older ones had had their time."
    return ""


def _wrong(
    no: int,
    entry: int,
    previous: str,
    kept: str,
    there: bool,
    computed: str,
    *,
    before: tuple[int, str] | None,
    begins: bool,
) -> str:
    if before is not None and no != before[0] + 1 and begins:
        return f"The chain begins at link {no} instead of {before[0] + 1}: what was before is missing."
    if before is not None and no != before[0] + 1:
        return f"After link {before[0]} the next is {no}: what was between is missing."
    if not there:
        return f"Row {entry} (link {no}) was deleted."
    if before is not None and previous != before[1]:
        return f"Row {entry} (link {no}) does not follow the one before."
    if computed != kept:
        return f"Row {entry} (link {no}) is not as it was written."
    return ""


def shorten(*, older_than: datetime, now: datetime, most: int) -> int:
    """Whole links from the beginning on, in one transaction with a row that says where the chain begins now. How many
    rows went.
    """
    with transaction.atomic():
        ends = _asked(_ENDS, [])
        if not ends:
            return 0
        first, _, last, _ = ends[0]
        stays = _asked(_STAYS, [older_than])
        begin = min(stays[0][0] if stays else last, first + most)
        if begin <= first:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_CUT, [begin, begin])
            note(
                actor=None,
                action=SHORTENED,
                subject=f"{begin - first} rows up to {older_than:%Y-%m-%d}",
                now=now,
                detail={"first_no": begin, "removed": begin - first},
                topic=AuditTopic.SYSTEM,
            )
            cursor.execute(_BEGIN, [begin])
    return int(begin - first)


def exported_rows(*, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """In the chain's order. `hash` is the SHA-256 of `previous` followed by `said`, so anybody can check it."""
    no = 0
    while batch := rows_after(no, since=since, most=_AT_ONCE):
        yield from batch
        no = batch[-1]["no"]


def rows_after(no: int, *, most: int, since: datetime | None = None) -> list[dict[str, Any]]:
    """Those that come next in the chain, as they are exported."""
    found = [dict(zip(_NAMES, values, strict=True)) for values in _asked(_ROWS, [no, since, since, most])]
    return [row | {"at": row["at"].isoformat(), "detail": json.loads(row["detail"])} for row in found]


def _asked(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
