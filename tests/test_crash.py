"""kill -9 of the worker, the web server and the buyer's own request at every named point: afterwards nothing is twice,
nothing missing.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossdock.cli.patience import patient
from crossdock.store.crash import LABEL_POINTS, POINTS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def plays() -> dict[str, dict[str, Any]]:
    """All points are played in one marketplace of their own, one after the other."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "crash_play.py")],
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
    assert placed == {*POINTS, *LABEL_POINTS}
    assert len(POINTS) >= 20
    unnamed = [
        str(path)
        for path in source.rglob("*.py")
        if re.search(r"\bpoint\((?!\"|name: str)", path.read_text()) and "store.crash" in path.read_text()
    ]
    assert unnamed == [], "a point's name is written out, so that it can be listed"


@pytest.mark.crash
@pytest.mark.timeout(2500)
@pytest.mark.parametrize("point", [*POINTS, "database", "sigterm"])
def test_killed_at(point: str, plays: dict[str, dict[str, Any]]) -> None:
    assert point in plays, "it was not played"
    seen = plays[point]
    assert seen["reached"], f"never reached: {seen['wrong']}"
    assert seen["wrong"] == []
