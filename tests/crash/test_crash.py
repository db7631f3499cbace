"""kill -9 of the worker, the web server and the buyer's own request at every named point: afterwards nothing is twice,
nothing missing.

`make test-crash` plays every point; with THIRD=n, as in CI, a third of them.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import picking
from crossdock.store.crash import BULK_POINTS, LABEL_POINTS, PAYOUT_POINTS, POINTS, TRIAL_POINTS
from crossdock_lab.patience import patient

ROOT = Path(__file__).parents[2]
EVERY = (*POINTS, "database", "sigterm")
PLAYED = picking.picked(EVERY)


@pytest.fixture(scope="module")
def plays(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """All points are played by one program of their own; the test run says which."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nkill points played, {len(PLAYED)} of {len(EVERY)}: {', '.join(PLAYED)}", flush=True)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "crash" / "crash_play.py"), *PLAYED],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=patient(2400),
    )
    lines = [json.loads(line.removeprefix("CRASH ")) for line in done.stdout.splitlines() if line.startswith("CRASH ")]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return {line["point"]: line for line in lines}


def test_every_point_in_the_code_is_listed_and_every_listed_one_is_in_the_code() -> None:
    source = ROOT / "src" / "crossdock"
    placed = {name for path in source.rglob("*.py") for name in re.findall(r'\bpoint\("([^"]+)"\)', path.read_text())}
    assert placed == {*POINTS, *LABEL_POINTS, *TRIAL_POINTS, *PAYOUT_POINTS, *BULK_POINTS}
    assert len(POINTS) >= 20
    unnamed = [
        str(path)
        for path in source.rglob("*.py")
        if re.search(r"\bpoint\((?!\"|name: str)", path.read_text()) and "store.crash" in path.read_text()
    ]
    assert unnamed == [], "a point's name is written out, so that it can be listed"


@pytest.mark.parametrize("number", [0, 1, 0xFFFFFF])
def test_three_commits_in_a_row_play_every_point_once(number: int) -> None:
    played = [point for step in range(3) for point in picking.part(EVERY, number + step, 3)]
    assert sorted(played) == sorted(EVERY)


@pytest.mark.crash
@pytest.mark.timeout(2500)
@pytest.mark.parametrize("point", PLAYED)
def test_killed_at(point: str, plays: dict[str, dict[str, Any]]) -> None:
    assert point in plays, "it was not played"
    seen = plays[point]
    assert seen["reached"], f"never reached: {seen['wrong']}"
    assert seen["wrong"] == []
