"""The house keeps its shape: who may import whom, how large things are, and no platform's name outside its folder."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from crossdock.domain.commands import CommandKind
from crossdock.engine.shop.commands import SENDERS
from crossdock.engine.worker import HANDLERS
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outcomes.kinds import KINDS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "crossdock"
LAB = ROOT / "src" / "crossdock_lab"
MODULE_LINES, FUNCTION_LINES, FOLDER_FILES = 400, 70, 20
# Lines of code, formatted, without blanks, comments and docstrings, beside the manifest:
# docs/decisions/0005-the-size-of-a-connector.md. What is larger has its present size for a limit, and grows no more.
CONNECTOR_LINES = 700
LARGER = {
    "shopify": 1310,
    "vendure": 1139,
    "woocommerce": 1249,
}


def modules() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts]


def lab_modules() -> list[Path]:
    return sorted(LAB.rglob("*.py"))


def product_modules() -> list[Path]:
    return [path for path in modules() if "tests" not in path.parts]


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-1000:]
    assert re.search(r"\b[7-9] kept, 0 broken", result.stdout)


def test_modules_and_functions_stay_small() -> None:
    long_modules = [
        f"{path.relative_to(ROOT)}: {n}"
        for path in product_modules() + lab_modules()
        if (n := len(path.read_text().splitlines())) > MODULE_LINES
    ]
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length}"
        for path in product_modules() + lab_modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert long_modules == []
    assert long_functions == []


def test_no_room_is_crowded() -> None:
    """What is added finds its room; twenty files in one folder are two rooms."""
    rooms = [path for path in (SOURCE / "usecases").iterdir() if (path / "__init__.py").exists()]
    assert len(rooms) == 16
    assert {path.name for path in (SOURCE / "usecases").glob("*.py")} == {"__init__.py", "errors.py"}
    assert [room.name for room in rooms if len(list(room.glob("*.py"))) > FOLDER_FILES] == []


def test_pages_ask_no_table_by_themselves() -> None:
    """What is read is asked by the rooms' `queries` (and by use-cases); a page filters and shows what they give. Of the
    raw records Django's own admin asks.
    """
    manager = re.compile(r"\.(?:objects|_base_manager)\b|\bconnection\.cursor\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in product_modules()
        if path.is_relative_to(SOURCE / "web")
        for number, line in _words(path)
        if manager.search(line)
    ]
    assert found == []


def test_what_is_read_of_a_room_changes_nothing() -> None:
    """Whoever calls a room's `queries` from a page that is only looked at writes nothing and locks nothing."""
    writes = re.compile(
        r"\.(?:create|save|delete|update|bulk_create|bulk_update|get_or_create|update_or_create|select_for_update)\("
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((SOURCE / "usecases").glob("*/queries.py"))
        for number, line in _words(path)
        if writes.search(line)
    ]
    assert found == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in product_modules() + lab_modules()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def connectors() -> list[Path]:
    return [path.parent for path in sorted((SOURCE / "connectors").glob("*/__init__.py"))]


def lines_of_code(path: Path) -> int:
    text = path.read_text()
    said: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            said |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(1 for number, line in lines if line.strip() and not line.strip().startswith("#") and number not in said)


@pytest.mark.parametrize("folder", connectors(), ids=lambda folder: folder.name)
def test_a_connector_stays_small(folder: Path) -> None:
    beside = {"sandbox", "tests", "manifest.py"}
    parts = [path for path in folder.rglob("*.py") if not beside & set(path.relative_to(folder).parts)]
    lines = sum(map(lines_of_code, parts))
    limit = LARGER.get(folder.name, CONNECTOR_LINES)
    assert lines <= limit, f"{folder.name} has {lines} lines of code, and its limit is {limit}"


def test_a_connector_that_reached_the_limit_is_no_exception_any_more() -> None:
    assert {name: limit for name, limit in LARGER.items() if limit <= CONNECTOR_LINES} == {}
    assert LARGER.keys() <= {folder.name for folder in connectors()}


def test_every_connector_has_the_same_form() -> None:
    """Who knows one finds everything in the next; what a platform alone has is a module beside these."""
    form = {"__init__", "manifest", "client", "connect", "mapper", "reading", "orders", "fulfilment"}
    assert {folder.name: form - {path.stem for path in folder.glob("*.py")} for folder in connectors()} == {
        folder.name: set() for folder in connectors()
    }


def test_the_table_of_what_platforms_repeat_names_what_is_there() -> None:
    """Whoever writes a connector from CONTRIBUTING finds each function, and each module of kit/shop is in the table."""
    rows = (ROOT / "CONTRIBUTING.md").read_text().split("| shape | function |")[1].split("\n\n")[0].splitlines()[2:]
    named: list[tuple[str, str]] = []
    for row in rows:
        module = ""
        for name in re.findall(r"`([\w./]+)`", row.split("|")[2]):
            if name.endswith(".py"):
                module = name.removesuffix(".py").replace("/", ".")
            elif "." in name:
                module = f"kit.shop.{name.partition('.')[0]}"
            if not name.endswith(".py"):
                named.append((module, name.rpartition(".")[2]))
    missing = [(module, name) for module, name in named if not hasattr(import_module(f"crossdock.{module}"), name)]
    assert missing == []
    there = {f"kit.shop.{path.stem}" for path in (SOURCE / "kit" / "shop").glob("*.py") if path.stem != "__init__"}
    assert there - {module for module, _ in named} == set()


def _words(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(path.read_text(errors="replace").splitlines(), 1)


def test_no_platform_is_named_outside_its_folder() -> None:
    names = re.compile("|".join(folder.name for folder in connectors()), re.IGNORECASE)
    files = [path for suffix in ("py", "html", "css", "js", "toml", "txt") for path in SOURCE.rglob(f"*.{suffix}")]
    files += lab_modules()
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        if not {SOURCE / "connectors", LAB / "connectors"} & set(path.parents) and path.name != "article.toml"
        for number, line in _words(path)
        if names.search(line)
    ]
    assert connectors(), "no connector was found"
    assert named == []


def test_every_rule_of_stock_that_the_code_names_is_explained() -> None:
    page = (ROOT / "docs" / "stock-protocol.md").read_text()
    rules = set(re.findall(r"(?m)^### Rule (\d+):", page))
    counterexamples = set(re.findall(r"(?m)^\| (C\d+[a-z]?) \|", page))
    assert len(rules) == 12
    unknown = []
    for path in product_modules() + lab_modules():
        text = path.read_text()
        for match in re.finditer(r"\b[Rr]ules? ((?:\d+(?:, | and )?)+)", text):
            unknown += [f"{path.relative_to(ROOT)}: rule {n}" for n in set(re.findall(r"\d+", match[1])) - rules]
        unknown += [
            f"{path.relative_to(ROOT)}: {c}" for c in set(re.findall(r"\b(C\d{1,2}[a-z]?)\b", text)) - counterexamples
        ]
    assert unknown == []


def test_each_kind_of_command_has_its_module_and_is_sent_somewhere() -> None:
    """Payload, whom it asks, what done and refused mean: one module of the kind's name. The engine sends it."""
    folder = SOURCE / "usecases" / "outcomes" / "kinds"
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", "kind", *CommandKind}
    assert set(KINDS) == set(CommandKind)
    for name, kind in KINDS.items():
        assert kind.name == name and isinstance(kind.payload, TypeAdapter)
        assert callable(kind.done) and callable(kind.refused)
    assert PartyKind.SHOP in HANDLERS, "with it all that sends to a shop is there"
    assert set(SENDERS) == {name for name, kind in KINDS.items() if kind.asks is PartyKind.SHOP}
    handlers = ("payments", "payouts", "labels", "notify", "mails")
    told = "".join((SOURCE / "engine" / f"{name}.py").read_text() for name in handlers)
    assert [name for name in set(KINDS) - set(SENDERS) if f"CommandKind.{CommandKind(name).name}" not in told] == []


def test_no_kind_of_command_is_written_out_and_no_payload_is_read_raw() -> None:
    """A literal that is misspelt is a kind that nobody knows; what a row says is typed in one place."""
    literal = re.compile("|".join(rf'(?:kind|KIND)\b[^\n"]*"{kind}"' for kind in CommandKind))
    raw = re.compile(r"\b(?:command|row|claimed)\.payload(?:\[|\.get\()|\bpayload\[")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in product_modules()
        if not {"sandbox", "connectors", "models"} & set(path.relative_to(SOURCE).parts)
        for number, line in _words(path)
        if (literal.search(line) or raw.search(line)) and path.name not in ("payloads.py", "invariants.py")
    ]
    assert found == []


# Offered to whoever writes a connector, a simulator or a proof: they need no caller among the product's own modules.
OFFERED = ("kit/json_node.py", "kit/hand.py", "kit/sandbox/", "kit/conformance/", "/sandbox/")


def named_in(tree: ast.AST) -> Counter[str]:
    """How often code names something: a name, an attribute, or a dotted word in a string (a job, a view, a setting).
    Sentences and comments name nothing.
    """
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word):
                found[word] += 1
            case ast.Constant(value=str(text)) if re.fullmatch(r"[\w.:]+", text):
                found.update(re.findall(r"\w+", text))
    return found


def offers(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Functions, classes and methods that something has to call. What a decorator registers has its caller there, and
    a class below another one may be called by that one's library.
    """
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            registered = node.decorator_list and not isinstance(node, ast.ClassDef)
            library = isinstance(node, ast.ClassDef) and node.bases
            if not registered and not library:
                yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.bases:
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and not method.name.startswith("__"):
                    yield method.name, method


def dead_in(files: dict[str, Path], others: list[Path]) -> list[str]:
    named: Counter[str] = Counter()
    for path in files.values():
        named += named_in(ast.parse(path.read_text()))
    for path in others:
        named.update(set(re.findall(r"\w+", path.read_text(errors="replace"))))
    return [
        f"{name}: {word}"
        for name, path in files.items()
        if not any(part in name for part in OFFERED)
        for word, node in offers(path)
        if named[word] <= named_in(node)[word]
    ]


def test_no_function_is_without_a_caller() -> None:
    """What nothing else in the product names is dead; neither tests nor the lab keep anything alive."""
    files = {str(path.relative_to(SOURCE)): path for path in modules() if "tests" not in path.parts}
    pages = [path for kind in ("html", "toml", "txt") for path in SOURCE.rglob(f"*.{kind}")]
    assert dead_in(files, pages) == []


def test_a_function_that_only_itself_and_a_comment_name_is_dead(tmp_path: Path) -> None:
    text = '''
class Thing:
    def used(self):
        """unused() is named in words alone."""
        return lonely

    def unused(self):
        return self.unused()


def lonely():  # lonely
    return Thing().used


def recursive():
    return recursive()
'''
    (tmp_path / "thing.py").write_text(text)
    assert dead_in({"thing.py": tmp_path / "thing.py"}, []) == ["thing.py: unused", "thing.py: recursive"]


# A private attribute of something else, an import of a private name, or one as a text (what a patch names).
PRIVATE = re.compile(r"\w\._(?!_|meta\b|replace\b|handle\b)\w+|import [^\n]*\b_\w+|, \"_\w+\",")


def test_the_lab_uses_public_names_only() -> None:
    """What a proof replaces or looks into is a seam with a name, so that a change in the product does not quietly take
    a planted bug away. (aiohttp's `_handle` is not ours.)
    """
    found = [
        f"{path.relative_to(LAB)}:{number}: {line.strip()[:90]}"
        for path in lab_modules()
        for number, line in _words(path)
        if PRIVATE.search(line) and not re.search(r"\b(?:self|cls)\._", line)
    ]
    assert found == []
    breaches = ("    good = PaymentHandler._refund", '    return [(checkout, "_hold_again", again)]')
    assert all(PRIVATE.search(line) for line in breaches)


def test_nothing_private_is_committed() -> None:
    """No path of a developer's machine and no registry's host."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    forbidden = re.compile(
        "|".join(
            [
                "/work" + "/(main|shared)",
                "pypi" + r"\.org",
                "pythonhosted" + r"\.org",
                "registry\\." + r"npmjs\.org",
                "deb\\." + r"debian\.org",
            ]
        )
    )
    found = [
        f"{name}:{number}"
        for name in listed
        if (ROOT / name).is_file() and (ROOT / name).stat().st_size < 2_000_000
        for number, line in _words(ROOT / name)
        if forbidden.search(line)
    ]
    assert found == []


def test_every_library_says_why_it_is_here() -> None:
    rows = [line for line in (ROOT / "docs/decisions/0001-libraries.md").read_text().splitlines() if line[:2] == "| "]
    named = {re.sub(r"\W", "", word) for row in rows for word in re.split(r"[ ,]+", row.split("|")[1].lower())}
    missing = [
        name[0]
        for file in ("runtime.in", "extras.in", "mcp.in")
        for line in (ROOT / "requirements" / file).read_text().splitlines()
        if (name := re.match(r"[\w-]+", line)) and re.sub(r"\W", "", name[0].lower()) not in named
    ]
    assert missing == []
