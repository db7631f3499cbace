"""Several mails at once: what was sent is written down in one transaction, with one statement for each table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from random import Random

from django.db import transaction

from crossdock.domain.commands import CommandKind, Done, Outcome
from crossdock.store.bulk import update_rows
from crossdock.store.crash import point
from crossdock.store.models import Command, Mail
from crossdock.store.models.work import CommandResult, CommandState
from crossdock.usecases.outbox.payloads import MAIL
from crossdock.usecases.outcomes.settle import FINISHED, finished, settle_command


def settle_mails(*, outcomes: Mapping[int, Outcome], random: Random, now: datetime) -> None:
    """By the command. Idempotent, as `settle_command`, which settles whatever else came of one."""
    sent = {command_id: outcome for command_id, outcome in outcomes.items() if isinstance(outcome, Done)}
    if sent:
        with transaction.atomic():
            locked = Command.objects.select_for_update(no_key=True).order_by("pk")
            rows = list(locked.filter(pk__in=sent, state=CommandState.IN_FLIGHT, kind=CommandKind.SEND_MAIL))
            point("settle.begin")
            for row in rows:
                finished(row, CommandResult.OK, sent[row.pk].note, asdict(sent[row.pk]), now=now)
            update_rows(rows, FINISHED)
            mails = [MAIL.validate_python(row.payload).mail for row in rows]
            Mail.objects.filter(pk__in=mails, sent_at=None).update(sent_at=now)
            point("settle.before_commit")
        point("settle.after_commit")
    for command_id, outcome in outcomes.items():
        if command_id not in sent:
            settle_command(command_id=command_id, outcome=outcome, random=random, now=now)


def mails_sent(*, mails: Sequence[int], now: datetime) -> None:
    """They were handed over after their commands had been given up as unknown: the next try finds it written."""
    Mail.objects.filter(pk__in=mails, sent_at=None).update(sent_at=now)
