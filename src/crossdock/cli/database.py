"""`crossdock database start|stop|status`, and the look at the database that other commands take before they begin."""

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from crossdock.cli.postgres import Cluster
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load
from crossdock.logs import mask

OLDEST_SERVER = 14


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["start", "stop", "status"])


def run(args: argparse.Namespace) -> int:
    config = load()
    if not config.embedded:
        raise Trouble("DATABASE_URL names a server of yours; Crossdock starts and stops only its embedded one.")
    cluster = Cluster.of(config)
    match args.what:
        case "start":
            started = cluster.start()
            cluster.keep.touch()
            print(
                f"The embedded database {'is running' if started else 'was running already'}, socket in"
                f" {cluster.socket}."
            )
        case "stop":
            cluster.keep.unlink(missing_ok=True)
            print("The embedded database is stopped." if cluster.stop() else "The embedded database was not running.")
        case "status":
            pid = cluster.pid()
            print(f"Running as process {pid}, socket in {cluster.socket}." if pid else "Not running.")
            return 0 if pid else 3
    return 0


@contextmanager
def spoken_of() -> Iterator[None]:
    """Turn a database that cannot be reached into one sentence."""
    from django.db import OperationalError

    try:
        yield
    except OperationalError as error:
        raise Trouble(unreachable(load(), str(error))) from None


def unreachable(config: Config, said: str) -> str:
    """Names the server, never its password."""
    if "No space left on device" in said:
        return "The disk of the database is full; nothing was changed."
    if config.embedded:
        return (
            "The embedded database is not running; `crossdock run` starts everything, `crossdock database start` the"
            " database alone."
        )
    told = mask(said).strip()
    # libpq nests its complaints, one server address after the other: the innermost says why.
    inner = re.findall(r"failed: (?:FATAL:\s*)?((?:(?!failed: )[^\n])+)", told)
    reason = inner[-1] if inner else told.splitlines()[-1] if told else "no answer"
    return (
        f"The database that DATABASE_URL names cannot be used ({reason.strip().rstrip('.')}); check the address, and"
        " that the server is running."
    )


def setup() -> None:
    """Django with our settings; nothing is connected."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crossdock.settings")
    django.setup()


def ready(*, migrated: bool = True, newer_too: bool = False) -> None:
    """Set Django up and look before anything begins: a server that answers, is new enough, and stands at our version.
    Raises Trouble.

    `migrated=False` takes an older database too, `newer_too` one of a newer version.
    """
    setup()
    from django.db import connection

    with spoken_of():
        _reach()
    with spoken_of(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')")
        server, encoding = cursor.fetchone()
    if server < OLDEST_SERVER:
        raise Trouble(f"The database server is PostgreSQL {server}; Crossdock needs {OLDEST_SERVER} or newer.")
    if encoding != "UTF8":
        raise Trouble(f"The database is encoded in {encoding}; make one in UTF8 for Crossdock.")
    with spoken_of():
        missing, foreign = migrations()
    if foreign and not newer_too:
        raise Trouble(newer(foreign))
    if migrated and missing:
        raise Trouble("The database is older than this version of Crossdock; run `crossdock migrate` first.")


def let_go() -> None:
    """This thread asks nothing more: a connection that it kept would hold three megabytes of the server for nothing."""
    from django.db import connections

    connections.close_all()


def _reach() -> None:
    """One plain connection first: a pool would go on trying in the background and bury the reason."""
    import psycopg
    from django.db import OperationalError, connection

    given = {"connect_timeout": 5, **connection.get_connection_params()}
    plain = {name: value for name, value in given.items() if name not in ("cursor_factory", "context", "pool")}
    try:
        psycopg.connect(**plain).close()
    except psycopg.OperationalError as error:
        raise OperationalError(str(error)) from None


def newer(foreign: list[str]) -> str:
    return (
        f"The database was made by a newer version of Crossdock (it knows {foreign[0]}, which this one does not); "
        "install that version, or restore a backup from before the update."
    )


def _written() -> set[tuple[str, str]]:
    """(app, name) of every migration there is, by the names of the files: a web server or worker that is up to date,
    as nearly all are, need not keep the modules themselves in memory.
    """
    import pkgutil
    from importlib.util import find_spec

    from django.apps import apps

    found = set()
    for config in apps.get_app_configs():
        folder = find_spec(f"{config.name}.migrations")
        for one in pkgutil.iter_modules(folder.submodule_search_locations if folder else []):
            if one.name[0] not in "_~":
                found.add((config.label, one.name))
    return found


def migrations() -> tuple[list[str], list[str]]:
    """What the code has and the database lacks, and what the database has and the code does not know."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    ours = {config.label for config in apps.get_app_configs()}
    if _written() == {key for key in MigrationRecorder(connection).applied_migrations() if key[0] in ours}:
        return [], []
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    known = set(loader.disk_migrations) | {old for new in loader.replacements.values() for old in new.replaces}
    missing = [key for key in loader.graph.nodes if key not in applied]
    foreign = [key for key in applied if key not in known and key[0] in ours]
    return sorted(f"{app}.{name}" for app, name in missing), sorted(f"{app}.{name}" for app, name in foreign)
