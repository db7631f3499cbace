"""A parcel that was entered here is written into the shop. Nothing behind it in the order's line may wait for ever: a
person enters the parcel there, or sends it again.
"""

from collections.abc import Sequence
from datetime import datetime

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models import Command
from crossdock.store.models.work import PartyKind
from crossdock.usecases.orders import fulfilments
from crossdock.usecases.outbox.payloads import FULFILMENT
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind
from crossdock.usecases.record.telling import Telling


def claimed(rows: Sequence[Command], now: datetime) -> None:
    fulfilments.sent(commands=rows, now=now)


def done(held: Held, outcome: Done, facts: Facts) -> None:
    if held.order and held.copy:
        fulfilments.written(order=held.order, copy=held.copy, row=held.row, outcome=outcome, told=facts.told)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    if held.order:
        fulfilments.not_written(order=held.order, row=held.row, outcome=outcome, told=told)


KIND = Kind(
    CommandKind.WRITE_FULFILMENT,
    PartyKind.SHOP,
    FULFILMENT,
    done=done,
    refused=refused,
    claimed=claimed,
    ends_refused=True,
)
