"""A command whose outcome could not be read: it goes back in line, unresolved, so that it is looked up before
anything is done again.
"""

from datetime import datetime, timedelta

from django.db import transaction

from crossdock.domain.commands import order_reference
from crossdock.store.models import Command, Order, Quarantined
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.store.models.work import CommandState
from crossdock.usecases.outcomes.settle import GIVE_UP_AFTER, give_up, hold, put_back
from crossdock.usecases.parties.quarantine import Trip, heal
from crossdock.usecases.parties.quarantine import hold as keep
from crossdock.usecases.record.telling import telling

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=30)


def stumbled(*, command_id: int, trip: Trip, now: datetime) -> None:
    """Idempotent for a command that is not in flight any more."""
    with transaction.atomic():
        row = Command.objects.select_for_update(no_key=True).get(pk=command_id)
        order = Order.objects.filter(reference=order_reference(row.subject)).values_list("pk", flat=True).first()
        trip = Trip(QuarantineKind.COMMAND, str(row.pk), trip.cause, trip.path, trip.trace, order)
        if row.state == CommandState.IN_FLIGHT:
            stood = Quarantined.objects.filter(party_id=row.party_id, key=trip.key).values_list("tries", flat=True)
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(stood.first() or 0, 10)))
            words = "What came of it could not be read; it is looked up before anything is done again."
            put_back(row, words, wait, unknown=True, now=now)
        keep(party_id=row.party_id, trips=[trip], now=now)
    if now - row.created_at >= GIVE_UP_AFTER:
        with telling(now) as told:
            give_up(hold(command_id), told=told)


def taken_in(*, command_id: int, now: datetime) -> None:
    """Its outcome could be read after all."""
    party = Command.objects.values_list("party_id", flat=True).get(pk=command_id)
    heal(party_id=party, kind=QuarantineKind.COMMAND, entities=[str(command_id)], now=now)
