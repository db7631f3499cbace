"""A seller's own program is told, or an agent's. Refused, or without success for two days, its receiver is paused."""

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models import AgentSession
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import EVENT
from crossdock.usecases.outcomes.endpoints import endpoint_gave_up
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind
from crossdock.usecases.record.telling import Telling


def done(held: Held, outcome: Done, facts: Facts) -> None:
    """What an agent knows of an order is known from now on, so the same is not told again."""
    if session := EVENT.validate_python(held.row.payload).session:
        AgentSession.objects.filter(pk=session).exclude(told=outcome.shop_id).update(told=outcome.shop_id)


def gave_up(held: Held, sentence: str, told: Telling) -> None:
    endpoint_gave_up(command=held.row, sentence=sentence, told=told)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    gave_up(held, outcome.sentence, told)


KIND = Kind(CommandKind.SEND_EVENT, PartyKind.NOTIFY, EVENT, done=done, refused=refused, gave_up=gave_up)
