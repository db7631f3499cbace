"""A marketplace of one installed commit: its own database, web server and worker, driven from outside like any other
server, since an older one has none of this package's modules.
"""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from crossdock.cli.machine import living_in
from crossdock.cli.processes import die_with
from crossdock.cli.trouble import Trouble
from crossdock_lab.bench.installed import Installed
from crossdock_lab.ports import free_ports

_INSIDE = Path(__file__).with_name("inside.py")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of processor time."""

    web: float
    worker: float
    database: float

    @property
    def whole(self) -> float:
        return self.web + self.worker + self.database

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.web - other.web, self.worker - other.worker, self.database - other.database)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.web + other.web, self.worker + other.worker, self.database + other.database)


NOTHING = Spent(0, 0, 0)


class Market:
    """Use it as a context manager. `rows` are how many a bench of many fills in, where somebody said so."""

    def __init__(self, installed: Installed, *, rows: int = 0, **settings: str) -> None:
        self.installed, self.rows, self._settings = installed, rows, settings

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="crossdock-bench-"))
        # The database's own user has to enter it.
        self.folder.chmod(0o711)
        self.port = free_ports()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        self.environment = {
            **kept,
            "CROSSDOCK_DATA": str(self.folder),
            "CROSSDOCK_WEB_PORT": str(self.port),
            "CROSSDOCK_DEMO": "true",
            "CROSSDOCK_ALLOW_LOCAL_SHOPS": "true",
            "CROSSDOCK_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "crossdock.settings",
            **self._settings,
        }
        self._ends = contextlib.ExitStack()
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._ends.callback(self.run, "database", "stop", may_fail=True)
        self.run("database", "start")
        self.run("migrate", "--quiet")
        self.web, self.worker = self.start("serve"), self.start("work")
        self.until(self._healthy, 90, "the web server to answer")

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def simulate(self) -> Path:
        """This commit's own simulated shops, one of each platform, in a process whose time does not count. The file
        that lists them.
        """
        listing = self.folder / "shops.json"
        self.environment["CROSSDOCK_SANDBOX_PORT"] = str(free_ports(8))
        self.start("sandbox", "--list", str(listing))
        self.until(listing.exists, 60, "the simulated shops")
        return listing

    def run(self, *words: str, may_fail: bool = False) -> str:
        return self._python("-m", "crossdock.cli.main", *words, may_fail=may_fail)

    def inside(self, deed: str, *words: object, script: Path = _INSIDE) -> Any:
        """What `inside.py`, or another script, does with this commit's own modules; its last line is JSON."""
        return json.loads(self._python(str(script), deed, *map(str, words)).splitlines()[-1])

    def stop_worker(self) -> None:
        """Where it would change what is measured."""
        self.stop(self.worker)

    def _python(self, *words: str, may_fail: bool = False) -> str:
        argv = [str(self.installed.python), *words]
        done = subprocess.run(argv, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode and not may_fail:
            raise Trouble(f"{self.installed.name}: {' '.join(words[-2:])}: {done.stderr.strip()[-1500:]}")
        return done.stdout

    def start(self, command: str, *words: str) -> "subprocess.Popen[bytes]":
        log = self._ends.enter_context((self.folder / f"{command}.log").open("ab"))
        child = subprocess.Popen(
            [str(self.installed.python), "-m", "crossdock.cli.main", command, *words],
            env=self.environment,
            cwd=self.folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
        )
        self._ends.callback(self.stop, child)
        return child

    @staticmethod
    def stop(child: "subprocess.Popen[bytes]") -> None:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _healthy(self) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(line):
            line.request("GET", "/healthz")
            return line.getresponse().status == 200
        return False

    def until(self, done: Callable[[], bool], seconds: float, what: str, *, every: float = 0.2) -> float:
        """Wait for a fact; how long it took."""
        begun = time.monotonic()
        while not done():
            for name, child in (("serve", self.web), ("work", self.worker)):
                if child.poll() is not None:
                    said = (self.folder / f"{name}.log").read_text(errors="replace")
                    raise Trouble(f"{self.installed.name}: {name} ended by itself: {said[-1500:]}")
            if time.monotonic() - begun > seconds:
                raise Trouble(f"{self.installed.name}: waited {seconds:.0f} s for {what}")
            time.sleep(every)
        return time.monotonic() - begun

    def database(self) -> list[int]:
        """The processes of PostgreSQL: each works in its cluster's folder."""
        return [pid for folder in self.folder.iterdir() if folder.is_dir() for pid in living_in(folder)]

    def spent(self) -> Spent:
        """Since they began, with what their ended children took."""
        return Spent(_of_tree(self.web.pid), _of_tree(self.worker.pid), sum(map(_seconds, self.database())))

    def memory(self) -> dict[str, float]:
        """MB of each, shared pages divided among who shares them (PSS)."""
        parts = {"web": _tree(self.web.pid), "worker": _tree(self.worker.pid), "database": self.database()}
        return {name: sum(map(_megabytes, pids)) for name, pids in parts.items()}


def _seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICK
    return 0.0


def _tree(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    return found


def _of_tree(pid: int) -> float:
    return sum(map(_seconds, _tree(pid)))


def _megabytes(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
