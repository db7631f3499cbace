"""Where a test lies: the tests' folders mirror the source's, so that the test of a module is found without a search."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What has no folder in the source: pages in a real browser, killed processes, vendors' servers, inputs that once
# failed, the house itself, and what tests share. `lab` is src/crossdock_lab.
BESIDE = {"browser", "crash", "real", "cases", "house", "support", "lab"}
# Modules that lie at the source's top, and so do their tests.
TOP = {"test_logs.py", "test_settings.py"}


def misplaced(tests: Path, source: Path) -> list[str]:
    """Test modules in a folder that neither mirrors the source nor is one of those beside it."""
    found = []
    for path in sorted(tests.rglob("test_*.py")):
        folder = path.relative_to(tests).parent
        if folder == Path():
            right = path.name in TOP
        elif folder.parts[0] in BESIDE:
            right = len(folder.parts) == 1 or folder.parts[0] == "support"
        else:
            right = (source / folder).is_dir()
        if not right:
            found.append(str(path.relative_to(tests)))
    return found


def test_the_folders_of_the_tests_mirror_the_source() -> None:
    assert misplaced(ROOT / "tests", ROOT / "src" / "crossdock") == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("web/test_good.py", False),
        ("browser/test_good.py", False),
        ("test_logs.py", False),
        ("test_stray.py", True),
        ("wab/test_stray.py", True),
        ("browser/deeper/test_stray.py", True),
    ],
)
def test_a_test_in_the_wrong_place_is_found(tmp_path: Path, path: str, found: bool) -> None:
    (tmp_path / "source" / "web").mkdir(parents=True)
    file = tmp_path / "tests" / path
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert misplaced(tmp_path / "tests", tmp_path / "source") == ([path] if found else [])
