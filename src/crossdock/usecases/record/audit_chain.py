"""Whether the audit log is whole: every row as it was written, none missing, none between; and all of it for export."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

_AT_ONCE = 5000
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
_NAMES = ("no", "id", "at", "actor", "person", "topic", "action", "subject", "detail", "said", "previous", "hash")


@dataclass(frozen=True, slots=True)
class Checked:
    """`broken` is the sentence about the first row that is not right; empty when all are. `head` is the last hash,
    worth keeping elsewhere: who cuts the newest rows off leaves a chain that is whole.
    """

    rows: int
    head_no: int
    head: str
    broken: str = ""
    found_known: bool = True


def verify(*, known: str = "") -> Checked:
    """`known`: a hash that was the head once; it has to be in the chain still."""
    rows, no, head, found = 0, 0, "", not known
    while batch := _asked(_LINKS, [no, _AT_ONCE]):
        for number, entry, previous, kept, there, computed in batch:
            wrong = _wrong(number, entry, previous, kept, there, computed, before=(no, head) if rows else None)
            if wrong:
                return Checked(rows, no, head, wrong)
            rows, no, head = rows + 1, number, kept
            found = found or kept == known
    first, many = _asked(_UNLINKED, [])[0]
    if many:
        return Checked(rows, no, head, f"Row {first} was put in beside the chain, as {many} in all.")
    return Checked(rows, no, head, found_known=found)


def _wrong(
    no: int, entry: int, previous: str, kept: str, there: bool, computed: str, *, before: tuple[int, str] | None
) -> str:
    """The first link that is left may begin after others that were old enough to go."""
    if before is not None and no != before[0] + 1:
        return f"After link {before[0]} the next is {no}: what was between is missing."
    if not there:
        return f"Row {entry} (link {no}) was deleted."
    if before is not None and previous != before[1]:
        return f"Row {entry} (link {no}) does not follow the one before."
    if computed != kept:
        return f"Row {entry} (link {no}) is not as it was written."
    return ""


def exported_rows(*, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """In the chain's order. `hash` is the SHA-256 of `previous` followed by `said`, so anybody can check it."""
    no = 0
    while batch := _asked(_ROWS, [no, since, since, _AT_ONCE]):
        for values in batch:
            row = dict(zip(_NAMES, values, strict=True))
            row["at"], row["detail"] = row["at"].isoformat(), json.loads(row["detail"])
            yield row
        no = batch[-1][0]


def _asked(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
