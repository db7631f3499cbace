"""A seller's own program is told. Refused, or without success for two days, its receiver is paused."""

from datetime import datetime

from crossdock.domain.commands import CommandKind, Refused
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import EVENT
from crossdock.usecases.outcomes.endpoints import endpoint_gave_up
from crossdock.usecases.outcomes.kinds.kind import Held, Kind


def gave_up(held: Held, sentence: str, now: datetime) -> None:
    endpoint_gave_up(command=held.row, sentence=sentence, now=now)


def refused(held: Held, outcome: Refused, now: datetime) -> None:
    gave_up(held, outcome.sentence, now)


KIND = Kind(CommandKind.SEND_EVENT, PartyKind.NOTIFY, EVENT, refused=refused, gave_up=gave_up)
