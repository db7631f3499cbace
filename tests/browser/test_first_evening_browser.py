"""A seller's first evening from sign-up to the first test order, in a real Chromium and a process of its own, on one
platform; `make evenings` plays all.
"""

import subprocess
import sys
from pathlib import Path

import pytest

import picking
from crossdock_lab.patience import patient

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.mark.parametrize("platform", picking.platforms()[:1])
def test_from_sign_up_to_the_first_test_order(platform: str) -> None:
    words = [sys.executable, str(ROOT / "tests" / "support" / "first_evening.py"), platform]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=patient(800))
    facts = [line for line in done.stdout.splitlines() if line.startswith("ok   M6")]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    # What it is about was seen, and not only that nothing was wrong.
    assert any("test order stands in the shop" in line for line in facts) and len(facts) >= 6, done.stdout
