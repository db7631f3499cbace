"""Which embedded databases run, and who waits in them."""

import os
import time
from pathlib import Path

from django.db import connection

from crossdock_lab.patience import patient


def servers_below(folder: Path) -> list[int]:
    """Every process that was started as a PostgreSQL server on a cluster below this folder.

    Its workers show other titles.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"/postgres") and any(word.startswith(os.fsencode(folder)) for word in words[1:]):
                found.append(int(entry.name))
    return found


def until_somebody_waits() -> None:
    """Until another connection waits for a lock of this one (pg_stat_activity stands still within a transaction)."""
    end = time.monotonic() + patient(20)
    while not _waited_for():
        assert time.monotonic() < end, "the other never came to the lock"
        time.sleep(0.01)


def _waited_for() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
