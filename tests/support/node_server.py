"""A vendor's server in Node, run on loopback and ended by its own pid."""

import contextlib
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from crossdock_lab.patience import patient
from npm_package import node

START_SECONDS = 240


class NodeServer:
    """What its kind starts with `_run`, and waits for until `<address>/health` answers 200."""

    _process: subprocess.Popen[bytes] | None = None

    def _run(
        self,
        *words: str,
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        address: str,
        ready: Callable[[str], bool] = lambda said: True,
    ) -> None:
        """`ready` judges the log so far, for a server that is healthy before it is ready. Raises RuntimeError."""
        with log.open("ab") as written:
            self._process = subprocess.Popen(
                [node(), *words], cwd=folder, env=environment, stdout=written, stderr=written
            )
        deadline = time.monotonic() + patient(START_SECONDS)
        while time.monotonic() < deadline and self._process.poll() is None:
            if ready(log.read_text()) and _healthy(address):
                return
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"{type(self).__name__} did not start:\n" + log.read_text()[-3000:])

    def stop(self) -> None:
        """By its own pid, and only that."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(patient(20))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None


def _healthy(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=patient(5)) as reply:
        return bool(reply.status == 200)
    return False
