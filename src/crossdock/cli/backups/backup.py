"""`crossdock backup FILE`: one consistent picture of the database, taken while everything runs, with the pictures that
sellers uploaded. `--verify` restores one into a database that is thrown away, and compares.

The vault's key is not in it, on purpose: a stolen backup must not open the shops.
"""

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from crossdock.cli import database
from crossdock.cli.backups import archive
from crossdock.cli.backups.seal import fingerprint
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load

_DATED = "crossdock-*.backup"


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the file to write; in a folder it is named by the time")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--verify",
        action="store_true",
        help="write nothing: restore this backup (of a folder the newest) into a database that is thrown away, and"
        " compare",
    )
    what.add_argument(
        "--keep",
        type=int,
        metavar="N",
        help="of a folder: verify the new backup, and if it comes back remove older ones there but the N newest",
    )


def run(args: argparse.Namespace) -> int:
    if args.keep is not None and (args.keep < 1 or not args.file.is_dir()):
        raise Trouble("--keep takes a number from 1 on, and needs a folder that exists to count in.")
    if args.verify:
        from crossdock.cli.backups import verify

        return verify.run(_newest(args.file) if args.file.is_dir() else args.file)
    config = load()
    database.ready(migrated=False)
    made = datetime.now(UTC)
    file = args.file / f"crossdock-{made:%Y%m%dT%H%M%SZ}.backup" if args.file.is_dir() else args.file
    contents = _make(config, file, made)
    keys = "the setting VAULT_KEYS" if config.vault_keys_given else f"the file {config.vault_keys_file}"
    many = len(contents.pictures)
    pictures = f" and {many} picture{'s' if many > 1 else ''}" if many else ""
    print(f"The database{pictures} {'are' if many else 'is'} in {file} ({file.stat().st_size // 1024} kB).")
    print(
        f"The key that opens the shops' credentials is not: keep a copy of {keys} in another safe place. Without it"
        " every shop has to be reconnected. Who is signed in is not in it either: after a restore everybody signs in"
        " again."
    )
    return _pruned(args.file, file, args.keep) if args.keep else 0


def _pruned(folder: Path, made: Path, keep: int) -> int:
    """Older ones go only when the new one was restored and compared, by a program of its own: this one is bound to the
    database that runs.
    """
    sys.stdout.flush()
    if subprocess.run([sys.executable, "-m", "crossdock.cli.main", "backup", "--verify", str(made)]).returncode:
        print("No older backup was removed, since this one did not pass.")
        return 1
    for old in sorted(folder.glob(_DATED))[:-keep]:
        old.unlink()
    return 0


def _make(config: Config, file: Path, made: datetime) -> archive.Contents:
    draft = file.with_name(file.name + ".part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        contents = _written(config, draft, made)
        draft.replace(file)
    except OSError as error:
        raise Trouble(f"The backup cannot be written to {file} ({error.strerror}).") from None
    finally:
        draft.unlink(missing_ok=True)
    return contents


def _written(config: Config, draft: Path, made: datetime) -> archive.Contents:
    """The dump and the figures are of one moment: both look through the same snapshot."""
    from django.db import connection, transaction

    keys = [fingerprint(key) for key in config.vault_keys]

    def told(sha: str) -> archive.Contents:
        rows, figures = archive.rows_and_figures()
        out = [table for table in archive.LEFT_OUT if table in rows]
        rows |= dict.fromkeys(out, 0)
        return archive.Contents(made.isoformat(), version("crossdock"), sha, rows, figures, {}, keys, out)

    with database.spoken_of(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = str(cursor.fetchone()[0])
        return archive.write(draft, config, told, snapshot=snapshot)


def _newest(folder: Path) -> Path:
    there = sorted(folder.glob(_DATED))
    if not there:
        raise Trouble(f"There is no backup in {folder}; `crossdock backup {folder}` makes one.")
    return there[-1]
