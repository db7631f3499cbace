"""What a backup is: a tar of the database as PostgreSQL's own dump, the pictures that sellers uploaded, a list of what
is in it, so that a file without its end is known, and the list's seal.

The vault's key is not in it, on purpose: a stolen backup must not open the shops. Its fingerprint is, so that a restore
says which key is missing. Sessions are not in it either: a stolen backup signs nobody in, and a restored one revives
none that was ended.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from crossdock.cli import tools
from crossdock.cli.backups import seal
from crossdock.cli.backups.seal import Seal
from crossdock.cli.trouble import Trouble
from crossdock.config import Config

DUMP, PICTURES, LIST, SEAL = "database.dump", "pictures/", "contents.json", "contents.seal"
# Their tables come back empty: who is signed in, and what is remembered for minutes.
LEFT_OUT = ("django_session", "usersessions_usersession", "django_cache", "store_datapart")
# PostgreSQL's custom format: a backup made before pictures were in it is that alone.
PLAIN = b"PGDMP"
_BLOCK, _AT_ONCE = 512, 1024**2
_NAME = re.compile(r"pictures/[0-9A-Za-z][\w.-]{0,150}")
_LONGEST_LIST = 256 * 1024**2


@dataclass(frozen=True)
class Contents:
    """`rows` per table and `figures` of money and stock are of the moment that the dump shows; of the tables in
    `left_out` no row is in it.
    """

    made_at: str = ""
    version: str = ""
    database: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    vault_keys: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def write(draft: Path, config: Config, told: Callable[[str], Contents], *, snapshot: str) -> Contents:
    """`told` makes the list from the dump's hash, while the snapshot that is dumped is still open."""
    with open(draft, "r+b") as file:
        file.write(b"\0" * _BLOCK)
        sha = _dump(config, file, snapshot)
        size = file.tell() - _BLOCK
        file.write(b"\0" * (-size % _BLOCK))
        file.seek(0)
        file.write(_header(DUMP, size))
        file.seek(0, os.SEEK_END)
        contents = told(sha)
        hashes = {}
        for path in pictures(config):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                # Nothing shows it any more: it was deleted since the folder was read.
                continue
            _add(file, PICTURES + path.name, data)
            hashes[path.name] = hashlib.sha256(data).hexdigest()
        contents = Contents(**{**asdict(contents), "pictures": hashes})
        listed = json.dumps(asdict(contents), indent=1).encode()
        _add(file, LIST, listed)
        _add(file, SEAL, seal.sealed(listed, config.vault_keys[0]))
        file.write(b"\0" * 2 * _BLOCK)
        file.flush()
        os.fsync(file.fileno())
    return contents


def pictures(config: Config) -> list[Path]:
    folder = config.data / "media" / "pictures"
    return sorted(path for path in folder.glob("*") if path.is_file() and _NAME.fullmatch(PICTURES + path.name))


def _dump(config: Config, file: IO[bytes], snapshot: str) -> str:
    words = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    words += [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    sha = hashlib.sha256()
    dumped = subprocess.Popen(
        [tools.program("pg_dump"), *words],
        env=tools.environment(config),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert dumped.stdout is not None and dumped.stderr is not None
    try:
        while part := dumped.stdout.read(_AT_ONCE):
            sha.update(part)
            file.write(part)
    except OSError:
        dumped.kill()
        raise
    finally:
        dumped.stdout.close()
        said = dumped.stderr.read().decode(errors="replace")
        dumped.stderr.close()
        code = dumped.wait()
    if code:
        raise Trouble(f"The backup was not made ({tools.reason(said)}).")
    return sha.hexdigest()


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _add(file: IO[bytes], name: str, data: bytes) -> None:
    file.write(_header(name, len(data)))
    file.write(data)
    file.write(b"\0" * (-len(data) % _BLOCK))


@dataclass(frozen=True)
class Opened:
    """A backup that was looked through: whole, and every part of it with its right hash. `contents` is None for one
    that was made before it held more than the database.
    """

    dump: Path
    contents: Contents | None
    file: Path
    seal: Seal = Seal.NONE

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        if self.contents is None:
            return
        with tarfile.open(self.file, "r:") as tar:
            for member in tar:
                if _NAME.fullmatch(member.name):
                    yield member.name.removeprefix(PICTURES), _content(tar, member).read()


@contextmanager
def opened(file: Path, folder: Path, keys: Sequence[str]) -> Iterator[Opened]:
    """`folder` takes the dump for as long as it is needed; `keys` are the vault's, for the seal. Raises Trouble."""
    try:
        with open(file, "rb") as start:
            plain = start.read(len(PLAIN)) == PLAIN
    except OSError as error:
        raise Trouble(f"The backup {file} cannot be read ({error.strerror}).") from None
    if plain:
        yield Opened(file, None, file)
        return
    dump = folder / DUMP
    try:
        contents, proved = _looked_through(file, dump, keys)
    except (tarfile.TarError, EOFError):
        raise Trouble(f"{file} is not a backup made by `crossdock backup`, or not a whole one.") from None
    except OSError as error:
        raise Trouble(f"The backup {file} cannot be unpacked into {folder} ({error.strerror}).") from None
    try:
        yield Opened(dump, contents, file, proved)
    finally:
        dump.unlink(missing_ok=True)


def _looked_through(file: Path, dump: Path, keys: Sequence[str]) -> tuple[Contents, Seal]:
    found: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    with tarfile.open(file, "r:") as tar:
        for member in tar:
            _as_we_write(file, member, {*found, *texts})
            if member.name in (LIST, SEAL):
                texts[member.name] = _content(tar, member).read(_LONGEST_LIST)
            elif member.name == DUMP:
                with open(dump, "wb") as target:
                    shutil.copyfileobj(_content(tar, member), target, _AT_ONCE)
                found[DUMP] = _sha(dump)
            else:
                # Of any length: what is no picture of ours may be longer than the memory.
                found[member.name] = _digest(_content(tar, member))
    if LIST not in texts or DUMP not in found:
        raise EOFError
    contents = _read(texts[LIST])
    try:
        proved = seal.looked_at(texts[LIST], texts.get(SEAL), keys)
    except seal.Broken:
        raise Trouble(
            f"The backup {file} was changed after it was written: its list of contents does not fit its seal. Use"
            " another copy of it."
        ) from None
    right = {DUMP: contents.database} | {PICTURES + name: sha for name, sha in contents.pictures.items()}
    if unlisted := sorted(found.keys() - right.keys()):
        raise _foreign(file, unlisted[0], "which is not in its list of contents")
    wrong = sorted(name for name, sha in right.items() if found.get(name) != sha)
    if wrong:
        raise Trouble(
            f"The backup {file} is damaged: {wrong[0]}{f' and {len(wrong) - 1} more' if wrong[1:] else ''} is not what"
            " was put in."
        )
    return contents, proved


def _as_we_write(file: Path, member: tarfile.TarInfo, before: Collection[str]) -> None:
    """Plain files under names of ours, each once. Raises Trouble for links, folders, sparse files and other paths."""
    if member.type != tarfile.REGTYPE or member.issparse():
        raise _foreign(file, member.name, "which is no plain file")
    if member.name not in (DUMP, LIST, SEAL) and not _NAME.fullmatch(member.name):
        raise _foreign(file, member.name, "a name that no backup has")
    if member.name in before:
        raise _foreign(file, member.name, "twice")


def _foreign(file: Path, name: str, what: str) -> Trouble:
    return Trouble(
        f"{file} is not as `crossdock backup` wrote it: it holds {name[:80]!r}, {what}. Nothing was unpacked; use"
        " another copy of it."
    )


def _digest(content: IO[bytes]) -> str:
    sha = hashlib.sha256()
    while part := content.read(_AT_ONCE):
        sha.update(part)
    return sha.hexdigest()


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    assert content is not None
    return content


def _sha(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(text: bytes) -> Contents:
    try:
        told = json.loads(text)
        # One that is older than the list of what is left out left nothing out.
        told.setdefault("left_out", [])
        return Contents(**{name: told[name] for name in Contents.__dataclass_fields__})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EOFError from None


# What must be the same after a restore, to the unit and the cent: (the table it is of, a query of names and numbers).
_FIGURES: Sequence[tuple[str, str]] = (
    (
        "store_entry",
        "SELECT 'books: ' || split_part(account, ':', 1) || ' in ' || currency, sum(amount_minor) FROM store_entry"
        " GROUP BY 1",
    ),
    ("store_order", "SELECT 'orders in ' || currency, sum(total_minor) FROM store_order GROUP BY 1"),
    ("store_variantstock", "SELECT 'units counted', coalesce(sum(count), 0) FROM store_variantstock"),
    ("store_reservation", "SELECT 'units ' || state, sum(quantity) FROM store_reservation GROUP BY 1"),
)


def rows_and_figures() -> tuple[dict[str, int], dict[str, str]]:
    """Of the database that Django is connected to, in the transaction that is open."""
    from django.db import connection

    figures: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [str(name) for (name,) in cursor.fetchall()]
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - the server's own names
            rows[table] = int(cursor.fetchone()[0])
        for table, query in _FIGURES:
            if table in rows:
                cursor.execute(query)
                figures |= {str(name): str(value) for name, value in cursor.fetchall()}
    return rows, figures
