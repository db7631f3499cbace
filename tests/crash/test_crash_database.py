"""The database is killed and started again under 160 orders: no answer of 500, and each order is there once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.crash
@pytest.mark.timeout(1500)
def test_the_database_dies_under_orders() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "crash" / "crash_database.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=1400,
    )
    lines = [json.loads(line.removeprefix("CRASH ")) for line in done.stdout.splitlines() if line.startswith("CRASH ")]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    assert lines[0]["wrong"] == [], done.stderr[-2000:]
