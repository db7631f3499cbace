"""`crossdock restore FILE`: the database as it was, and the pictures that are not there any more.

All of it or nothing: everything happens in one transaction, after the file was looked at.
"""

import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path

from crossdock.cli import archive, database, tools
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load

_PRELUDE = "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;"
_OURS_ALREADY = re.compile(r"^\d+; \S+ \S+ (SCHEMA|COMMENT|ACL) - (SCHEMA )?public\b")


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--yes", action="store_true", help="replace a database that is not empty")


def run(args: argparse.Namespace) -> int:
    config = load()
    with (
        tempfile.TemporaryDirectory(prefix="crossdock-restore-") as folder,
        archive.opened(args.file, Path(folder)) as found,
    ):
        of_our_version(config, found.dump)
        _quiet(yes=args.yes)
        put_back(config, found.dump, Path(folder))
        many = _pictures(config, found)
    missing, _ = database.migrations()
    pictures = f" {many} picture{'s were' if many > 1 else ' was'} missing and {'are' if many > 1 else 'is'} back."
    print(
        "The database is restored."
        + (pictures if many else "")
        + (" It is older than this version: run `crossdock migrate`." if missing else "")
    )
    keys = {archive.fingerprint(key) for key in config.vault_keys}
    if found.contents is not None and found.contents.vault_keys[:1] and found.contents.vault_keys[0] not in keys:
        print(
            f"The vault's key of that time (fingerprint {found.contents.vault_keys[0]}) is not configured here: add its"
            " copy to VAULT_KEYS, or have every shop reconnected."
        )
    return 0


def _pictures(config: Config, found: archive.Opened) -> int:
    """Those that are not there. Their names are made of their bytes, so that one that is there is the same."""
    folder, many = config.data / "media" / "pictures", 0
    try:
        for name, data in found.pictures():
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / name).exists():
                draft = folder / f".{name}.part"
                draft.write_bytes(data)
                draft.chmod(0o644)
                draft.replace(folder / name)
                many += 1
    except OSError as error:
        raise Trouble(
            f"The database is restored, but not all pictures are ({error.strerror} in {folder}); make it writable and"
            " restore once more."
        ) from None
    return many


def of_our_version(config: Config, file: Path) -> None:
    """Read the list of migrations out of the file, before anything is touched."""
    database.setup()
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    done = tools.call(config, "pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(file))
    if done.returncode:
        raise Trouble(f"The backup {file} is damaged ({tools.reason(done.stderr)}).")
    rows = re.search(r"^COPY [^\n]*django_migrations[^\n]*FROM stdin;\n(.*?)^\\\.$", done.stdout, re.M | re.S)
    if rows is None:
        raise Trouble(f"{file} is a PostgreSQL backup, but not one of Crossdock.")
    loader = MigrationLoader(None)
    known = set(loader.disk_migrations) | {old for new in loader.replacements.values() for old in new.replaces}
    ours = {config.label for config in apps.get_app_configs()}
    there = [(line.split("\t")[1], line.split("\t")[2]) for line in rows[1].splitlines()]
    foreign = sorted(f"{app}.{name}" for app, name in there if app in ours and (app, name) not in known)
    if foreign:
        raise Trouble(
            f"The backup was made by a newer version of Crossdock (it knows {foreign[0]}); install that version first."
        )


def _quiet(*, yes: bool) -> None:
    """Nobody else may be connected, and what is there may only go when the operator said so."""
    database.ready(migrated=False, newer_too=True)
    from django.db import connection

    with database.spoken_of(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND"
            " backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        tables = cursor.fetchone()[0]
    connection.close()
    if others:
        raise Trouble(
            f"{others} other connection{'s use' if others > 1 else ' uses'} the database; stop every web server and"
            " worker first."
        )
    if tables and not yes:
        raise Trouble("The database is not empty, and restoring replaces all of it; add --yes if that is meant.")


def put_back(config: Config, file: Path, folder: Path) -> None:
    listed = tools.call(config, "pg_restore", "--list", str(file))
    wanted = folder / "list"
    wanted.write_text("".join(f"{line}\n" for line in listed.stdout.splitlines() if not _OURS_ALREADY.match(line)))
    prelude = folder / "prelude.sql"
    prelude.write_text(_PRELUDE)
    script = subprocess.Popen(
        [tools.program("pg_restore"), "--no-owner", "--no-privileges", f"--use-list={wanted}", "--file=-", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert script.stdout is not None
    fed = tools.call(
        config,
        "psql",
        "-X",
        "-q",
        "-1",
        "-v",
        "ON_ERROR_STOP=1",
        "-o",
        os.devnull,
        "-f",
        str(prelude),
        "-f",
        "-",
        stdin=script.stdout.fileno(),
    )
    script.stdout.close()
    if script.wait() or fed.returncode:
        raise Trouble(f"The backup was not restored, and nothing was changed ({tools.reason(fed.stderr)}).")
