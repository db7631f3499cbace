"""How long to wait for a fact on this machine.

Every patience in the checks and tests is written for a quiet machine and multiplied by one factor, so that a loaded
one waits longer and proves the same. Waiting ends with the fact, so a large factor costs nothing where all is well.
"""

import os
import subprocess
import sys
import time

NAME = "CROSSDOCK_TEST_PATIENCE"
# Load comes and goes: also a machine that is quiet at the start may be busy a minute later.
_LEAST, _MOST = 3.0, 30.0
# What the two measurements take on the quiet two-core machine that the patiences were written on, in seconds.
_COUNTING, _STARTING = 0.06, 0.03


def factor() -> float:
    """What this process multiplies its patience with; 1 where nobody set it."""
    try:
        return max(1.0, float(os.environ.get(NAME, "1")))
    except ValueError:
        return 1.0


def patient(seconds: float) -> float:
    """`seconds` on a quiet machine, as this one needs them."""
    return seconds * factor()


def measured() -> float:
    """A factor from a second's measurement: how much slower than a quiet machine this one counts and starts a process.

    The slowest of several, since what hurts a test is the worst moment.
    """
    slowest = 1.0
    for _ in range(5):
        begun = time.perf_counter()
        sum(range(3_000_000))
        counted = time.perf_counter()
        subprocess.run([sys.executable, "-S", "-c", ""], check=False)
        started = time.perf_counter()
        slowest = max(slowest, (counted - begun) / _COUNTING, (started - counted) / _STARTING)
    return round(min(_MOST, _LEAST * slowest), 1)
