"""A label is bought. What the carrier's answer means stands in the room above: labels/carrier_news.py."""

from crossdock.domain.commands import CommandKind
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import LABEL
from crossdock.usecases.outcomes.kinds.kind import Kind, nothing

KIND = Kind(CommandKind.BUY_LABEL, PartyKind.CARRIER, LABEL, done=nothing, refused=nothing)
