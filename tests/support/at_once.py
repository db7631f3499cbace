"""Two deeds at the same moment, of which the second waits for a lock of the first: only so a test sees what a deed
reads after it waited. For tests with `transaction=True`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

from django.db import connection, connections, transaction

from crossdock.usecases.errors import Problem
from crossdock_lab.patience import patient


def meanwhile(first: Callable[[], object], second: Callable[[], object]) -> Any:
    """What `second` came to, which waits for a lock of `first` when that commits."""

    def apart() -> object:
        try:
            return second()
        except Problem as no:
            return no
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            coming, end = pool.submit(apart), monotonic() + patient(20)
            while not _waits():
                assert monotonic() < end and not coming.done(), "nothing waits"
                sleep(0.01)
        return coming.result(timeout=patient(20))


def _waits() -> bool:
    """Who holds something in this database: the server has one for each process that plays tests. Asked of the locks
    alone, since what pg_stat_activity says is kept for the length of a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks waits WHERE NOT granted AND EXISTS (SELECT 1 FROM pg_locks holds"
            " JOIN pg_database ours ON ours.oid = holds.database AND ours.datname = current_database()"
            " WHERE holds.pid = waits.pid)"
        )
        return bool(cursor.fetchone()[0])
