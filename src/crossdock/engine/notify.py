"""Mails that were written are sent by Django's mail backend: SMTP when a server is named, the demo's page otherwise.

At least once: the Message-ID is made from the cause, so a mail that a killed worker may have sent is recognised by the reader's program as the same.
"""

import asyncio
import hashlib
import smtplib
from typing import TYPE_CHECKING

from django.core.mail import EmailMessage

from crossdock.domain.commands import Done, Later, Outcome, Refused, Why
from crossdock.engine.plain import PlainDesk
from crossdock.store.models import Mail
from crossdock.usecases.upkeep import Due
from crossdock.usecases.work import Claimed

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine


def open_desk(engine: "Engine", party_id: int, due: Due) -> PlainDesk:
    async def send(claimed: Claimed) -> Outcome:
        if claimed.kind != "send_mail":
            return Refused(Why.UNSUPPORTED, f"The mail does not know how to do “{claimed.kind}”.")
        mail = await engine.threads.run(Mail.objects.filter(pk=claimed.payload["mail"]).first)
        if mail is None:
            return Refused(Why.NOT_FOUND, "The mail was deleted before it was sent.")
        if mail.sent_at is not None:
            return Done(str(mail.pk), already=True)
        return await asyncio.to_thread(_send, mail)

    return PlainDesk(engine, send)


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
