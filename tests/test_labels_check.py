"""`crossdock check labels` at a small size: a real worker that is killed with -9, a carrier that loses answers; and the same with a planted bug, which must be noticed."""

import subprocess
import sys

import pytest


def played(*more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "crossdock.cli.main", "check", "labels", "--patience", "150", *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=400, check=False)


@pytest.mark.timeout(420)
def test_labels_are_bought_once_each() -> None:
    done = played("--labels", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 labels stand in the carrier's list, 0 of them sold twice" in done.stdout
    assert "40 labels here are the carrier's" in done.stdout


@pytest.mark.timeout(420)
def test_a_marketplace_that_repeats_blindly_is_noticed() -> None:
    done = played("--labels", "40", "--break", "blind_resend")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "stand in the carrier's list" in line]
    assert line.startswith("FAIL") and ", 0 of them sold twice" not in line
