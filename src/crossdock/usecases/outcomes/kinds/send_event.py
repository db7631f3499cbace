"""A seller's own program is told. Refused, or without success for two days, its receiver is paused."""

from crossdock.domain.commands import CommandKind, Refused
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import EVENT
from crossdock.usecases.outcomes.endpoints import endpoint_gave_up
from crossdock.usecases.outcomes.kinds.kind import Held, Kind
from crossdock.usecases.record.telling import Telling


def gave_up(held: Held, sentence: str, told: Telling) -> None:
    endpoint_gave_up(command=held.row, sentence=sentence, told=told)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    gave_up(held, outcome.sentence, told)


KIND = Kind(CommandKind.SEND_EVENT, PartyKind.NOTIFY, EVENT, refused=refused, gave_up=gave_up)
