"""A throw-away marketplace for the story, the checks and the crash tests: own data folder, real database, web server,
workers, simulated shops.

Worker and web server are processes of their own, so that they can be killed with -9. The simulated shops run here, in
a thread with its own loop.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crossdock.cli.processes import die_with
from crossdock.cli.scratch import no_second_time, scratch
from crossdock_lab import seed
from crossdock_lab.patience import patient
from crossdock_lab.ports import free_ports

if TYPE_CHECKING:
    from crossdock.kit.sandbox import Sandbox

T = TypeVar("T")
# Of the settings in the environment only these reach a trial.
KEPT = ("CROSSDOCK_CRASH_", "CROSSDOCK_TEST_")


# To the kernel a child's parent is the thread that made it, and `die_with` acts on that thread's end: so one thread,
# which lives as long as we do, makes all of them, whoever asks.
_births = ThreadPoolExecutor(1, thread_name_prefix="births")


class Waited(Exception):
    """What was waited for did not come in time; the message says what."""


@dataclass
class Process:
    """One `crossdock` command as a child; its output goes to a file that a failure prints."""

    command: str
    environment: Mapping[str, str]
    log: Path
    program: tuple[str, ...] = ("crossdock.cli.main",)
    child: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self, **extra: str) -> None:
        words = [sys.executable, "-m", *self.program, self.command]
        with self.log.open("ab") as log:
            self.child = _births.submit(
                subprocess.Popen,
                words,
                env={**self.environment, **extra},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
            ).result()

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.kills += 1
        self.wait()

    def stop(self, patience_seconds: float = 20) -> None:
        """SIGTERM, and only then -9."""
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(patient(patience_seconds))
            except subprocess.TimeoutExpired:
                self.kill()
        self.wait()

    def wait(self, seconds: float | None = None) -> int | None:
        return self.child.wait(seconds) if self.child is not None else None

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    @property
    def fell(self) -> bool:
        """Ended by itself, badly; a kill is no such end."""
        return self.child is not None and (self.child.poll() or 0) > 0

    @property
    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


@dataclass
class Trial:
    """Use it as a context manager.

    `environment` is added to the children's; nothing of the operator's own settings is used. `bug` is planted in them.
    """

    environment: dict[str, str] = field(default_factory=dict)
    poll_seconds: float = 3.0
    bug: str = ""
    shops: list["Sandbox"] = field(default_factory=list)

    def __enter__(self) -> "Trial":
        self.port = free_ports()
        self._ends = contextlib.ExitStack()
        place = self._ends.enter_context(
            scratch(
                {"CROSSDOCK_WEB_PORT": str(self.port), "CROSSDOCK_POLL_SECONDS": str(self.poll_seconds)},
                kept=KEPT,
                begin=seed.there(),
            )
        )
        self.folder, self.cluster = place.folder, place.cluster
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        """What is begun here, `_ends` knows how to end."""
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="simulated-shops", daemon=True)
        self._thread.start()
        self._ends.callback(self._end_loop)
        children = {**os.environ, **self.environment}
        program = ("crossdock_lab.entry", self.bug) if self.bug else ("crossdock.cli.main",)
        self.web = Process("serve", children, self.folder / "web.log", program)
        self.worker = Process("work", children, self.folder / "worker.log", program)
        self._ends.callback(self.web.stop, 10)
        self._ends.callback(self.worker.stop, 10)

    def _end_loop(self) -> None:
        for shop in self.shops:
            with contextlib.suppress(Exception):
                self.call(shop.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    def __exit__(self, *_: object) -> None:
        no_second_time()
        self._ends.close()

    def call(self, coroutine: Coroutine[Any, Any, T], seconds: float = 60) -> T:
        """Run something of the simulated shops' in their loop."""
        return self.begin(coroutine).result(patient(seconds))

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """The same, without waiting for its end."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def open_shop(self, platform: str, *, seed: int = 0) -> "Sandbox":
        """Start a simulated shop with its ledger in a file of the trial's folder."""
        from crossdock.kit import discover
        from crossdock.kit.sandbox import Shelf

        async def start() -> "Sandbox":
            shop = discover.sandbox(platform)(Shelf(":memory:"), seed=seed)
            await shop.start()
            return shop

        shop = self.call(start())
        self.shops.append(shop)
        return shop

    def start_web(self) -> None:
        self.web.start()
        self.until(self._healthy, 60, "the web server to answer")

    def _healthy(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def until(self, done: Callable[[], bool], seconds: float, what: str, *, every: float = 0.1) -> float:
        """Wait for a fact; how long it took. `seconds` are those of a quiet machine.

        Raises Waited with the children's last words, at once when one of them fell.
        """
        begun, most = time.monotonic(), patient(seconds)
        while not done():
            if (waited := time.monotonic() - begun) > most or self.worker.fell or self.web.fell:
                raise Waited(
                    f"waited {waited:.0f} s for {what}\n--- worker\n{self.worker.tail}\n--- web\n{self.web.tail}"
                )
            time.sleep(every)
        return time.monotonic() - begun
