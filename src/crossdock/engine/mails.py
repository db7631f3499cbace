"""Mails go out: those that are due at the same time are read, sent and written down together.

They go through Django's mail backend: SMTP when a server is named, the demo's page otherwise. Each is a try of its own
with an outcome of its own, so an address that is refused concerns that mail alone. At least once: the Message-ID is
made from the cause, so a mail that a killed worker may have sent is recognised by the reader's program as the same. No
more are ever sent and not yet written down than the handler carries out side by side.
"""

import asyncio
import hashlib
import logging
import smtplib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from crossdock.domain.commands import CommandKind, Done, Later, Outcome, Refused, Unknown, Why
from crossdock.engine import contain
from crossdock.engine.plain import PlainHandler
from crossdock.store.models import Mail
from crossdock.usecases.outbox.payloads import MAIL
from crossdock.usecases.outcomes import settle, settle_mails
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.record.brand import sender

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

T = TypeVar("T")
R = TypeVar("R")
_log = logging.getLogger(__name__)
# A slow server's mails are written down as they go.
_TOGETHER_SECONDS = 2.0
# A mail that is being handed over is waited for, so that it is not sent again; a dead server is not.
_CLOSING_SECONDS = 5.0
# RFC 5321, 4.2.1: 4yz asks to try again (greylisting does), 5yz is for good.
_FOR_GOOD = 500


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

    async def ended(self, *, seconds: float | None = None) -> None:
        """What is under way is over, or `seconds` are."""
        if self._running is not None:
            await asyncio.wait([self._running], timeout=seconds)

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
    """The time of each mail is counted from when its own sending begins: four wait for one connection."""

    seconds = None

    def __init__(self, engine: "Engine") -> None:
        super().__init__(engine, self._timed)
        self._sent = Gathered[Claimed, Outcome](self._send)
        # By the command, as long as somebody waits for what comes of it.
        self._limits: dict[int, asyncio.Timeout] = {}
        self._settled = Gathered[tuple[int, Outcome], None](self._settle_all)

    async def _timed(self, claimed: Claimed) -> Outcome:
        async with asyncio.timeout(None) as limit:
            self._limits[claimed.id] = limit
            try:
                return await self._sent(claimed)
            finally:
                del self._limits[claimed.id]

    def _begins(self, command_id: int) -> None:
        if command_id in self._limits:
            self._limits[command_id].reschedule(asyncio.get_running_loop().time() + contain.MOST_SECONDS)

    async def _send(self, claimed: list[Claimed]) -> list[Outcome]:
        """What was handed over after its waiter had left is written down here, so the next try does not send it."""
        engine, loop = self._engine, asyncio.get_running_loop()
        wanted, known = _wanted(claimed)
        mails = await engine.threads.run(Mail.objects.in_bulk, list(wanted.values()))
        sent_by = await engine.threads.run(sender)
        known |= {command_id: _to_send(mail, mails) for command_id, mail in wanted.items()}
        outcomes = await asyncio.to_thread(
            _send_all,
            [known[one.id] for one in claimed],
            sent_by,
            lambda: engine.stopping,
            lambda place: loop.call_soon_threadsafe(self._begins, claimed[place].id),
        )
        late = [
            wanted[one.id]
            for one, outcome in zip(claimed, outcomes, strict=False)
            if isinstance(outcome, Done) and one.id not in self._limits
        ]
        if late:
            await engine.threads.sure(settle_mails.mails_sent, mails=late, now=engine.clock())
        return outcomes

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
        await self._sent.ended(seconds=_CLOSING_SECONDS)
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


def _wanted(claimed: Sequence[Claimed]) -> tuple[dict[int, int], dict[int, Mail | Outcome]]:
    """By the command: the key of the mail that it sends, or what comes of it already."""
    wanted, known = dict[int, int](), dict[int, Mail | Outcome]()
    for one in claimed:
        if one.kind != CommandKind.SEND_MAIL:
            known[one.id] = Refused(Why.UNSUPPORTED, f"The mail does not know how to do “{one.kind}”.")
            continue
        try:
            wanted[one.id] = MAIL.validate_python(one.payload).mail
        except ValueError as error:
            _log.exception("command %s does not say which mail it sends", one.id)
            known[one.id] = Refused(Why.INVALID, f"The command does not say which mail it sends: {error}")
    return wanted, known


def _to_send(key: int, mails: Mapping[int, Mail]) -> Mail | Outcome:
    mail = mails.get(key)
    if mail is None:
        return Refused(Why.NOT_FOUND, "The mail was deleted before it was sent.")
    return mail if mail.sent_at is None else Done(str(mail.pk), already=True)


def _send_all(
    known: Sequence[Mail | Outcome], sent_by: str, stopping: Callable[[], bool], begins: Callable[[int], object]
) -> list[Outcome]:
    """On a thread of its own, in their order and over one connection: an SMTP server may take its time."""
    began, outcomes = time.monotonic(), list[Outcome]()
    line = get_connection()
    try:
        for place, one in enumerate(known):
            if outcomes and (stopping() or time.monotonic() - began > _TOGETHER_SECONDS):
                break
            begins(place)
            outcomes.append(_send_one(line, one, sent_by) if isinstance(one, Mail) else one)
    finally:
        _hang_up(line)
    return outcomes


def _send_one(line: BaseEmailBackend, mail: Mail, sent_by: str) -> Outcome:
    try:
        line.open()
    except Exception as error:
        # Whatever it is, it is not about this mail. An expired certificate is a ValueError as well.
        _log.warning("the mail server cannot be reached", exc_info=error)
        _hang_up(line)
        return Later(f"The mail server cannot be reached: {error}")
    try:
        _hand_over(line, mail, sent_by)
    except smtplib.SMTPRecipientsRefused as error:
        _hang_up(line)
        if not all(code >= _FOR_GOOD for code, _ in error.recipients.values()):
            return Later(f"The mail server does not take mail for {mail.to} now: {error}")
        return _refused(mail, error)
    except (smtplib.SMTPException, OSError) as error:
        # What the connection is good for now nobody knows; the next mail gets a fresh one.
        _hang_up(line)
        return Later(f"The mail server did not take the mail: {error}")
    except ValueError as error:
        _hang_up(line)
        return _refused(mail, error)
    except Exception as error:
        _log.exception("mail %s stumbled", mail.pk)
        _hang_up(line)
        return Unknown(f"Our mail program stumbled over this mail ({type(error).__name__}: {error}).")
    return Done(str(mail.pk))


def _hand_over(line: BaseEmailBackend, mail: Mail, sent_by: str) -> None:
    name = hashlib.sha256(mail.cause.encode()).hexdigest()[:32]
    headers = {"Message-ID": f"<{name}@crossdock.invalid>"}
    EmailMessage(mail.subject, mail.body, sent_by, to=[mail.to], headers=headers, connection=line).send()


def _refused(mail: Mail, error: Exception) -> Refused:
    _log.error("mail %s is refused for good: %s", mail.pk, error)
    return Refused(Why.INVALID, f"The mail server does not take mail for {mail.to}: {error}")


def _hang_up(line: BaseEmailBackend) -> None:
    try:
        line.close()
    except Exception:
        # Django's own has forgotten the connection by now.
        _log.debug("the mail server's line did not close well", exc_info=True)
