"""How the tests against the real server are shared out is no other platform's."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).parent


class Item:
    """A test as pytest collects it, of a server on SQLite."""

    callspec = SimpleNamespace(params={"server": "sqlite"})

    def __init__(self, path: Path) -> None:
        self.path, self.marks = path, list[Any]()

    def get_closest_marker(self, name: str) -> None:
        return None

    def add_marker(self, mark: Any) -> None:
        self.marks.append(mark)


def test_what_another_platform_plays_is_neither_left_out_nor_marked() -> None:
    shared = import_module("crossdock.connectors.vendure.tests.real.conftest")
    ours, other = Item(HERE / "real" / "test_a.py"), Item(HERE.parents[1] / "other" / "tests" / "real" / "test_a.py")
    items, left_out = [ours, other], []
    config = SimpleNamespace(hook=SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items)))
    shared.pytest_collection_modifyitems(config, items)
    assert (items, left_out, other.marks) == ([other], [ours], [])
