"""Mails that are due together are sent and written down together, and each keeps an outcome of its own."""

# ruff: noqa: F811

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crossdock.domain.commands import Done, Later, Outcome, Refused, Unknown
from crossdock.engine import contain, mails
from crossdock.engine.engine import Engine
from crossdock.engine.mails import Gathered
from crossdock.store.models import AuditEntry, Command, Mail, Party
from crossdock.usecases.outcomes import claims, settle, settle_mails
from crossdock.usecases.record.mail import post_office, write_mail
from stall import engine, no_jobs, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def written(*names: str) -> Party:
    for name in names:
        write_mail(cause=name, to=f"{name}@example.test", subject=name, body="B", now=NOW)
    return post_office()


def states() -> dict[str, tuple[str, str, bool]]:
    sent = {f"mail:{mail.pk}": mail for mail in Mail.objects.all()}
    return {
        sent[row.subject].subject: (row.state, row.result, sent[row.subject].sent_at is not None)
        for row in Command.objects.filter(kind="send_mail")
    }


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The commands that were settled in one transaction."""
    seen: list[list[int]] = []
    real = settle_mails.settle_mails

    def counted(*, outcomes: dict[int, Outcome], **given: Any) -> None:
        seen.append(list(outcomes))
        real(outcomes=outcomes, **given)

    monkeypatch.setattr(settle_mails, "settle_mails", counted)
    return seen


class Server(EmailBackend):
    """Takes mail for everybody but Bad, and leaves in the middle of Gone's first."""

    opened, gone = 0, 0
    expired = False
    # What is about to be handed over waits for it, where it is set.
    gate: threading.Event | None = None

    def open(self) -> bool:
        type(self).opened += 1
        if Server.expired:
            raise ssl.SSLCertVerificationError(1, "certificate has expired")
        return True

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        to = messages[0].to[0]
        if to.startswith("bad@"):
            raise smtplib.SMTPRecipientsRefused({to: (550, b"no such person")})
        if to.startswith("grey@"):
            raise smtplib.SMTPRecipientsRefused({to: (450, b"greylisted")})
        if to.startswith("odd@"):
            raise AttributeError("'NoneType' object has no attribute 'addr_spec'")
        if to.startswith("slow@") and Server.gate is not None:
            Server.gate.wait(20)
        if to.startswith("gone@") and not Server.gone:
            Server.gone += 1
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        return super().send_messages(messages)


@pytest.fixture
def server(settings: Any) -> None:
    settings.EMAIL_BACKEND = "engine.test_mails.Server" if __name__.startswith("engine.") else f"{__name__}.Server"
    Server.opened = Server.gone = 0
    Server.expired, Server.gate = False, None


async def test_one_run_sends_all_that_are_due(
    no_jobs: list[int], engine: Engine, mailoutbox: list[EmailMessage], together: list[list[int]]
) -> None:
    party = await sync(written, "a", "b", "c", "d", "e")
    engine.wake(party.pk)
    await until(lambda: Mail.objects.filter(sent_at=None).count() == 0, what="the mails")
    assert [message.subject for message in mailoutbox[:4]] == ["a", "b", "c", "d"], "in their order"
    assert len({message.extra_headers["Message-ID"] for message in mailoutbox}) == 5
    assert [len(some) for some in together] == [4, 1], "four are at most sent and not written down"
    assert set((await sync(states)).values()) == {("done", "ok", True)}


async def test_a_bad_address_concerns_that_mail_alone(
    no_jobs: list[int], engine: Engine, mailoutbox: list[EmailMessage], server: None
) -> None:
    party = await sync(written, "a", "bad", "c")
    engine.wake(party.pk)
    await until(lambda: not Command.objects.exclude(state="done").exists(), what="all three")
    assert await sync(states) == {
        "a": ("done", "ok", True),
        "bad": ("done", "refused", False),
        "c": ("done", "ok", True),
    }
    assert [message.subject for message in mailoutbox] == ["a", "c"]
    command = await sync(Command.objects.get, result="refused")
    told = await sync(AuditEntry.objects.get, action="mail refused")
    assert (told.subject, told.detail) == (command.subject, {"command": command.pk}), "staff see it, without an address"


async def test_an_odd_mail_an_odd_payload_and_a_greylisted_one_concern_themselves_alone(
    no_jobs: list[int], engine: Engine, mailoutbox: list[EmailMessage], server: None
) -> None:
    party = await sync(written, "a", "odd", "grey", "c")
    await sync(Command.objects.create, **_odd(party))
    claimed = await sync(claims.claim_commands, party_id=party.pk, owner="w", limit=5, now=NOW)
    outcomes = await mails.MailHandler(engine)._send(claimed)
    assert [type(outcome) for outcome in outcomes] == [Done, Unknown, Later, Done, Refused]
    assert [message.subject for message in mailoutbox] == ["a", "c"]


def _odd(party: Party) -> dict[str, Any]:
    return {
        "party_id": party.pk,
        "cause": "x",
        "subject": "x",
        "kind": "send_mail",
        "payload": {},
        "due_at": NOW,
        "created_at": NOW,
    }


async def test_a_server_whose_certificate_has_expired_refuses_no_mail(
    no_jobs: list[int], engine: Engine, mailoutbox: list[EmailMessage], server: None
) -> None:
    Server.expired = True
    party = await sync(written, "a", "b")
    claimed = await sync(claims.claim_commands, party_id=party.pk, owner="w", limit=4, now=NOW)
    outcomes = await mails.MailHandler(engine)._send(claimed)
    assert [type(outcome) for outcome in outcomes] == [Later, Later]
    assert mailoutbox == []


async def test_the_time_of_a_mail_does_not_run_while_it_waits_for_the_line(
    no_jobs: list[int], engine: Engine, mailoutbox: list[EmailMessage], server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first takes longer than its time: it alone is unknown, its fact is written, and nothing is sent twice."""
    monkeypatch.setattr(contain, "MOST_SECONDS", 0.3)
    Server.gate = threading.Event()
    party = await sync(written, "slow", "b", "c")
    engine.wake(party.pk)
    await until(lambda: Command.objects.filter(unresolved=True, state="waiting").exists(), what="the first's end")
    assert await sync(Command.objects.filter(state="waiting").count) == 1, "the others' time has not begun"
    Server.gate.set()
    await until(lambda: not Mail.objects.filter(sent_at=None).exists(), what="what was sent, written down")
    await sync(Command.objects.filter(state="waiting").update, due_at=NOW)
    engine.wake(party.pk)
    await until(lambda: not Command.objects.exclude(state="done").exists(), what="all of them")
    assert [message.subject for message in mailoutbox] == ["slow", "b", "c"]


async def test_a_server_that_hangs_up_is_called_again_for_the_next(
    no_jobs: list[int], engine: Engine, mailoutbox: list[EmailMessage], server: None
) -> None:
    await sync(written, "a", "gone", "c")
    party = await sync(post_office)
    claimed = await sync(claims.claim_commands, party_id=party.pk, owner="w", limit=4, now=NOW)
    outcomes = await mails.MailHandler(engine)._send(claimed)
    assert [type(outcome) for outcome in outcomes] == [Done, Later, Done]
    assert [message.subject for message in mailoutbox] == ["a", "c"]


async def test_one_that_cannot_be_written_down_takes_no_other_with_it(
    no_jobs: list[int], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = await sync(written, "a", "b", "c")
    broken = (await sync(Command.objects.filter(kind="send_mail").order_by("pk").first)).pk
    real = settle.settle_command

    def all_trip(**given: Any) -> None:
        raise ValueError("one of them")

    def one_trips(*, command_id: int, **given: Any) -> None:
        if command_id == broken:
            raise ValueError("this one")
        real(command_id=command_id, **given)

    monkeypatch.setattr(settle_mails, "settle_mails", all_trip)
    monkeypatch.setattr(settle, "settle_command", one_trips)
    engine.wake(party.pk)
    await until(lambda: Mail.objects.filter(sent_at=None).count() == 1, what="the other two")
    await until(lambda: Command.objects.get(pk=broken).unresolved, what="the third to go back in line")


def test_what_a_dead_worker_may_have_sent_is_sent_again_under_its_old_name(no_jobs: list[int]) -> None:
    """As before: written as sent with the claim, so the next holder knows."""
    party = written("a")
    (first,) = claims.claim_commands(party_id=party.pk, owner="dead", limit=4, now=NOW)
    (again,) = claims.claim_commands(party_id=party.pk, owner="next", limit=4, now=NOW)
    assert (first.look_first, again.look_first, again.id) == (False, True, first.id)
    settle_mails.settle_mails(outcomes={first.id: Done("1")}, random=Random(1), now=NOW)
    settle_mails.settle_mails(outcomes={first.id: Later("too late")}, random=Random(1), now=NOW)
    assert states() == {"a": ("done", "ok", True)}


def test_four_are_written_down_in_as_many_statements_as_one(no_jobs: list[int]) -> None:
    def spent(*names: str) -> int:
        party = written(*names)
        claimed = claims.claim_commands(party_id=party.pk, owner="w", limit=4, now=NOW)
        assert len(claimed) == len(names)
        with CaptureQueriesContext(connection) as caught:
            settle_mails.settle_mails(outcomes={one.id: Done("1") for one in claimed}, random=Random(1), now=NOW)
        return len(caught.captured_queries)

    assert spent("a") == spent("b", "c", "d", "e") == 5


async def test_what_is_asked_for_meanwhile_goes_together() -> None:
    seen: list[list[int]] = []
    first = asyncio.Event()

    async def do(items: list[int]) -> list[int | Exception]:
        seen.append(items)
        if items == [1]:
            await first.wait()
        # Not all of them at once.
        return [ValueError("odd") if item == 3 else item * 10 for item in items[:3]]

    gathered = Gathered[int, int](do)
    tasks = [asyncio.create_task(gathered(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(gathered(item)) for item in (2, 3, 4, 5, 6)]
    await asyncio.sleep(0)
    tasks[-1].cancel()
    first.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert seen == [[1], [2, 3, 4, 5], [5]]
    assert [str(answer) for answer in answers[:5]] == ["10", "20", "odd", "40", "50"]
