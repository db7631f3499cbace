"""Mails go out: those that are due at the same time are read, sent and written down together.

They go through Django's mail backend: SMTP when a server is named, the demo's page otherwise. Each is a try of its own
with an outcome of its own, so an address that is refused concerns that mail alone. At least once: the Message-ID is
made from the cause, so a mail that a killed worker may have sent is recognised by the reader's program as the same. No
more are ever sent and not yet written down than the handler carries out side by side.
"""

import asyncio
import hashlib
import smtplib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from crossdock.domain.commands import CommandKind, Done, Later, Outcome, Refused, Why
from crossdock.engine.plain import PlainHandler
from crossdock.store.models import Mail
from crossdock.usecases.outbox.payloads import MAIL
from crossdock.usecases.outcomes import settle, settle_mails
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties.quarantine import of_database

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

T = TypeVar("T")
R = TypeVar("R")
# A slow server's mails are written down as they go.
_TOGETHER_SECONDS = 2.0


class Gathered(Generic[T, R]):
    """What is asked for while `do` is under way goes together the next time. It answers for at least the first; the
    others are asked about again. Whoever stops waiting is left out.
    """

    def __init__(self, do: Callable[[list[T]], Awaitable[Sequence[R | Exception]]]) -> None:
        self._do = do
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def ended(self) -> None:
        """What is under way is over."""
        if self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            # Those that begin in the same turn are there now.
            await asyncio.sleep(0)
            while batch := [(item, future) for item, future in self._waiting if not future.done()]:
                self._waiting = []
                answers: Sequence[R | Exception]
                try:
                    answers = await self._do([item for item, _ in batch])
                except Exception as error:
                    answers = [error] * len(batch)
                for (_, future), answer in zip(batch, answers, strict=False):
                    _answer(future, answer)
                self._waiting = [*batch[len(answers) :], *self._waiting]
        finally:
            self._running = None


def _answer(future: asyncio.Future[R], answer: R | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class MailHandler(PlainHandler):
    def __init__(self, engine: "Engine") -> None:
        super().__init__(engine, Gathered[Claimed, Outcome](self._send))
        self._settled = Gathered[tuple[int, Outcome], None](self._settle_all)

    async def _send(self, claimed: list[Claimed]) -> list[Outcome]:
        engine, kinds = self._engine, {one.id: one.kind for one in claimed}
        wanted = {
            one.id: MAIL.validate_python(one.payload).mail for one in claimed if one.kind == CommandKind.SEND_MAIL
        }
        mails = await engine.threads.run(Mail.objects.in_bulk, list(wanted.values()))
        known: list[Mail | Outcome] = []
        for one in claimed:
            if one.id not in wanted:
                known.append(Refused(Why.UNSUPPORTED, f"The mail does not know how to do “{kinds[one.id]}”."))
            else:
                known.append(_to_send(wanted[one.id], mails))
        return await asyncio.to_thread(_send_all, known, lambda: engine.stopping)

    async def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        await self._settled((claimed.id, outcome))

    async def _settle_all(self, outcomes: list[tuple[int, Outcome]]) -> list[Exception | None]:
        engine = self._engine
        try:
            await engine.threads.sure(
                settle_mails.settle_mails, outcomes=dict(outcomes), random=engine.random, now=engine.clock()
            )
        except Exception as error:
            if of_database(error) or len(outcomes) == 1:
                raise
            return [await self._settle_one(command_id, outcome) for command_id, outcome in outcomes]
        return [None] * len(outcomes)

    async def close(self) -> None:
        """What was sent is written down."""
        await self._settled.ended()

    async def _settle_one(self, command_id: int, outcome: Outcome) -> Exception | None:
        """One that trips takes no other with it."""
        engine = self._engine
        try:
            await engine.threads.sure(
                settle.settle_command, command_id=command_id, outcome=outcome, random=engine.random, now=engine.clock()
            )
        except Exception as error:
            return error
        return None


def _to_send(key: int, mails: Mapping[int, Mail]) -> Mail | Outcome:
    mail = mails.get(key)
    if mail is None:
        return Refused(Why.NOT_FOUND, "The mail was deleted before it was sent.")
    return mail if mail.sent_at is None else Done(str(mail.pk), already=True)


def _send_all(known: Sequence[Mail | Outcome], stopping: Callable[[], bool]) -> list[Outcome]:
    """On a thread of its own, in their order and over one connection: an SMTP server may take its time."""
    began, outcomes = time.monotonic(), list[Outcome]()
    line = get_connection()
    try:
        for one in known:
            if outcomes and (stopping() or time.monotonic() - began > _TOGETHER_SECONDS):
                break
            outcomes.append(_send_one(line, one) if isinstance(one, Mail) else one)
    finally:
        _hang_up(line)
    return outcomes


def _send_one(line: BaseEmailBackend, mail: Mail) -> Outcome:
    name = hashlib.sha256(mail.cause.encode()).hexdigest()[:32]
    headers = {"Message-ID": f"<{name}@crossdock.invalid>"}
    try:
        line.open()
        EmailMessage(mail.subject, mail.body, to=[mail.to], headers=headers, connection=line).send()
    except (smtplib.SMTPRecipientsRefused, ValueError) as error:
        _hang_up(line)
        return Refused(Why.INVALID, f"The mail server does not take mail for {mail.to}: {error}")
    except (smtplib.SMTPException, OSError) as error:
        # What the connection is good for now nobody knows; the next mail gets a fresh one.
        _hang_up(line)
        return Later(f"The mail server did not take the mail: {error}")
    return Done(str(mail.pk))


def _hang_up(line: BaseEmailBackend) -> None:
    try:
        line.close()
    except (smtplib.SMTPException, OSError):
        # Django's own has forgotten the connection by now.
        return
