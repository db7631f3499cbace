"""A marketplace's database for the length of one command, in a folder of its own: what is tried there touches no real
order. Nothing of the operator's own settings is used.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from crossdock.cli.database import setup
from crossdock.cli.postgres import Cluster
from crossdock.cli.trouble import Trouble
from crossdock.config import Config

FOREIGN = ("DATABASE_URL", "PUBLIC_URL", "SECRET_KEY", "VAULT_KEYS")


@dataclass(frozen=True)
class Scratch:
    """The folder and its database; this process is set up to use them."""

    folder: Path
    cluster: Cluster


@contextmanager
def orderly() -> Iterator[None]:
    """Asked to end (a time limit, say): leave by the ordinary way, so that no server is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def no_second_time() -> None:
    """Asked once more, in the middle of the end, would leave the rest of it standing."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def scratch(
    settings: Mapping[str, str] | None = None,
    *,
    kept: tuple[str, ...] = (),
    begin: Path | None = None,
    migrated: bool = True,
) -> Iterator[Scratch]:
    """`settings` are added; `kept` are beginnings of names in the environment that stay; `begin` is a migrated cluster
    to copy instead of migrating an empty one; `migrated=False` leaves it empty.
    """
    with orderly(), ExitStack() as ends:
        try:
            made = _made(ends, settings or {}, kept, begin)
            if migrated:
                _migrate()
            yield made
        finally:
            no_second_time()


def _made(ends: ExitStack, settings: Mapping[str, str], kept: tuple[str, ...], begin: Path | None) -> Scratch:
    """What is begun here, `ends` knows how to end."""
    folder = Path(tempfile.mkdtemp(prefix="crossdock-trial-"))
    ends.callback(shutil.rmtree, folder, ignore_errors=True)
    # Ours alone, but the system user of the database has to enter it.
    folder.chmod(0o711)
    for name in [*os.environ]:
        # Settings are read whatever the case of their names.
        upper = name.upper()
        if upper in FOREIGN or (upper.startswith("CROSSDOCK_") and not name.startswith(kept)):
            del os.environ[name]
    os.environ.update(
        CROSSDOCK_DATA=str(folder),
        CROSSDOCK_DEMO="true",
        CROSSDOCK_ALLOW_LOCAL_SHOPS="true",
        CROSSDOCK_LOG_LEVEL="WARNING",
        DJANGO_SETTINGS_MODULE="crossdock.settings",
    )
    os.environ.update(settings)
    config = Config()
    if not config.embedded or config.data != folder:
        raise Trouble("Nothing was tried: the settings lead to another database than one of our own.")
    cluster = Cluster.of(config, durable=False, seed=begin)
    ends.callback(cluster.stop)
    cluster.start()
    setup()
    from django.db import connections

    ends.callback(connections.close_all)
    return Scratch(folder, cluster)


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    # Where sign-in counts its attempts.
    call_command("createcachetable", verbosity=0)
