"""`crossdock migrate`: the database at this version. Two machines that start together take turns.

A step that needs a table for itself waits for whoever uses it, and all others wait behind the step: so it gives up
after some seconds, and nothing of it is done.
"""

import argparse

from crossdock.cli import database
from crossdock.cli.trouble import Trouble

# Any number will do, as long as no other program takes this lock in the same database.
_TURN = 0x_C0D0C
_WAIT_SECONDS = 10


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="say nothing when there is nothing to do")
    parser.add_argument(
        "--wait",
        type=int,
        default=_WAIT_SECONDS,
        metavar="SECONDS",
        help=f"how long a step waits for a table that others use ({_WAIT_SECONDS} unless you say otherwise)",
    )


def run(args: argparse.Namespace) -> int:
    database.ready(migrated=False)
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from psycopg.errors import LockNotAvailable

    with database.spoken_of():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{max(1, args.wait)}s"])
            missing, foreign = database.migrations()
            if foreign:
                raise Trouble(database.newer(foreign))
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
        except DatabaseError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise Trouble(_in_use(args.wait)) from None
            if "permission denied" in str(error):
                raise Trouble(
                    f"The database user may not change tables ({str(error).splitlines()[0]}); give it ownership of the"
                    " database."
                ) from None
            raise
        finally:
            # Ends the session, and with it the lock.
            connection.close()
    if missing:
        print(f"The database is at this version now: {len(missing)} step{'s' if len(missing) > 1 else ''} taken.")
    elif not args.quiet:
        print("The database is at this version already.")
    return 0


def _in_use(waited: int) -> str:
    """Asked by a connection that waits for nothing: who has been at work for longest is most likely who holds it."""
    from django.db import connection

    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, coalesce(nullif(application_name, ''), 'without a name'),"
            " date_trunc('second', clock_timestamp() - xact_start)::text FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            " ORDER BY xact_start LIMIT 1"
        )
        oldest = cursor.fetchone()
    at_work = f" Longest at work there: process {oldest[0]} ({oldest[1]}), for {oldest[2]}." if oldest else ""
    return (
        f"A step waited {waited} second{'s' if waited != 1 else ''} for a table that others use and gave up; nothing of"
        f" it was done, and the steps before it stay done.{at_work} Stop web servers and workers, or try at a quieter"
        " time, and run `crossdock migrate` again; --wait 60 waits longer, while pages wait behind it."
    )
