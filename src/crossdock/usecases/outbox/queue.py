"""Putting commands in line.

The row is written in the transaction that made it necessary; the party is woken after the commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from psycopg.errors import CheckViolation

from crossdock.domain.commands import AdjustStock, CancelLines, CancelOrder, CommandKind, CreateOrder
from crossdock.seeing import told
from crossdock.store.models import Command, Party
from crossdock.store.models.work import PartyKind
from crossdock.store.once import insert_new
from crossdock.store.work import wake
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.outbox.payloads import ADJUST, CANCEL, CREATE, LINES


def party_named(*, kind: PartyKind, name: str) -> Party:
    """The one party of a kind and name that is not a shop (a gateway, the mail)."""
    return Party.objects.get_or_create(kind=kind, name=name)[0]


def command_to(
    *, party_id: int, cause: str, subject: str, kind: CommandKind, payload: dict[str, Any], now: datetime
) -> Command:
    """Not written yet: who asks several things writes them together with `enqueue_all`."""
    return Command(
        party_id=party_id, cause=cause, subject=subject, kind=kind, payload=payload, due_at=now, created_at=now
    )


SHADOW = "Your shop is in shadow mode: it is only read, and nothing is written to it. Go live first."


def enqueue_all(commands: Sequence[Command]) -> None:
    """In one statement. The same cause twice is one command.

    Raises NotAllowed where a shop is only looked at: the table itself takes no command to it, whoever makes one.
    """
    try:
        made = insert_new(commands, "cause")
    except IntegrityError as error:
        if isinstance(error.__cause__, CheckViolation) and error.__cause__.diag.constraint_name == "no_shadow_command":
            raise NotAllowed(SHADOW) from error
        raise
    told.by.put_in_line(made)
    wake(command.party_id for command in made)


def enqueue(
    *, party: Party, cause: str, subject: str, kind: CommandKind, payload: dict[str, Any], now: datetime
) -> None:
    """The same cause twice is one command."""
    enqueue_all([command_to(party_id=party.pk, cause=cause, subject=subject, kind=kind, payload=payload, now=now)])


def create_order_command(*, party_id: int, command: CreateOrder, now: datetime) -> Command:
    """Not written yet."""
    return command_to(
        party_id=party_id,
        cause=f"create:{command.reference}",
        subject=command.reference,
        kind=CommandKind.CREATE_ORDER,
        payload=CREATE.dump_python(command, mode="json"),
        now=now,
    )


def cancel_order_command(*, party: Party, command: CancelOrder, cause: str, now: datetime) -> None:
    enqueue(
        party=party,
        cause=cause,
        subject=command.reference,
        kind=CommandKind.CANCEL_ORDER,
        payload=CANCEL.dump_python(command, mode="json"),
        now=now,
    )


def cancel_lines_command(*, party: Party, command: CancelLines, now: datetime) -> None:
    """The key of the command is its cause: what is to be taken out is taken out once."""
    enqueue(
        party=party,
        cause=f"take:{command.key}"[:120],
        subject=command.reference,
        kind=CommandKind.CANCEL_LINES,
        payload=LINES.dump_python(command, mode="json"),
        now=now,
    )


def adjust_stock_command(*, party: Party, command: AdjustStock, subject: str, now: datetime) -> None:
    """Rule 10: the key of the command is its cause, so the same correction is made once."""
    enqueue(
        party=party,
        cause=f"adjust:{command.key}"[:120],
        subject=subject,
        kind=CommandKind.ADJUST_STOCK,
        payload=ADJUST.dump_python(command, mode="json"),
        now=now,
    )
