"""The limits that keep the house livable: circles, crowded folders, the formatter's off-switch, a simulator's beliefs.

Each check is shown to fail on a planted breach.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
FOLDER_FILES = 20
# Older folders that are still more than one room; a number here only falls. What is new finds or makes its own.
CROWDED = {
    "crossdock/cli": 31,
    "crossdock/domain": 34,
    "crossdock/kit": 32,
    "crossdock/kit/conformance": 24,
    "crossdock/store/models": 26,
    "crossdock/web": 30,
    "crossdock/web/seller": 36,
    "crossdock/web/staff": 24,
    "crossdock_lab/proof": 24,
}
# Beside it, a simulator may name the manifest alone.
OF_A_CONNECTOR = re.compile(r"crossdock\.connectors\.\w+\.(?!sandbox\b|manifest\b)\w+")


def python_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts]


# Migrations


def of_one_number(names: Sequence[str]) -> list[str]:
    """Steps of the migrations that share their number: two that landed side by side, and no database can be made."""
    numbers = Counter(name[:4] for name in names)
    return sorted(name for name in names if numbers[name[:4]] > 1)


def test_no_two_steps_of_the_migrations_have_one_number() -> None:
    folder = SOURCE / "crossdock" / "store" / "migrations"
    assert of_one_number([path.stem for path in folder.glob("[0-9]*.py")]) == []
    assert of_one_number(["0001_one", "0002_two", "0002_too"]) == ["0002_too", "0002_two"]


# Circles


def circles(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups of modules that reach each other (Tarjan), those of more than one."""
    index, low, on = dict[str, int](), dict[str, int](), list[str]()
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        on.append(module)
        for other in graph.get(module, ()):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in on:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            place = on.index(module)
            group = on[place:]
            del on[place:]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types alone count too: who reads one of a circle has to read all."""
    graph = grimp.build_graph("crossdock", "crossdock_lab", cache_dir=None)
    imports = {module: sorted(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    assert len(imports) > 500
    assert circles(imports) == []


def test_a_circle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = tmp_path / "planted_house"
    house.mkdir()
    (house / "__init__.py").touch()
    (house / "a.py").write_text("import planted_house.b\n")
    (house / "b.py").write_text("def late():\n    from planted_house.c import x\n    return x\n")
    (house / "c.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted_house.b import late\nx = 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    graph = grimp.build_graph("planted_house", cache_dir=None)
    imports = {module: sorted(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    assert circles(imports) == [["planted_house.b", "planted_house.c"]]


# Simulators


def beliefs(path: Path, package: str) -> Iterator[str]:
    """What a simulator's module names of a connector: imports, wherever they stand, and dotted names in texts."""
    for node in ast.walk(ast.parse(path.read_text())):
        named: list[str] = []
        match node:
            case ast.Import():
                named = [alias.name for alias in node.names]
            case ast.ImportFrom():
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                named = [f"{base}.{alias.name}" for alias in node.names]
            case ast.Constant(value=str(text)) if "\n" not in text:
                named = [text]
        yield from (name for name in named if OF_A_CONNECTOR.match(name))


def simulators() -> Iterator[tuple[Path, str]]:
    for folder in sorted((SOURCE / "crossdock" / "connectors").glob("*/sandbox")):
        for path in python_files(folder):
            yield path, ".".join(path.parent.relative_to(SOURCE).parts)


def test_no_simulator_believes_its_connector() -> None:
    """A misreading that both share cannot be seen. The names of rights, ways and versions are the manifest's."""
    modules = list(simulators())
    assert len(modules) > 30
    assert [(str(path.relative_to(ROOT)), name) for path, package in modules for name in beliefs(path, package)] == []


@pytest.mark.parametrize(
    "breach",
    [
        "from crossdock.connectors.corner.mapper import order",
        "from crossdock.connectors.corner import client",
        "import crossdock.connectors.corner.client as client",
        "from ..mapper import order",
        "from .. import mapper",
        "def late():\n    from crossdock.connectors.other.mapper import order\n    return order",
        "import importlib\nimportlib.import_module('crossdock.connectors.corner.mapper')",
    ],
)
def test_a_simulator_that_believes_is_found(tmp_path: Path, breach: str) -> None:
    (tmp_path / "books.py").write_text(breach)
    assert list(beliefs(tmp_path / "books.py", "crossdock.connectors.corner.sandbox"))


def test_what_a_simulator_may_name_is_no_breach(tmp_path: Path) -> None:
    (tmp_path / "books.py").write_text(
        "from crossdock.connectors.corner.manifest import SCOPES\nfrom crossdock.connectors.corner import manifest\n"
        "from crossdock.connectors.corner.sandbox.shapes import order\n"
        "from . import shapes\nfrom .shapes import order\n"
        "FILES = 'crossdock.connectors.corner'\n"
    )
    assert list(beliefs(tmp_path / "books.py", "crossdock.connectors.corner.sandbox")) == []


# Folders and formatting


def crowded(source: Path) -> dict[str, int]:
    folders = {path.parent for path in python_files(source)}
    sizes = {str(folder.relative_to(source)): len(list(folder.glob("*.py"))) for folder in folders}
    return {name: files for name, files in sizes.items() if files > CROWDED.get(name, FOLDER_FILES)}


def test_no_folder_is_crowded(tmp_path: Path) -> None:
    """What is added finds its room; more than twenty files in one folder are two rooms."""
    assert crowded(SOURCE) == {}
    (tmp_path / "room").mkdir()
    for n in range(FOLDER_FILES + 1):
        (tmp_path / "room" / f"m{n}.py").touch()
    assert crowded(tmp_path) == {"room": FOLDER_FILES + 1}


OFF = re.compile(r"#\s*(?:fmt:\s*(?:skip|off)|yapf:|ruff:\s*noqa\s*$|(?:ruff:\s*)?noqa:[^\n]*E501)")


def formatter_off(paths: Sequence[Path]) -> list[str]:
    return [
        f"{path.name}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OFF.search(line)
    ]


def test_the_formatter_and_the_line_s_length_are_never_switched_off(tmp_path: Path) -> None:
    """The sizes are measured in what the formatter leaves."""
    here = [path for path in python_files(ROOT / "tests") if path != Path(__file__)]
    assert formatter_off(python_files(SOURCE) + here) == []
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert lint["line-length"] == 120 and "E501" not in lint["lint"]["ignore"] and "E" in lint["lint"]["select"]
    assert "E501" not in str(lint["lint"].get("per-file-ignores", {}))
    (tmp_path / "a.py").write_text("x = {1:2}  # fmt: skip\ny = 1\n# fmt: off\nz = 1  # noqa: E501\n")
    assert formatter_off([tmp_path / "a.py"]) == ["a.py:1", "a.py:3", "a.py:4"]
