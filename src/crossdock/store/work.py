"""The wake-up: a job that says "look after this party", deferred after commit by task name. Losing one costs at most a
sweep's five seconds.

Deferring inside the transaction would let a waiting wake-up of another order swallow ours before our row is visible.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from procrastinate.jobs import DEFAULT_QUEUE

PUMP = "crossdock.pump"


def wake(party_ids: Iterable[int]) -> None:
    """Wake the pumps of these parties once this transaction is committed (at once outside one): one statement for all
    of a transaction's wake-ups.
    """
    wanted = set(party_ids)
    if not wanted:
        return
    # What is asked for within a savepoint is lost with it, so only wake-ups of the same savepoints share one.
    within = {*connection.savepoint_ids, None}
    for savepoints, waiting, *_ in connection.run_on_commit:
        if isinstance(waiting, _Wakeup) and {*savepoints, None} == within:
            waiting.parties |= wanted
            return
    transaction.on_commit(_Wakeup(wanted), robust=True)


@dataclass(slots=True)
class _Wakeup:
    parties: set[int]

    def __call__(self) -> None:
        defer(sorted(self.parties))


def defer(party_ids: list[int]) -> None:
    """One statement for all of them. A wake-up that waits already is left alone, which the library's own way tells by
    an error for each.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)"
            " SELECT %s, %s, 'party:' || id, jsonb_build_object('party_id', id) FROM unnest(%s::bigint[]) AS t(id)"
            " ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING",
            [DEFAULT_QUEUE, PUMP, party_ids],
        )
