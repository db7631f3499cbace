"""The audit log: one row for every deed of staff and for what guards an account, written in the deed's own transaction.
Rows are only ever added; the database links each to the one before.
"""

from datetime import datetime
from typing import Any

from crossdock.store.models import AuditEntry, AuditTopic, User


def note(
    *,
    actor: User | None,
    action: str,
    subject: str,
    now: datetime,
    detail: dict[str, Any] | None = None,
    topic: AuditTopic = AuditTopic.STAFF,
    person: User | None = None,
) -> None:
    """`action` is a few words that repeat ("resent"), `subject` what it was done to as people name it ("#10482"); ids
    go into `detail`. Whose account it was done to is `person`, never an address in the words: rows cannot be erased.
    """
    AuditEntry.objects.create(
        at=now,
        actor=actor,
        action=action[:60],
        subject=subject[:120],
        detail=detail or {},
        topic=topic,
        person=person,
    )


def settings_note(
    *, actor: User | None, action: str, subject: str, now: datetime, detail: dict[str, Any] | None = None
) -> None:
    """What a seller set up, and who did it."""
    note(actor=actor, action=action, subject=subject, now=now, detail=detail, topic=AuditTopic.SETTINGS)


def exported(*, actor: User, what: str, now: datetime, detail: dict[str, Any] | None = None) -> None:
    """Data left the house as a file."""
    note(actor=actor, action="exported", subject=what, now=now, detail=detail, topic=AuditTopic.ACCESS)
