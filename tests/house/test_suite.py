"""The run of all tests: what failed runs once more, alone, and only a failure that repeats fails it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import picking
import proofs
import shares
from crossdock_lab import story

SUITE = Path(__file__).parents[1] / "suite.py"
GOOD = "def test_good(): pass\n"
# Fails where its mark is not there yet, as a test does that met a slow moment.
FLAKY = """
from pathlib import Path
def test_flaky():
    mark = Path(__file__).with_suffix(".mark")
    seen = mark.exists()
    mark.touch()
    assert seen
"""
BUSY = """
import time
def test_busy():
    begun = time.process_time()
    while time.process_time() < begun + 1.2: pass
"""
BAD = "def test_bad(): assert False\n"


def suite(folder: Path, **files: str) -> tuple[int, list[str]]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = [sys.executable, SUITE, "-q"]
    done = subprocess.run(words, cwd=folder, env=bare, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_a_flaky_test_is_named_and_does_not_fail_the_run(tmp_path: Path) -> None:
    code, said = suite(tmp_path, good=GOOD, flaky=FLAKY)
    assert code == 0
    assert "flaky: test_flaky.py::test_flaky" in said
    assert said[-1] == "2 passed, 0 failed, 0 skipped"


def test_a_failure_that_repeats_fails_beside_a_flaky_one(tmp_path: Path) -> None:
    code, said = suite(tmp_path, good=GOOD, flaky=FLAKY, bad=BAD)
    assert code == 1
    assert "flaky: test_flaky.py::test_flaky" in said
    assert not any("flaky" in line and "bad" in line for line in said)
    assert said[-1] == "2 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("collection", "import nothing_of_this_name\n"),
        ("none", ""),
        ("many", "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_many(n): assert False\n"),
    ],
)
def test_what_is_broken_is_believed_at_once(tmp_path: Path, name: str, text: str) -> None:
    code, said = suite(tmp_path, **{name: text})
    assert code != 0
    assert not any("once more" in line for line in said)


def test_the_files_that_took_most_of_the_processor_are_listed(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.append({str(SUITE.parent / 'support')!r})\npytest_plugins = ['processor']\n"
    )
    code, said = suite(tmp_path, good=GOOD, busy=BUSY)
    assert code == 0
    whole, first, *rest = said[said.index(next(line for line in said if "s of the processor" in line)) : -1]
    assert first.endswith(" s test_busy.py") and float(first.split()[0]) >= 1.2 and rest == []
    assert float(whole.split()[0]) >= 1


def test_a_long_proof_keeps_what_it_saw_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "RESULTS", tmp_path / "proofs.json")
    monkeypatch.setattr(proofs, "PAGE", tmp_path / "proofs.md")
    words = [
        sys.executable,
        "-c",
        "import sys; print('ok   0 wrong\\n  1 of 3, 0 failed\\n3 passed, 0 failed\\nExplored: all');"
        " sys.exit(int(sys.argv[1]))",
    ]
    assert proofs.main("a", [*words, "0"]) == 0
    assert not proofs.PAGE.exists(), "only where it was asked for"
    monkeypatch.setenv("RECORD", "1")
    assert proofs.main("a", [*words, "0"]) == 0
    assert proofs.main("b", [*words, "1"]) == 1
    said = proofs.PAGE.read_text()
    assert "| a | " in said
    assert "| ok | 3 passed, 0 failed |" in said
    assert "FAILED, code 1" in said


def test_the_page_of_long_proofs_is_what_was_recorded() -> None:
    if proofs.RESULTS.exists():
        assert proofs.PAGE.read_text() == proofs.page(json.loads(proofs.RESULTS.read_text()))


def test_commits_in_a_row_play_every_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(picking.HALF, raising=False)
    every = picking.platforms()
    halves = []
    for number in ("0", "1"):
        monkeypatch.setenv(picking.HALF, number)
        halves.append(picking.platforms())
    assert sorted(halves[0] + halves[1]) == sorted(every) and abs(len(halves[0]) - len(halves[1])) <= 1
    # Four in a row play the story on all of them, each on such as its own tests leave out.
    told = [story.each(4, every, pick) for pick in range(4)]
    assert sorted(name for names in told for name in names) == sorted(every)
    assert not any(set(told[pick]) & set(halves[(pick + 1) % 2]) for pick in range(4))
    said = (SUITE.parents[1] / ".ci" / "run").read_text()
    assert "test HALF=$(((pick + 1) % 2))" in said and "story EVERY=4 FIRST=$((pick % 4))" in said


def test_files_go_to_one_process_whole_but_for_the_long_ones_of_equal_parts() -> None:
    conformance = "tests/kit/test_conformance.py::test_the_platform_conforms"
    assert shares.share(f"{conformance}[open_door-101]") == shares.share(f"{conformance}[open_door-102]")
    assert shares.share(f"{conformance}[open_door-101]") != shares.share(f"{conformance}[vendure-101]")
    assert shares.share("tests/web/test_walls.py::Test::test_a[1]") == "tests/web/test_walls.py"
    for file in shares.APART:
        assert (SUITE.parents[1] / file).exists()
        assert shares.share(f"{file}::test_a[1]") != shares.share(f"{file}::test_a[2]")
