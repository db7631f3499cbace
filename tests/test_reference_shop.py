"""The reference shop in examples/, as it stands there, in a process of its own: it plays every scenario that it claims,
faults on, and imports nothing of ours.
"""

import ast
import base64
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from crossdock.kit import discover
from crossdock.kit.conformance import scenarios
from crossdock.kit.conformance.front import Copy, NoTestCopy, find_copy
from crossdock.kit.conformance.suite import Verdict, play_all
from crossdock.kit.http import Transport

FOLDER = Path(__file__).parents[1] / "examples" / "reference_shop"
KEY = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, no less").decode()
# Those that look into the shop's own books, spoil its deliveries or take a second shop.
SIMULATED = {412, 806, 807, 808, 809}


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
