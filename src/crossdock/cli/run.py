"""`crossdock run`: one command for the whole demo.

Everything that it starts it also stops; a database started by hand it leaves alone.
"""

import argparse
import fcntl
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossdock.cli import ports, processes
from crossdock.cli.postgres import NEEDED_BYTES, Cluster
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load

START_SECONDS = 90.0


def words(parser: argparse.ArgumentParser) -> None:
    fresh = os.environ.get("FRESH", "") not in ("", "0")
    parser.add_argument(
        "--fresh", action="store_true", default=fresh, help="throw the demo's data away and start over (FRESH=1)"
    )


def run(args: argparse.Namespace) -> int:
    config = load()
    processes.listen()
    household = processes.Household(_environment(config))
    cluster = Cluster.of(config) if config.embedded else None
    try:
        with _alone(config):
            try:
                _start(config, household, cluster, fresh=args.fresh)
                household.watch()
            finally:
                household.stop()
                if cluster is not None and not cluster.keep.exists():
                    cluster.stop()
    except processes.Asked:
        print("\nEverything is stopped; the data is kept.")
    return 0


def _environment(config: Config) -> dict[str, str]:
    """What the children get: a demo whose shops stand on this machine, so that its own loopback address is public
    enough.
    """
    return {
        "CROSSDOCK_DEMO": "true",
        "CROSSDOCK_LOG_LEVEL": "WARNING",
        **os.environ,
        "CROSSDOCK_DATA": str(config.data),
        **({} if config.public_url else {"PUBLIC_URL": config.local_url}),
    }


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """One run per data folder; the kernel lets go when it dies."""
    try:
        config.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        file = open(config.data / "run.lock", "a+")  # noqa: SIM115
    except OSError as error:
        raise Trouble(
            f"The folder {config.data} cannot be used ({error.strerror}); choose another with CROSSDOCK_DATA."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"Crossdock is running already with the data in {config.data}; stop it first, or choose another folder"
                " with CROSSDOCK_DATA."
            ) from None
        yield


def _start(config: Config, household: processes.Household, cluster: Cluster | None, *, fresh: bool) -> None:
    from crossdock.cli.sandbox import platforms

    names = platforms()
    ports.free(config.web_host, config.web_port, what="the web server", setting="CROSSDOCK_WEB_PORT")
    for port in range(config.sandbox_port, config.sandbox_port + len(names)):
        ports.free("127.0.0.1", port, what="a simulated shop", setting="CROSSDOCK_SANDBOX_PORT")
    free = shutil.disk_usage(config.data).free
    if free < NEEDED_BYTES:
        raise Trouble(
            f"Only {free // 1024**2} MB are free at {config.data}; the demo needs {NEEDED_BYTES // 1024**2} MB."
        )
    if fresh:
        _forget(config, cluster)
    if cluster is not None:
        cluster.start()
    listing = config.data / "shops.json"
    listing.unlink(missing_ok=True)
    household.start("The simulated shops", "sandbox", "--list", str(listing))
    household.call("Bringing the database to this version", "migrate", "--quiet")
    household.wait(
        listing.exists, seconds=START_SECONDS, otherwise="The simulated shops did not come up; everything was stopped."
    )
    household.start("The worker", "work")
    household.start("The web server", "serve")
    household.wait(
        lambda: _answers(config),
        seconds=START_SECONDS,
        otherwise="The web server did not answer; everything was stopped.",
    )
    print(f"\n  Marketplace        {config.public_url or config.local_url}/", flush=True)
    for row in json.loads(listing.read_text()):
        print(f"  Simulated shop     {row['address']}/_shop", flush=True)
    household.call("Filling the demo world", "world", str(listing))
    print("\nReady. Ctrl-C stops everything.", flush=True)


def _forget(config: Config, cluster: Cluster | None) -> None:
    """Only what this program has made, by name; keys and settings stay."""
    if cluster is None:
        raise Trouble(
            "FRESH starts over by removing the embedded database; yours at DATABASE_URL has to be emptied by you."
        )
    cluster.stop()
    for path in (cluster.folder, config.data / "shops", config.data / "media"):
        _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.exists():
            shutil.rmtree(path)
    except OSError as error:
        raise Trouble(f"{error.filename or path} cannot be removed ({error.strerror}).") from None


def _answers(config: Config) -> bool:
    """Whether the web server and its database are up."""
    try:
        with urllib.request.urlopen(f"{config.local_url}/healthz", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
