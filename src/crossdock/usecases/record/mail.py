"""Writing a mail: the row is kept, a command to the mail party sends it, the demo shows it on a page.

Each ends with the page that it is about and with the site's name, so that nobody has to look for either.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from crossdock.domain.commands import CommandKind
from crossdock.store.ids import public_id
from crossdock.store.models import Command, Mail, Order, Party
from crossdock.store.models.work import PartyKind
from crossdock.store.once import insert_new
from crossdock.usecases.outbox.payloads import MAIL, SendMail
from crossdock.usecases.outbox.queue import command_to, enqueue_all, party_named
from crossdock.usecases.record.brand import site_name

BY_MAIL = "mail"
# Of an account that was deleted.
ERASED = "@erased.invalid"


def write_mail(
    *, cause: str, to: str, subject: str, body: str, now: datetime, order: Order | None = None, path: str = ""
) -> None:
    """Once per cause. Line breaks cannot enter the subject, so no header can be smuggled in.

    `path` is the page that it is about, on this site; of a mail about an order it is the order's own.
    """
    mail = mail_of(cause=cause, to=to, subject=subject, body=body, now=now, order=order, path=path)
    enqueue_all(send_commands([mail], now=now))


def mail_of(
    *, cause: str, to: str, subject: str, body: str, now: datetime, order: Order | None = None, path: str = ""
) -> Mail:
    """Not written yet: who writes several gives them to `send_commands` together."""
    return Mail(
        cause=cause,
        to=to,
        subject=" ".join(subject.split())[:200],
        body=_whole(body, path or _page_of(order, to)),
        order=order,
        written_at=now,
    )


def send_commands(mails: Sequence[Mail], *, now: datetime) -> list[Command]:
    """Writes those that are new, in one statement. The commands that send them are the caller's to write."""
    fresh = insert_new([mail for mail in mails if is_read(mail)], "cause")
    if not fresh:
        return []
    party = post_office()
    return [send_command(mail, party_id=party.pk, now=now) for mail in fresh]


def is_read(mail: Mail) -> bool:
    """Nobody reads what is written to an account that was deleted, so nothing is."""
    return not mail.to.endswith(ERASED)


def post_office() -> Party:
    """Who sends the mails."""
    return party_named(kind=PartyKind.NOTIFY, name=BY_MAIL)


def office(name: str) -> QuerySet[Party]:
    """The same, asked for along with other things; none before the first mail."""
    return Party.objects.filter(kind=PartyKind.NOTIFY, name=name)


def send_command(mail: Mail, *, party_id: int, now: datetime) -> Command:
    """Not written yet; the mail has its key."""
    return command_to(
        party_id=party_id,
        cause=f"mail:{mail.cause}"[:120],
        subject=f"mail:{mail.pk}",
        kind=CommandKind.SEND_MAIL,
        payload=MAIL.dump_python(SendMail(mail.pk), mode="json"),
        now=now,
    )


def _whole(body: str, path: str) -> str:
    """A body that has a link of this site already needs no other."""
    link = "" if not path or f"{settings.BASE_URL}/" in body else f"\n\n{settings.BASE_URL}{path}"
    return f"{body.rstrip()}{link}\n\n{site_name()}\n{settings.BASE_URL}"


def _page_of(order: Order | None, to: str) -> str:
    if order is None:
        return ""
    return f"/orders/{order.public_id}/" if to == order.buyer.email else f"/seller/orders/{order.public_id}/"


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
