"""`crossdock backup --verify FILE`: whether this backup would come back, and whole.

It is restored into a database of our own that is thrown away; nothing of the marketplace that runs is touched or asked.
"""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from crossdock.cli import database
from crossdock.cli.backups import archive, restore
from crossdock.cli.backups.archive import Contents, Opened
from crossdock.cli.backups.seal import Seal, fingerprint
from crossdock.cli.doctor import inside
from crossdock.cli.doctor.finding import Finding, State, fix, look, ok
from crossdock.cli.scratch import Scratch, scratch
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load

_MOST = 5


def run(file: Path) -> int:
    """0 when the backup is whole and the present keys open it, else 1. Raises Trouble where it cannot be read."""
    keys = load().vault_keys
    bad = 0
    with (
        tempfile.TemporaryDirectory(prefix="crossdock-verify-") as folder,
        archive.opened(file, Path(folder), keys) as found,
    ):
        for finding in _findings(found, keys, Path(folder)):
            bad += finding.state is State.FIX
            print(f"{finding.state:<4}  {finding.about}: {finding.said}{' ' + finding.do if finding.do else ''}")
    print(f"{file} {'would not come back whole' if bad else 'comes back'}.")
    return 1 if bad else 0


def _findings(found: Opened, keys: tuple[str, ...], folder: Path) -> Iterator[Finding]:
    if found.contents is None:
        yield look("file", "It was made before backups counted what they hold.", "Make a new one with this version.")
    else:
        yield ok("file", f"Whole, of {found.contents.made_at}, made by version {found.contents.version}.")
        yield _seal(found.seal)
        yield _pictures(found)
        yield _keys(found.contents, keys)
    with scratch({"VAULT_KEYS": " ".join(keys)}, migrated=False) as place:
        config = Config()
        _our_own(config, place)
        restore.of_our_version(config, found.dump)
        restore.put_back(config, found.dump, folder)
        yield ok("database", "PostgreSQL takes it back.")
        if found.contents is not None:
            yield from compared(found.contents, *archive.rows_and_figures())
        missing, _ = database.migrations()
        if missing:
            yield look("rules", "Not looked at: it is of an older version.", "`crossdock migrate` follows a restore.")
        else:
            yield from _rules(found.contents)
            yield from inside.secrets(config)


def _our_own(config: Config, place: Scratch) -> None:
    """Everything in the database is about to be dropped: it must be the one that was begun for this."""
    from django.db import connection

    socket = str(place.cluster.socket)
    if not config.embedded or str(config.socket_folder) != socket or connection.settings_dict["HOST"] != socket:
        raise Trouble("Nothing was verified: the settings lead to another database than the one made for it.")


def compared(contents: Contents, rows: dict[str, int], figures: dict[str, str]) -> Iterator[Finding]:
    """What the backup says that it holds against what came back."""
    short = [
        f"{table} has {rows.get(table, 0)} of {many} rows"
        for table, many in contents.rows.items()
        if rows.get(table) != many
    ]
    off = [
        f"{name} is {figures.get(name, '0')} instead of {value}"
        for name, value in contents.figures.items()
        if figures.get(name) != value
    ]
    out = f" Left out: {', '.join(contents.left_out)}." if contents.left_out else ""
    yield _told("rows", short, f"{sum(rows.values())} in {len(rows)} tables, as many as were put in.{out}")
    yield _told("money and stock", off, "To the unit what they were.")


def _told(about: str, wrong: list[str], right: str) -> Finding:
    if not wrong:
        return ok(about, right)
    more = f", and {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
    return fix(about, f"{'; '.join(wrong[:_MOST])}{more}.", "Make another backup and verify it.")


def _pictures(found: Opened) -> Finding:
    """Their bytes were compared when the file was opened."""
    assert found.contents is not None
    many = len(found.contents.pictures)
    return ok("pictures", f"{many} with the bytes that they had." if many else "There were none.")


def _seal(seal: Seal) -> Finding:
    match seal:
        case Seal.PROVED:
            return ok("seal", "It is as it was written.")
        case Seal.ANOTHER_KEY:
            return look("seal", "Not looked at: it was made under a key that is not here.", "See the line about keys.")
        case Seal.NONE:
            return look("seal", "It has none, so whoever could write the file may have changed it.", "Make a new one.")


def _keys(contents: Contents, keys: tuple[str, ...]) -> Finding:
    present = {fingerprint(key) for key in keys}
    if not contents.vault_keys or contents.vault_keys[0] in present:
        return ok("keys", "The vault's key of that time is configured here.")
    return fix(
        "keys",
        f"The vault's key of that time (fingerprint {contents.vault_keys[0]}) is not configured here, and no backup"
        " holds it: shops' credentials and second factors stay shut.",
        "Add it to VAULT_KEYS from its copy in the other safe place.",
    )


def _rules(contents: Contents | None) -> Iterable[Finding]:
    """As of the moment of the backup: a checkout's time goes on, and the restored database stands still."""
    from crossdock.engine.invariants import ALL

    now = datetime.fromisoformat(contents.made_at) if contents else datetime.now(UTC)
    broken = [rule.sentence for rule in ALL if rule.broken(now=now)]
    wrong = [f'"{sentence}" does not hold' for sentence in broken]
    yield (
        look("rules", f"{'; '.join(wrong)}. It may have been so when the backup was made.", "See staff's alerts.")
        if wrong
        else ok("rules", "What must always hold of money and stock holds.")
    )
