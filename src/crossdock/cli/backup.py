"""`crossdock backup FILE`: one consistent picture of the database, taken while everything runs.

The vault's key is not in it, on purpose: a stolen backup must not open the shops.
"""

import argparse
import os
from pathlib import Path

from crossdock.cli import database, tools
from crossdock.cli.trouble import Trouble
from crossdock.config import load


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)


def run(args: argparse.Namespace) -> int:
    config = load()
    database.ready(migrated=False)
    draft = args.file.with_name(args.file.name + ".part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        done = tools.call(config, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}")
        if done.returncode:
            raise Trouble(f"The backup was not made ({tools.reason(done.stderr)}).")
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        draft.replace(args.file)
    except OSError as error:
        raise Trouble(f"The backup cannot be written to {args.file} ({error.strerror}).") from None
    finally:
        draft.unlink(missing_ok=True)
    pictures = config.data / "media"
    if pictures.is_dir() and any(pictures.iterdir()):
        print(f"Pictures that sellers uploaded are files: copy the folder {pictures} too.")
    keys = "the setting VAULT_KEYS" if config.vault_keys_given else f"the file {config.vault_keys_file}"
    print(f"The database is in {args.file} ({args.file.stat().st_size // 1024} kB).")
    print(
        f"The key that opens the shops' credentials is not: keep a copy of {keys} in another safe place. Without it"
        " every shop has to be reconnected."
    )
    return 0
