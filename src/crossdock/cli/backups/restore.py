"""`crossdock restore FILE`: the database as it was, and the pictures that are not there any more.

All of it or nothing: everything happens in one transaction, after the file was looked at.
"""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from crossdock.cli import database, tools
from crossdock.cli.backups import archive
from crossdock.cli.backups.seal import Seal, fingerprint
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load
from crossdock.domain.wording import counted

_PRELUDE = "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;"
# Backups of before had them; the tables may be older than their columns.
_SESSIONS = "".join(
    f"DO $$ BEGIN IF to_regclass('public.{table}') IS NOT NULL THEN DELETE FROM public.{table}; END IF; END $$;\n"  # noqa: S608 - our own names
    for table in ("usersessions_usersession", "django_session")
)
_TOKENS = "UPDATE public.store_apitoken SET revoked_at = now() WHERE revoked_at IS NULL;\n"
_LEFT_OUT = re.compile(r"^\d+; \S+ \S+ (SCHEMA|COMMENT|ACL) - (SCHEMA )?public\b")
_AT_ONCE = 1024**2


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--yes", action="store_true", help="replace a database that is not empty")
    parser.add_argument(
        "--end-tokens",
        action="store_true",
        help="end every API token: one that was revoked after the backup would be good again",
    )
    parser.add_argument(
        "--unproven",
        action="store_true",
        help="also a backup whose seal cannot be checked with the keys that are configured here",
    )


def run(args: argparse.Namespace) -> int:
    config = load()
    with (
        tempfile.TemporaryDirectory(prefix="crossdock-restore-") as folder,
        archive.opened(args.file, Path(folder), config.vault_keys) as found,
    ):
        if not args.unproven:
            _proved(found)
        of_our_version(config, found.dump)
        _quiet(yes=args.yes)
        put_back(config, found.dump, Path(folder), after=_SESSIONS + (_TOKENS if args.end_tokens else ""))
        many = _pictures(config, found)
    missing, _ = database.migrations()
    pictures = f" {many} picture{'s were' if many > 1 else ' was'} missing and {'are' if many > 1 else 'is'} back."
    of = f" as it was on {_moment(found.contents.made_at)}" if found.contents else ""
    print(
        f"The database is restored{of}."
        + (pictures if many else "")
        + (" It is older than this version: run `crossdock migrate`." if missing else "")
    )
    print(_what_came_back(tokens_ended=args.end_tokens))
    if not missing:
        _audited(found, tokens_ended=args.end_tokens)
    keys = {fingerprint(key) for key in config.vault_keys}
    if found.contents is not None and found.contents.vault_keys[:1] and found.contents.vault_keys[0] not in keys:
        print(
            f"The vault's key of that time (fingerprint {found.contents.vault_keys[0]}) is not configured here: add its"
            " copy to VAULT_KEYS, or have every shop reconnected."
        )
    return 0


def _proved(found: archive.Opened) -> None:
    """Raises Trouble where nobody can tell whether the file is as it was written."""
    if found.seal is Seal.PROVED:
        return
    if found.seal is Seal.NONE:
        why = "it has no seal: it was made before backups had one, or somebody took it off"
    else:
        key = next(iter(found.contents.vault_keys if found.contents else []), "unknown")
        why = (
            f"it was sealed under a vault's key that is not configured here (fingerprint {key}); add its copy to"
            " VAULT_KEYS"
        )
    raise Trouble(
        f"Nobody can tell whether {found.file} is as it was written: {why}. If you know where it has been since, add"
        " --unproven."
    )


def _moment(made_at: str) -> str:
    try:
        return f"{datetime.fromisoformat(made_at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return "an unknown day"


def _what_came_back(*, tokens_ended: bool) -> str:
    """What was taken from somebody after the backup cannot be known from it: the operator knows, and is reminded."""
    from django.db import connection

    with database.spoken_of(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM store_apitoken WHERE revoked_at IS NULL")
        tokens = cursor.fetchone()[0]
    if tokens_ended:
        said = "Every API token has ended, too."
    elif tokens:
        said = (
            f"{counted(tokens, 'API token')} {'is' if tokens == 1 else 'are'} good, also what was revoked since;"
            " restore with --end-tokens to end them all."
        )
    else:
        said = "No API token is good."
    return (
        f"Every session has ended: everybody signs in again. {said} Passwords, second factors, roles and suspended"
        " accounts are those of the backup: repeat what was changed since (`crossdock staff`, `crossdock person`)."
    )


def _audited(found: archive.Opened, *, tokens_ended: bool) -> None:
    from crossdock.store.models import AuditTopic
    from crossdock.usecases.record.audit import note

    detail = {"made_at": found.contents.made_at if found.contents else "", "tokens_ended": tokens_ended}
    with database.spoken_of():
        note(
            actor=None,
            action="backup restored",
            subject=found.file.name,
            now=datetime.now(UTC),
            detail=detail,
            topic=AuditTopic.SYSTEM,
        )


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


def put_back(config: Config, file: Path, folder: Path, *, after: str = "") -> None:
    """Committed only after pg_restore said that its script is whole: psql takes the end of a script that broke off for
    its ordinary end. `after` is SQL that is carried out in the same transaction.
    """
    listed = tools.call(config, "pg_restore", "--list", str(file))
    if listed.returncode:
        raise _unchanged(listed.stderr)
    wanted = folder / "list"
    wanted.write_text("".join(f"{line}\n" for line in listed.stdout.splitlines() if not _LEFT_OUT.match(line)))
    words = ["--no-owner", "--no-privileges", f"--use-list={wanted}", "--file=-", str(file)]
    # Files, since a pipe that nobody reads would fill up and stop its program.
    with open(folder / "script.said", "w+b") as script_said, open(folder / "psql.said", "w+b") as psql_said:
        script = subprocess.Popen([tools.program("pg_restore"), *words], stdout=subprocess.PIPE, stderr=script_said)
        psql = subprocess.Popen(
            [tools.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", "-"],
            env=tools.environment(config),
            stdin=subprocess.PIPE,
            stderr=psql_said,
        )
        assert script.stdout is not None and psql.stdin is not None
        whole = False
        try:
            whole = _feed(script, psql.stdin, after)
        finally:
            if not whole:
                psql.kill()
            script.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                psql.stdin.close()
            script.wait()
            psql.wait()
        if not whole or psql.returncode:
            # pg_restore also complains of a psql that left early: then psql knows why.
            raise _unchanged(_all_of(psql_said) or _all_of(script_said))


def _feed(script: "subprocess.Popen[bytes]", psql: IO[bytes], after: str) -> bool:
    """Whether all of the script, and the order to keep it, went to psql."""
    assert script.stdout is not None
    try:
        psql.write(f"BEGIN;\n{_PRELUDE}\n".encode())
        shutil.copyfileobj(script.stdout, psql, _AT_ONCE)
        psql.flush()
        if script.wait():
            return False
        psql.write(f"\n{after}\nCOMMIT;\n".encode())
        psql.flush()
    except BrokenPipeError:
        # It stopped at an error: let it say which.
        return True
    return True


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _unchanged(said: str) -> Trouble:
    return Trouble(f"The backup was not restored, and nothing was changed ({tools.reason(said)}).")
