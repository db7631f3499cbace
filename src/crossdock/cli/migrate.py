"""`crossdock migrate`: the database at this version. Two machines that start together take turns."""

import argparse

from crossdock.cli import database
from crossdock.cli.trouble import Trouble

# Any number will do, as long as no other program takes this lock in the same database.
_TURN = 0x_C0D0C


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="say nothing when there is nothing to do")


def run(args: argparse.Namespace) -> int:
    database.ready(migrated=False)
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    with database.spoken_of():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
            missing, foreign = database.migrations()
            if foreign:
                raise Trouble(database.newer(foreign))
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
        except DatabaseError as error:
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
