"""Whom we tell: people by mail, sellers' programs by signed webhooks.

Mails go through Django's mail backend: SMTP when a server is named, the demo's page otherwise. At least once: the
Message-ID is made from the cause, so a mail that a killed worker may have sent is recognised by the reader's program
as the same; a webhook keeps its id.
"""

import asyncio
import hashlib
import smtplib
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import TYPE_CHECKING

from django.core.mail import EmailMessage

from crossdock.domain.capability import Pace
from crossdock.domain.commands import CommandKind, Done, Later, Outcome, Refused, Why
from crossdock.engine.plain import PlainHandler
from crossdock.kit.notify import notifier
from crossdock.store.models import Endpoint, Mail
from crossdock.store.vault import VaultLocked
from crossdock.usecases.outbox.payloads import EVENT, MAIL
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.outcomes.endpoints import secrets_of
from crossdock.usecases.shops.timers import Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

Do = Callable[[Claimed], Awaitable[Outcome]]
BY_MAIL, WEBHOOKS = "mail", "standard_webhooks"
_PACE = Pace(per_second=20, burst=40, parallel=4)


def open_handler(engine: "Engine", party_id: int, due: Due) -> PlainHandler:
    return PlainHandler(engine, _mails(engine) if due.name == BY_MAIL else _events(engine, party_id))


def _mails(engine: "Engine") -> Do:
    async def send(claimed: Claimed) -> Outcome:
        if claimed.kind != CommandKind.SEND_MAIL:
            return Refused(Why.UNSUPPORTED, f"The mail does not know how to do “{claimed.kind}”.")
        mail = await engine.threads.run(Mail.objects.filter(pk=MAIL.validate_python(claimed.payload).mail).first)
        if mail is None:
            return Refused(Why.NOT_FOUND, "The mail was deleted before it was sent.")
        if mail.sent_at is not None:
            return Done(str(mail.pk), already=True)
        return await asyncio.to_thread(_send, mail)

    return send


def _send(mail: Mail) -> Outcome:
    """On a thread of its own: an SMTP server may take its time."""
    name = hashlib.sha256(mail.cause.encode()).hexdigest()[:32]
    message = EmailMessage(mail.subject, mail.body, to=[mail.to], headers={"Message-ID": f"<{name}@crossdock.invalid>"})
    try:
        message.send()
    except (smtplib.SMTPRecipientsRefused, ValueError) as error:
        return Refused(Why.INVALID, f"The mail server does not take mail for {mail.to}: {error}")
    except (smtplib.SMTPException, OSError) as error:
        return Later(f"The mail server did not take the mail: {error}")
    return Done(str(mail.pk))


def _events(engine: "Engine", party_id: int) -> Do:
    """The transport keeps sellers' addresses away from private networks, except where local shops are allowed."""
    line = engine.transport.party(f"hook:{party_id}", _PACE)

    async def send(claimed: Claimed) -> Outcome:
        if claimed.kind != CommandKind.SEND_EVENT:
            return Refused(Why.UNSUPPORTED, f"A webhook does not know how to do “{claimed.kind}”.")
        event = EVENT.validate_python(claimed.payload)
        endpoint = await engine.threads.run(Endpoint.objects.filter(pk=event.endpoint).first)
        if endpoint is None or endpoint.deleted_at is not None:
            return Refused(Why.NOT_FOUND, "The receiver was deleted.")
        at = engine.clock().astimezone(UTC)
        try:
            secrets = secrets_of(endpoint=endpoint, now=at)
        except VaultLocked as locked:
            return Later(str(locked), 300.0)
        return await notifier(WEBHOOKS).deliver(
            line,
            url=endpoint.url,
            secrets=secrets,
            message_id=event.id,
            body=event.body,
            at=at,
        )

    return send
