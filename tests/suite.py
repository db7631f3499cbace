"""Runs pytest, and what failed once more, alone: `python tests/suite.py [words for pytest]`.

A test that passes alone prints `flaky: <name>` and does not fail the run; one that fails again does. A collection that
broke, and more failures than a loaded machine explains, are believed at once. Ends with the counts on a line of their
own, and with exit code 0 only when every test has passed in the end and there was at least one. Before them stand
the files that took most of the processor, so that what grows is seen while it is small.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

MOST = 12
DEAREST = 10
_INSIDE = "--report-to"


class Outcomes:
    """What became of each test. Of its three reports the worst counts, and a skip is one of them.

    `cost` is each file's seconds of the processor, as tests/support/processor.py tells them.
    """

    def __init__(self) -> None:
        self.worst: dict[str, str] = {}
        self.cost: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rank = ("passed", "skipped", "failed").index
        self.worst[report.nodeid] = max(self.worst.get(report.nodeid, "passed"), report.outcome, key=rank)
        self.cost[report.nodeid.partition("::")[0]] += dict(report.user_properties).get("processor", 0)


def inside(report: Path, words: list[str]) -> int:
    """pytest itself, in a process of its own; outcome by name is written to `report`."""
    outcomes = Outcomes()
    code = int(pytest.main(words, plugins=[outcomes]))
    report.write_text(json.dumps([outcomes.worst, outcomes.cost]))
    return code


def run(words: list[str]) -> tuple[int, dict[str, str], dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run([sys.executable, __file__, _INSIDE, str(report), *words], check=False)
        return done.returncode, *(json.loads(report.read_text()) if report.exists() else ({}, {}))


def dearest(cost: dict[str, float]) -> list[str]:
    """A line for the sum and one for each of the files that took most, from a second on."""
    files = [(file, seconds) for file, seconds in Counter(cost).most_common(DEAREST) if seconds >= 1]
    whole = f"{sum(cost.values()):7.0f} s of the processor in all, beside the database's"
    return [whole, *(f"{seconds:7.1f} s {file}" for file, seconds in files)] if files else []


def main(words: list[str]) -> int:
    code, outcomes, cost = run(words)
    failed = [name for name, outcome in outcomes.items() if outcome == "failed"]
    flaky: list[str] = []
    if code == 1 and len(failed) <= MOST:
        for name in failed:
            print(f"\n=== once more, alone: {name}", flush=True)
            # Where tests are shared out by group, the group's name stands behind the test's.
            if run([name.rpartition("@")[0] or name if "loadgroup" in words else name])[0] == 0:
                flaky.append(name)
        code = 1 if len(flaky) < len(failed) else 0
    for name in flaky:
        print(f"flaky: {name}")
    for line in dearest(cost):
        print(line)
    passed = len(flaky) + list(outcomes.values()).count("passed")
    skipped = list(outcomes.values()).count("skipped")
    print(f"{passed} passed, {len(failed) - len(flaky)} failed, {skipped} skipped", flush=True)
    return code or (0 if passed else 5)


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        sys.exit(inside(Path(sys.argv[2]), sys.argv[3:]))
    sys.exit(main(sys.argv[1:]))
