"""The reference shop in examples/, as it stands there, in a process of its own: it plays every scenario that it claims,
faults on, and imports nothing of ours.
"""

import ast
import base64
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from crossdock.cli.main import main
from crossdock.kit import discover
from crossdock.kit.conformance import record, scenarios
from crossdock.kit.conformance.front import Copy, NoTestCopy, find_copy
from crossdock.kit.conformance.record import Proven
from crossdock.kit.conformance.suite import Verdict, play_all
from crossdock.kit.http import Transport

FOLDER = Path(__file__).parents[2] / "examples" / "reference_shop"
KEY = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, no less").decode()
# Those that look into the shop's own books, spoil its deliveries, take a second shop or write tags and options.
SIMULATED = {111, 211, 412, 806, 807, 808, 809}


def running(script: str, *words: str) -> Iterator[str]:
    """The address of a shop that was started by one command."""
    command = [sys.executable, FOLDER / script, "--key", KEY, "--port", "0", *words]
    shop = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert shop.stdout is not None
    try:
        said = shop.stdout.readline()
        assert said.startswith("Address:"), said
        yield said.split()[1]
    finally:
        shop.kill()
        shop.wait()
        shop.stdout.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    yield from running("proving.py")


@pytest.fixture
async def copy(address: str) -> AsyncIterator[Copy]:
    async with Transport() as transport:
        yield await find_copy(discover.connector("open_door"), {"address": address, "key": KEY}, transport)


async def test_it_conforms_in_everything_that_it_claims(copy: Copy) -> None:
    connector = discover.connector("open_door")
    results = await play_all(copy.manifest, lambda: copy.opened(connector))
    failed = [f"{r.number} {r.title}: {r.sentence}" for r in results if r.verdict is Verdict.FAILED]
    assert failed == []
    assert {r.number for r in results if r.verdict is Verdict.NOT_PLAYED} == SIMULATED
    passed = [r for r in results if r.verdict is Verdict.PASSED]
    assert len(passed) >= len(scenarios()) - len(SIMULATED) - 8


async def test_a_shop_that_sells_is_not_tried() -> None:
    for address in running("shop.py", "--add", "Blue mug", "12.50", "7"):
        async with Transport() as transport:
            with pytest.raises(NoTestCopy, match="a test copy of it that offers test/do"):
                await find_copy(discover.connector("open_door"), {"address": address, "key": KEY}, transport)


def test_one_that_sells_is_tried_live_with_one_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a process of its own nothing is known but its address and its key."""
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    monkeypatch.setenv("CROSSDOCK_LIVE_KEY", KEY)
    for address in running("shop.py", "--add", "Blue mug", "12.50", "7"):
        monkeypatch.setenv("CROSSDOCK_LIVE_ADDRESS", address)
        assert main(["check", "connector", "open_door", "--live", "--place", "?"]) == 1
        (product,) = re.findall(r"(?m)^  (\S+)  Blue mug$", capsys.readouterr().err)
        assert main(["check", "connector", "open_door", "--live", "--place", product]) == 0
        said = capsys.readouterr().out
        assert "9 passed, 0 failed" in said and "of 7 that it counts now" in said and KEY not in said


def test_it_imports_the_standard_library_alone() -> None:
    files = list(FOLDER.glob("*.py"))
    names = {
        name.partition(".")[0]
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names - sys.stdlib_module_names == {path.stem for path in files} & names
    assert len((FOLDER / "shop.py").read_text().splitlines()) < 300


def test_it_is_checked_by_its_address(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few scenarios by the command, as the shop's developer types it; one failure is a failure."""
    evidence = tmp_path / "evidence.json"
    words = ["check", "connector", address, "--key", KEY, "--evidence", str(evidence)]
    assert main([*words, "--only", "401", "--only", "904", "--only", "412"]) == 0
    said = capsys.readouterr().out
    assert "2 passed, 0 failed, 0 not called for, 1 not played" in said
    assert "order create" in said and "note  Test copy" in said
    assert not evidence.exists()  # a part of them proves nothing
    assert main(["check", "connector", address]) == 1
    assert "--key" in capsys.readouterr().err
    wrong = "whsec_" + base64.b64encode(b"somebody else's key, as long as the other").decode()
    assert main(["check", "connector", address, "--key", wrong]) == 1
    assert "refuses our signature" in capsys.readouterr().err


def test_what_was_proven_is_kept_once_for_each_thing(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    old = Proven("its simulator", "1", "0.1.0", "2026-11-01", 100, 3, 0)
    record.write(path, old)
    record.write(path, Proven("your shop", "1", "0.1.0", "2026-11-28", 90, 3, 5))
    record.write(path, Proven("its simulator", "1", "0.1.0", "2026-11-29", 111, 3, 0))
    newest, other = record.read(path)
    assert newest.sentence == "111 of 114 scenarios passed against its simulator (3 not claimed), 2026-11-29."
    assert other.sentence.endswith("(3 not claimed, 5 not playable there), 2026-11-28.")
    path.write_text("[{}]")
    assert record.read(path) == ()
