"""Writing a mail: the row is kept, a command to the mail party sends it, the demo shows it on a page."""

from datetime import datetime

from crossdock.store.ids import public_id
from crossdock.store.models import Mail, Order
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox import enqueue, party_named


def write_mail(*, cause: str, to: str, subject: str, body: str, now: datetime, order: Order | None = None) -> None:
    """Once per cause. Line breaks cannot enter the subject, so no header can be smuggled in."""
    mail, fresh = Mail.objects.get_or_create(
        cause=cause,
        defaults={
            "to": to,
            "subject": " ".join(subject.split())[:200],
            "body": body,
            "order": order,
            "written_at": now,
        },
    )
    if fresh:
        enqueue(
            party=party_named(kind=PartyKind.NOTIFY, name="mail"),
            cause=f"mail:{cause}"[:120],
            subject=f"mail:{mail.pk}",
            kind="send_mail",
            payload={"mail": mail.pk},
            now=now,
        )


def keep_mail(*, to: str, subject: str, body: str, now: datetime) -> None:
    """A mail that nobody sends (no server is named): kept for the demo's page, without a command."""
    Mail.objects.create(
        cause=f"kept:{public_id()}",
        to=to,
        subject=" ".join(subject.split())[:200],
        body=body,
        written_at=now,
        sent_at=now,
    )
