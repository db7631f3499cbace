"""One machine with the database and one with web server and workers, each with a data folder of its own."""

import http.client
import json
import os
import shutil
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from crossdock.cli.trouble import Trouble
from crossdock_lab.bench.installed import Installed
from crossdock_lab.bench.market import Market

_INSIDE = Path(__file__).with_name("inside.py")
_SOCKET = "from crossdock.config import load; print(load().socket_folder)"
# Of the web machine's disk. A disk with less than 500 MiB left is an alert.
ROOMY, CROWDED = "540m", "400m"


@dataclass(frozen=True, slots=True)
class Page:
    """What a request was answered; status 0: nothing answered."""

    status: int
    text: str


class Machines(Market):
    """Use it as a context manager: the database runs, migrated by `installed`; a web server and a worker too.

    The web machine's data folder is a small disk in memory where this user may mount one (`small_disk`), so that it can
    be filled up without touching the real one.
    """

    small_disk = False

    def _begin(self) -> None:
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.data, self.authority = self.folder / "web", self.folder / "authority.pem"
        self.data.mkdir(mode=0o711)
        self.authority.touch()
        self.small_disk = self._mounted(ROOMY)
        self.database_machine = {**self.environment, "CROSSDOCK_DATA": str(self.folder / "database")}
        self._ends.callback(lambda: self.at_database("database", "stop", may_fail=True))
        self.at_database("database", "start")
        self.environment |= {
            "CROSSDOCK_DATA": str(self.data),
            "DATABASE_URL": self.url_of(self.database_machine),
            "CROSSDOCK_DEMO": "false",
            "CROSSDOCK_METRICS": "true",
            "CROSSDOCK_POLL_SECONDS": "3",
            "SSL_CERT_FILE": str(self.authority),
        }

    def begin(self) -> None:
        """The web server and a worker of what is installed now."""
        self.web, self.worker = self.start("serve"), self.start("work")
        self.until(lambda: self.get("/healthz").status == 200, 90, "the web server to answer")

    def _mounted(self, size: str, *, again: bool = False) -> bool:
        options = f"{'remount,' if again else ''}size={size},mode=0711"
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.data)]
        with suppress(OSError):
            if subprocess.run(words, capture_output=True, check=False).returncode == 0:
                if not again:
                    unmount = ["umount", "-l", str(self.data)]
                    self._ends.callback(subprocess.run, unmount, capture_output=True, check=False)
                return True
        return False

    def resize_disk(self, size: str) -> bool:
        """Never smaller than what is on it: the kernel refuses that."""
        return self.small_disk and self._mounted(size, again=True)

    def used_of_disk(self) -> int:
        """Bytes."""
        return shutil.disk_usage(self.data).used

    def url_of(self, machine: dict[str, str]) -> str:
        words = [str(self.installed.python), "-c", _SOCKET]
        said = subprocess.run(words, env=machine, capture_output=True, text=True, check=True).stdout.strip()
        return f"postgresql://crossdock@{quote(said, safe='')}/crossdock"

    def at_database(self, *words: str, may_fail: bool = False) -> str:
        done = self.asked(*words, machine=self.database_machine)
        if done.returncode and not may_fail:
            raise Trouble(f"{' '.join(words)}: {done.stderr.strip()[-1500:]}")
        return done.stdout

    def asked(self, *words: str, machine: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """A `crossdock` command, however it ends."""
        argv = [str(self.installed.python.with_name("crossdock")), *words]
        return subprocess.run(
            argv, env=machine or self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def upgrade(self, installed: Installed) -> "subprocess.CompletedProcess[str]":
        """The new version's `crossdock migrate`, while the servers of the old one run."""
        self.installed = installed
        return self.asked("migrate")

    def within(self, deed: str, *words: object) -> Any:
        return self.inside(deed, *words, script=_INSIDE)

    def get(self, path: str, *, cookie: str = "", timeout: float = 30) -> Page:
        return self._ask("GET", path, None, {"Cookie": cookie}, timeout)

    def post(self, path: str, fields: dict[str, str], files: dict[str, bytes], *, cookie: str) -> Page:
        """A form as a browser sends it."""
        token = "t" * 32
        head = {"Cookie": f"{cookie}; csrf={token}", "Origin": f"http://127.0.0.1:{self.port}"}
        fields = {**fields, "csrfmiddlewaretoken": token}
        if not files:
            kind, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        else:
            kind, body = "multipart/form-data; boundary=line", _parts(fields, files)
        return self._ask("POST", path, body, {**head, "Content-Type": kind}, 60)

    def _ask(self, method: str, path: str, body: bytes | None, head: dict[str, str], timeout: float) -> Page:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with suppress(OSError, http.client.HTTPException), closing(line):
            line.request(method, path, body, head)
            answer = line.getresponse()
            return Page(answer.status, answer.read().decode(errors="replace"))
        return Page(0, "")

    def doctor(self) -> list[dict[str, str]]:
        """Each finding."""
        return [json.loads(line) for line in self.asked("doctor", "--json").stdout.splitlines()]

    def alive(self, child: "subprocess.Popen[bytes]") -> bool:
        return child.poll() is None

    def lost(self, child: "subprocess.Popen[bytes]") -> None:
        """kill -9, as a power cut would."""
        os.killpg(child.pid, 9)
        child.wait()


def _parts(fields: dict[str, str], files: dict[str, bytes]) -> bytes:
    parts = [
        f'--line\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    body = "".join(parts).encode()
    for name, content in files.items():
        head = f'--line\r\nContent-Disposition: form-data; name="{name}"; filename="p.png"\r\n'
        body += head.encode() + b"Content-Type: image/png\r\n\r\n" + content + b"\r\n"
    return body + b"--line--\r\n"
