"""Rule 10: the shop's count is corrected once, whole units up or down."""

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import ADJUST
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock import restore


def done(held: Held, outcome: Done, facts: Facts) -> None:
    restore.adjusted(row=held.row, told=facts.told)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    restore.not_adjusted(row=held.row, sentence=outcome.sentence, told=told)


KIND = Kind(CommandKind.ADJUST_STOCK, PartyKind.SHOP, ADJUST, done=done, refused=refused)
