"""The whole demo as a newcomer starts it: it comes up, goes on after a kill, and leaves nothing behind."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossdock.cli.sandbox import platforms
from crossdock_lab.patience import patient
from crossdock_lab.ports import free_ports

Environment = dict[str, str]
_BEGUN: list["subprocess.Popen[str]"] = []


@pytest.fixture
def environment() -> Iterator[Environment]:
    """A data folder that the database's user can enter, and ports of its own. Whatever is left at the end is ended."""
    folder = Path(tempfile.mkdtemp(prefix="crossdock run "))
    folder.chmod(0o755)
    ports = free_ports(1 + len(platforms()))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CROSSDOCK_")}
    yield {
        **plain,
        "DJANGO_SETTINGS_MODULE": "crossdock.settings",
        "CROSSDOCK_DATA": str(folder),
        "CROSSDOCK_WEB_PORT": str(ports),
        "CROSSDOCK_SANDBOX_PORT": str(ports + 1),
    }
    for pid in _left(folder):
        os.kill(pid, signal.SIGQUIT)
    for process in _BEGUN:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    _BEGUN.clear()
    shutil.rmtree(folder, ignore_errors=True)


def _left(folder: Path) -> list[int]:
    """Every process that works with this folder: ours by their environment, the database by its words."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in told:
            found.append(int(entry.name))
    return found


def _begin(environment: Environment, *words: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "crossdock.cli.main", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _BEGUN.append(process)
    return process


def _until(process: "subprocess.Popen[str]", word: str) -> str:
    """What it said up to the line with this word."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(said)


def _ours(process: "subprocess.Popen[str]", command: str) -> int:
    """The child that runs this command."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return next(int(child) for child in children if command in Path(f"/proc/{child}/cmdline").read_text().split("\0"))


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=patient(20)) as answer:
        return str(answer.read().decode())


def _listed(said: str) -> int:
    return next(int(line.split()[0]) for line in said.splitlines() if line.endswith("cards are listed."))


@pytest.mark.crash
@pytest.mark.timeout(400)
def test_the_demo_from_the_first_start_to_the_last(environment: Environment) -> None:
    folder = Path(environment["CROSSDOCK_DATA"])
    base = f"http://127.0.0.1:{environment['CROSSDOCK_WEB_PORT']}"

    first = _begin(environment, "run")
    said = _until(first, "Ready")
    assert said.count("/_shop") >= 2 * len(platforms())
    assert base in said
    listed = _listed(said)
    assert listed == 60 + 6
    health = json.loads(_get(f"{base}/healthz"))
    assert health["database"] == "ok"
    assert health["worker_heartbeat_age"] is not None
    assert _get(f"{base}/").count('href="/l/') >= 10
    assert stat.S_IMODE((folder / "shops.json").stat().st_mode) == 0o600

    # The worker dies: that is said, and everything else stops.
    os.kill(_ours(first, "work"), signal.SIGKILL)
    rest, _ = first.communicate(timeout=patient(60))
    assert first.returncode == 1
    assert "The worker was killed by signal 9; everything else was stopped." in rest
    assert _left(folder) == []

    # The supervisor dies: its children go with it, the database stays up, and the next start goes on with everything.
    second = _begin(environment, "run")
    _until(second, "Ready")
    second.kill()
    second.communicate()
    end = time.monotonic() + patient(40)
    while len(_left(folder)) > 1 and time.monotonic() < end:
        time.sleep(0.1)
    (database,) = _left(folder)
    third = _begin(environment, "run")
    said = _until(third, "Ready")
    assert _listed(said) == listed
    assert database in _left(folder)

    third.send_signal(signal.SIGINT)
    rest, _ = third.communicate(timeout=patient(60))
    assert (third.returncode, rest.strip()) == (0, "Everything is stopped; the data is kept.")
    assert _left(folder) == []


def test_simulated_shops_keep_their_shelves(environment: Environment) -> None:
    name = platforms()[0]
    listing = Path(environment["CROSSDOCK_DATA"]) / "list.json"
    addresses = []
    for _ in range(2):
        shops = _begin(environment, "sandbox", name, name, "--list", str(listing))
        end = time.monotonic() + patient(60)
        while not listing.exists() and time.monotonic() < end:
            time.sleep(0.05)
        rows = json.loads(listing.read_text())
        addresses.append([(row["platform"], row["address"]) for row in rows])
        assert all(row["way"] and row["form"] for row in rows)
        assert _get(f"{rows[1]['address']}/_shop")
        shops.terminate()
        said, _ = shops.communicate(timeout=patient(30))
        assert shops.returncode == 0, said
        listing.unlink()
    assert addresses[0] == addresses[1]
    assert sorted(path.name for path in (listing.parent / "shops").glob("*.sqlite")) == [
        f"{name}-2.sqlite",
        f"{name}.sqlite",
    ]
