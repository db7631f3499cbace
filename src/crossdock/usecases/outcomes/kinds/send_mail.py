"""A mail is handed to the mail server."""

from crossdock.domain.commands import CommandKind, Done
from crossdock.store.models import Mail
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import MAIL
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind


def done(held: Held, outcome: Done, facts: Facts) -> None:
    mail = MAIL.validate_python(held.row.payload).mail
    Mail.objects.filter(pk=mail, sent_at=None).update(sent_at=facts.told.now)


KIND = Kind(CommandKind.SEND_MAIL, PartyKind.NOTIFY, MAIL, done=done)
