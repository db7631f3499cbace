"""The supervisor: one child's end is everybody's, and nobody outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from crossdock.cli import processes
from crossdock.cli.processes import Household
from crossdock.cli.trouble import Trouble
from crossdock_lab.patience import patient

SLEEPS = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children are small scripts here, and the signals of the test's own process are put back."""
    monkeypatch.setattr(processes, "_argv", lambda words: [sys.executable, "-c", *words])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def household() -> Iterator[Household]:
    house = Household(dict(os.environ))
    yield house
    house.stop()


def _alive(pid: int) -> bool:
    try:
        return b"\nState:\tZ" not in Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return False


def _gone(pids: Sequence[int]) -> bool:
    end = time.monotonic() + patient(10)
    while any(map(_alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(_alive, pids))


def test_a_child_that_ends_is_named(household: Household) -> None:
    household.start("The worker", SLEEPS)
    household.start("The web server", "raise SystemExit(3)")
    with pytest.raises(Trouble, match="The web server ended by itself with code 3; everything else was stopped"):
        household.watch()


def test_a_child_that_is_killed_is_named_and_the_rest_stopped(household: Household) -> None:
    household.start("The worker", SLEEPS)
    household.start("The web server", SLEEPS)
    worker, web = (child.pid for child in household.children.values())
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(Trouble, match="The worker was killed by signal 9"):
        household.watch()
    household.stop()
    assert _gone([worker, web])


def test_the_last_started_stops_first(household: Household, tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, time\n"
        "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2])\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); open(sys.argv[1] + sys.argv[2], 'w'); time.sleep(60)"
    )
    said = tmp_path / "said"
    for name in "abc":
        household.start(name, script, str(said), name)
    household.wait(lambda: len(list(tmp_path.iterdir())) == 3, seconds=20, otherwise="they did not start")
    household.stop()
    assert said.read_text() == "cba"


def test_who_does_not_stop_is_killed_after_the_grace(
    household: Household, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.3)
    ready = tmp_path / "ready"
    household.start(
        "The worker",
        f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w');"
        " time.sleep(60)",
    )
    household.wait(ready.exists, seconds=20, otherwise="it did not start")
    pid = household.children["The worker"].pid
    household.stop()
    assert _gone([pid])


def test_a_step_that_fails_ends_the_start(household: Household) -> None:
    with pytest.raises(Trouble, match="The step ended by itself with code 1; everything was stopped"):
        household.call("The step", "raise SystemExit(1)")


def test_a_step_is_not_waited_for_when_a_child_dies(household: Household) -> None:
    household.start("The worker", "raise SystemExit(4)")
    with pytest.raises(Trouble, match="The worker ended by itself with code 4"):
        household.call("The step", SLEEPS)


def test_waiting_has_an_end(household: Household) -> None:
    with pytest.raises(Trouble, match=r"It never came\."):
        household.wait(lambda: False, seconds=0.2, otherwise="It never came.")


SUPERVISOR = """
import sys
from crossdock.cli import processes
processes._argv = lambda words: [sys.executable, "-c", *words]
processes.listen()
house = processes.Household(dict(__import__("os").environ))
try:
    house.start("a", "import time; time.sleep(60)")
    house.start("b", "import time; time.sleep(60)")
    print(*[child.pid for child in house.children.values()], flush=True)
    house.watch()
except processes.Asked:
    print("asked", flush=True)
finally:
    house.stop()
"""


def _supervisor() -> tuple["subprocess.Popen[str]", list[int]]:
    parent = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, [int(word) for word in parent.stdout.readline().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_stops_everybody(number: signal.Signals) -> None:
    parent, children = _supervisor()
    assert all(map(_alive, children))
    parent.send_signal(number)
    said, _ = parent.communicate(timeout=patient(20))
    assert said.strip() == "asked"
    assert parent.returncode == 0
    assert _gone(children)


@pytest.mark.crash
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_supervisor_leaves_nobody() -> None:
    parent, children = _supervisor()
    assert all(map(_alive, children))
    parent.kill()
    parent.communicate()
    assert _gone(children)
