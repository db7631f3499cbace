"""What is shipped: a wheel without the lab and without tests, which starts where only the runtime's packages are."""

import os
import re
import signal
import subprocess
import time
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from crossdock.cli.postgres import DATABASE, Cluster
from crossdock_lab.day.wheel import build, installed, locked
from crossdock_lab.patience import patient
from crossdock_lab.ports import free_ports

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)
# Every module of the wheel; what speaks to a provider whose package is an extra may say that it is missing.
IMPORT_ALL = """
import pkgutil, sys, crossdock, os
from crossdock.cli.database import setup
from crossdock.cli.main import COMMANDS
from importlib import import_module
from argparse import ArgumentParser
setup()
for place, _ in COMMANDS.values():
    import_module(f"crossdock.cli.{place}").words(ArgumentParser())
for module in pkgutil.walk_packages(crossdock.__path__, "crossdock."):
    try:
        import_module(module.name)
    except ModuleNotFoundError as missing:
        print("missing", module.name, missing.name)
print("from", crossdock.__file__)
for name in ("crossdock_lab", "pytest"):
    try:
        import_module(name)
        print("there", name)
    except ModuleNotFoundError:
        pass
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as pip builds it, by the backend that pyproject.toml names, from a copy: nothing of a former build is in
    it.
    """
    return build(ROOT, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the runtime's lock and the wheel, nothing else: each locked package is linked from
    ours, so that no network is needed. Ours, with the sources and the tests' tools, is not on its path.
    """
    return installed(wheel, tmp_path_factory.mktemp("installed") / "venv", locked(ROOT))


def _environment(data: Path, **given: str) -> dict[str, str]:
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("CROSSDOCK_", "PYTHON", "DJANGO_"))
    }
    return {**plain, "CROSSDOCK_DATA": str(data), "CROSSDOCK_DEMO": "true", **given}


def test_neither_the_lab_nor_tests_are_shipped_and_what_pages_need_is(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.startswith("crossdock_lab") or "/tests/" in name or "planted" in name] == []
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"crossdock", next(top for top in tops if top.endswith(".dist-info"))}
    there = {
        f"crossdock/{path.relative_to(ROOT / 'src' / 'crossdock')}"
        for path in (ROOT / "src" / "crossdock").rglob("*")
        if path.is_file() and not {"tests", "__pycache__"} & set(path.parts)
    }
    assert there - set(names) == set(), "every template, picture, schema and migration is in the wheel"
    assert sum("/migrations/0" in name for name in names) >= 25 and sum("/templates/" in name for name in names) > 50


def test_every_command_and_module_is_imported_without_the_sources(python: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [python, "-c", IMPORT_ALL],
        cwd=tmp_path,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line.split() for line in done.stdout.splitlines()]
    assert {words[2].partition(".")[0] for words in said if words[0] == "missing"} <= {
        "stripe",
        "easypost",
        "sklearn",
        "prometheus_client",
        "opentelemetry",
        "sentry_sdk",
        "mcp",
    }
    assert [words[1] for words in said if words[0] == "there"] == []
    assert next(words[1] for words in said if words[0] == "from").startswith(str(python.parents[1]))


def test_a_command_of_an_extra_says_what_to_install(python: Path, tmp_path: Path) -> None:
    given = {"CROSSDOCK_MCP_ADDRESS": "https://market.example", "CROSSDOCK_MCP_TOKEN": "cd_x"}
    words = [python.with_name("crossdock"), "mcp"]
    done = subprocess.run(
        words, cwd=tmp_path, env=_environment(tmp_path, **given), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "") and "pip install 'crossdock[mcp]'" in done.stderr


def test_the_wheel_names_what_its_extra_adds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        said = packed.read(name).decode()
    assert "Provides-Extra: mcp" in said and re.search(r'Requires-Dist: mcp.*; extra == "mcp"', said)


def test_the_web_server_of_the_wheel_serves_pages(python: Path, cluster: Cluster, tmp_path: Path) -> None:
    """`crossdock migrate` finds its steps in the wheel and nothing to do; the page and its style come from there."""
    name, port = f"wheel_{os.getpid()}", free_ports()
    with cluster.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}".encode())
    url = f"postgresql://crossdock@{quote(str(cluster.socket), safe='')}/{name}"
    environment = _environment(tmp_path, DATABASE_URL=url, CROSSDOCK_WEB_PORT=str(port))
    crossdock = python.with_name("crossdock")
    migrated = subprocess.run(
        [crossdock, "migrate"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert migrated.returncode == 0, migrated.stderr
    with open(tmp_path / "said", "w") as said:
        server = subprocess.Popen([crossdock, "serve"], cwd=tmp_path, env=environment, stdout=said, stderr=said)
    try:
        page = _got(server, f"http://127.0.0.1:{port}/")
        styles = re.findall(r'<link rel="stylesheet" href="(/static/[^"]+)"', page)
        assert "Crossdock" in page and styles, (tmp_path / "said").read_text()
        assert all(_got(server, f"http://127.0.0.1:{port}{style}") for style in styles)
    finally:
        server.terminate()
        code = server.wait(patient(30))
        with cluster.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    assert code in (0, -signal.SIGTERM), (tmp_path / "said").read_text()


def _got(server: "subprocess.Popen[bytes]", url: str) -> str:
    end = time.monotonic() + patient(60)
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=patient(20)) as answer:
                return str(answer.read().decode())
        except ConnectionError:
            time.sleep(0.1)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.1)
    raise AssertionError("the web server did not answer")
