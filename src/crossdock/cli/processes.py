"""The processes of one machine under one supervisor: when one dies by itself the others are stopped; when the
supervisor dies they get SIGTERM.

Children live in sessions of their own, so that the terminal's Ctrl-C reaches the supervisor alone and the order of
stopping is its choice.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from crossdock.cli.trouble import Trouble

GRACE_SECONDS = 25.0
_TICK_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Asked(BaseException):
    """Somebody asked us to stop: Ctrl-C, SIGTERM, or the terminal went away."""


def listen() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP raise Asked, wherever we are."""

    def ask(number: int, frame: FrameType | None) -> None:
        raise Asked

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)


@dataclass
class Household:
    """The children in the order of their start; they are stopped from the last to the first."""

    environment: Mapping[str, str]
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *words: str) -> None:
        """`name` is what the operator reads when it dies."""
        self.children[name] = subprocess.Popen(
            _argv(words),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
        )

    def call(self, name: str, *words: str) -> None:
        """Run a command to its end, watching the others meanwhile. Raises Trouble when it fails; it has said why."""
        child = subprocess.Popen(
            _argv(words),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
        )
        try:
            while child.poll() is None:
                self.check()
                time.sleep(_TICK_SECONDS)
        finally:
            if child.poll() is None:
                _end([child])
        if child.returncode:
            raise Trouble(f"{name} {_ending(child.returncode)}; everything was stopped.")

    def wait(self, until: Callable[[], bool], *, seconds: float, otherwise: str) -> None:
        end = time.monotonic() + seconds
        while not until():
            self.check()
            if time.monotonic() > end:
                raise Trouble(otherwise)
            time.sleep(_TICK_SECONDS)

    def check(self) -> None:
        """Raises Trouble when a child has ended by itself."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise Trouble(f"{name} {_ending(child.returncode)}; everything else was stopped.")

    def watch(self) -> None:
        """Until something ends."""
        while True:
            self.check()
            time.sleep(_TICK_SECONDS)

    def stop(self) -> None:
        """Everybody, the youngest first. A second Ctrl-C kills at once."""
        hurry = False

        def now(number: int, frame: FrameType | None) -> None:
            nonlocal hurry
            hurry = True

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, now)
        for child in reversed(self.children.values()):
            _end([child], hurried=lambda: hurry)
        self.children.clear()


def _argv(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "crossdock.cli.main", *words]


def _end(children: Sequence["subprocess.Popen[bytes]"], *, hurried: Callable[[], bool] = lambda: False) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    end = time.monotonic() + GRACE_SECONDS
    for child in children:
        while child.poll() is None:
            if hurried() or time.monotonic() > end:
                # The whole session: a web server may have processes of its own.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            time.sleep(0.02)


def die_with(parent: int) -> Callable[[], None] | None:
    """Runs in the child before the program: when the supervisor is killed with -9, the kernel sends SIGTERM.

    Only Linux has that.
    """
    if _libc is None:
        return None

    def arrange() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _ending(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended by itself with code {code}"
