"""A mail is handed to the mail server."""

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models import AuditTopic, Mail
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import MAIL
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind, a_person_decides
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.telling import Telling


def done(held: Held, outcome: Done, facts: Facts) -> None:
    mail = MAIL.validate_python(held.row.payload).mail
    Mail.objects.filter(pk=mail, sent_at=None).update(sent_at=facts.told.now)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    """Of a mail that belongs to no order nobody else would hear: staff find it in the audit, and why in the command."""
    a_person_decides(held, outcome, told)
    if held.order is not None:
        return
    note(
        actor=None,
        action="mail refused",
        subject=held.row.subject,
        now=told.now,
        # No sentence: it names the address, and these rows cannot be erased.
        detail={"command": held.row.pk},
        topic=AuditTopic.SYSTEM,
    )


KIND = Kind(CommandKind.SEND_MAIL, PartyKind.NOTIFY, MAIL, done=done, refused=refused)
