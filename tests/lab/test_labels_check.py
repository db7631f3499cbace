"""`python -m crossdock_lab labels` at a small size: a real worker that is killed with -9, a carrier that loses answers;
and the same with a planted bug, which must be noticed.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from crossdock_lab.patience import patient

Play = Future[subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.timeout(420)


def played(*more: str) -> subprocess.CompletedProcess[str]:
    words = [
        sys.executable,
        "-m",
        "crossdock_lab",
        "labels",
        "--labels",
        "40",
        "--patience",
        "200",
        *more,
    ]
    return subprocess.run(words, capture_output=True, text=True, timeout=patient(400), check=False)


@pytest.fixture(scope="module")
def plays() -> Iterator[tuple[Play, Play]]:
    """As it is, and with the bug. Both mostly wait for a carrier, so they wait side by side."""
    with ThreadPoolExecutor(2) as pool:
        yield pool.submit(played), pool.submit(played, "--break", "blind_resend")


def test_labels_are_bought_once_each(plays: tuple[Play, Play]) -> None:
    done = plays[0].result()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 labels stand in the carrier's list, 0 of them sold twice" in done.stdout
    assert "40 labels here are the carrier's" in done.stdout


def test_a_marketplace_that_repeats_blindly_is_noticed(plays: tuple[Play, Play]) -> None:
    done = plays[1].result()
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "stand in the carrier's list" in line]
    assert line.startswith("FAIL") and ", 0 of them sold twice" not in line
