"""The audit log: one row for every deed of staff, written in the deed's own transaction. Rows are only ever added."""

from datetime import datetime
from typing import Any

from crossdock.store.models import AuditEntry, User


def note(*, actor: User | None, action: str, subject: str, now: datetime, detail: dict[str, Any] | None = None) -> None:
    """`action` is a few words that repeat ("resent"), `subject` what it was done to as people name it ("#10482"); ids
    go into `detail`.
    """
    AuditEntry.objects.create(at=now, actor=actor, action=action[:60], subject=subject[:120], detail=detail or {})
