"""`crossdock check reconcile` at a small size: a real worker, a simulated shop, an outage; the shape of the cost is the same as with 100,000 variants."""

import subprocess
import sys


def test_an_outage_costs_what_changed() -> None:
    words = [
        sys.executable,
        "-m",
        "crossdock.cli.main",
        "check",
        "reconcile",
        "--variants",
        "1000",
        "--patience",
        "120",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 pages of changed products read" in done.stdout
    assert "1,000 of 1,000 listings show what the shop counts" in done.stdout
