"""Staff act as a seller: what begins, ends and traces it.

The deeds themselves are the seller's use-cases, with the member of staff as their actor.
"""

from datetime import datetime, timedelta

from crossdock.domain.roles import Right
from crossdock.store.models import AuditTopic, Seller, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

LASTS = timedelta(minutes=60)


def begin_acting(*, actor: User, seller: Seller, why: str, now: datetime) -> datetime:
    """Until when. The row says why before anything can be done."""
    require(actor, None, "Only staff act as a seller.", Right.ACT)
    if not why.strip():
        raise Invalid("Say why; it stands in the audit log.")
    until = now + LASTS
    detail = {"seller": seller.public_id, "why": why.strip()[:200], "until": until.isoformat(timespec="seconds")}
    note(actor=actor, action="began to act as", subject=seller.name, now=now, detail=detail)
    return until


def end_acting(*, actor: User, seller: str, name: str, how: str, now: datetime) -> None:
    note(actor=actor, action="ended acting as", subject=name, now=now, detail={"seller": seller, "how": how})


def trace_reading(*, actor: User, seller: str, name: str, path: str, order: str, now: datetime) -> None:
    """A page with buyers' names or addresses was opened as the seller."""
    detail = {"seller": seller, "path": path[:300], **({"order": order} if order else {})}
    note(actor=actor, action="read as", subject=name, now=now, detail=detail, topic=AuditTopic.ACCESS)


def trace(*, actor: User, seller: str, name: str, path: str, order: str, now: datetime) -> None:
    """Before the deed, in a transaction of its own: what fails afterwards was tried all the same."""
    detail = {"seller": seller, "path": path[:300], **({"order": order} if order else {})}
    note(actor=actor, action="acted as", subject=name, now=now, detail=detail)
