"""`python -m crossdock_lab labels` notices a planted bug. The play with kills by -9 is `make soak`'s."""

import subprocess
import sys

import pytest

from crossdock_lab.patience import patient


@pytest.mark.timeout(420)
def test_a_marketplace_that_repeats_blindly_is_noticed() -> None:
    words = ["labels", "--labels", "30", "--no-kills", "--break", "blind_resend", "--patience", "200"]
    play = [sys.executable, "-m", "crossdock_lab", *words]
    done = subprocess.run(play, capture_output=True, text=True, timeout=patient(400), check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "stand in the carrier's list" in line]
    assert line.startswith("FAIL") and ", 0 of them sold twice" not in line
