"""The wake-up: a job that says "look after this party", deferred after commit by task name. Losing one costs at most a
sweep's five seconds.

Deferring inside the transaction would let a waiting wake-up of another order swallow ours before our row is visible.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from procrastinate.jobs import DEFAULT_QUEUE

PUMP = "crossdock.pump"


def wake(party_ids: Iterable[int]) -> None:
    """Wake the pumps of these parties once this transaction is committed (at once outside one)."""
    wanted = sorted(set(party_ids))
    if wanted:
        transaction.on_commit(lambda: defer(wanted), robust=True)


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
