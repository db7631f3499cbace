"""How an order was judged is written to its shop. A refusal raises no alert: nothing has to be done there."""

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import RISK
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.risk import writing


def done(held: Held, outcome: Done, facts: Facts) -> None:
    if held.order:
        writing.written(order=held.order, row=held.row, told=facts.told)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    if held.order:
        writing.not_written(order=held.order, sentence=outcome.sentence, told=told)


KIND = Kind(CommandKind.WRITE_RISK, PartyKind.SHOP, RISK, done=done, refused=refused)
