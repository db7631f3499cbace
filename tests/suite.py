"""Runs pytest, and what failed once more, alone: `python tests/suite.py [words for pytest]`.

A test that passes alone prints `flaky: <name>` and does not fail the run; one that fails again does. A collection that
broke, and more failures than a loaded machine explains, are believed at once. Ends with the counts on a line of their
own, and with exit code 0 only when every test has passed in the end and there was at least one.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

MOST = 12
_INSIDE = "--report-to"


class Outcomes:
    """What became of each test. Of its three reports the worst counts, and a skip is one of them."""

    def __init__(self) -> None:
        self.worst: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rank = ("passed", "skipped", "failed").index
        self.worst[report.nodeid] = max(self.worst.get(report.nodeid, "passed"), report.outcome, key=rank)


def inside(report: Path, words: list[str]) -> int:
    """pytest itself, in a process of its own; outcome by name is written to `report`."""
    outcomes = Outcomes()
    code = int(pytest.main(words, plugins=[outcomes]))
    report.write_text(json.dumps(outcomes.worst))
    return code


def run(words: list[str]) -> tuple[int, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run([sys.executable, __file__, _INSIDE, str(report), *words], check=False)
        return done.returncode, json.loads(report.read_text()) if report.exists() else {}


def main(words: list[str]) -> int:
    code, outcomes = run(words)
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
    passed = len(flaky) + list(outcomes.values()).count("passed")
    skipped = list(outcomes.values()).count("skipped")
    print(f"{passed} passed, {len(failed) - len(flaky)} failed, {skipped} skipped", flush=True)
    return code or (0 if passed else 5)


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        sys.exit(inside(Path(sys.argv[2]), sys.argv[3:]))
    sys.exit(main(sys.argv[1:]))
