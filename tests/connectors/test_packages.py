"""Connectors of other packages: the corner shop made a package, installed beside without a network, found by its entry
point, shown with its package's name, and conforming. One that is broken stops nothing.
"""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

import market
from crossdock.cli.docs import pages
from crossdock.kit import conformance, discover
from crossdock.kit.conformance import record
from crossdock.kit.conformance.suite import Verdict
from crossdock.web.platforms import foreign
from toyshop import FOLDER

SOME = {101, 105, 107, 201, 301, 401, 404, 406, 411, 503, 520, 601, 621, 701, 803, 904, 913}


def installed(folder: Path, name: str, files: dict[str, str], points: str, version: str = "1.4") -> None:
    """As `pip install .` does it, with the tools that are here and nothing else."""
    source = folder / f"{name}-source"
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    (source / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n\n'
        f'[project.entry-points."crossdock.connectors"]\n{points}\n'
    )
    uv = Path(sys.executable).with_name("uv")
    words = [uv, "pip", "install", "-q", "--offline", "--no-build-isolation", "--no-deps", "--no-cache"]
    done = subprocess.run(
        [*words, "--python", sys.executable, "--target", folder / "site", source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One package that works, and one with everything that can be wrong."""
    folder = tmp_path_factory.mktemp("packages")
    toy = Path(FOLDER) / "toy"
    shop = {
        f"corner_shop/{path.relative_to(toy)}": path.read_text()
        .replace("crossdock.connectors.toy", "corner_shop")
        .replace('name="toy"', 'name="corner"')
        for path in toy.rglob("*.py")
    }
    installed(folder, "crossdock-corner-shop", shop, 'corner = "corner_shop:connector"')
    broken = {
        "broken_shop/__init__.py": "connector = object()\n",
        "broken_shop/raises.py": "raise SystemError('no such library')\n",
    }
    points = [
        'empty = "broken_shop:connector"',
        'raises = "broken_shop.raises:connector"',
        'absent = "broken_shop.nowhere:connector"',
        'misnamed = "corner_shop:connector"',
        'open_door = "corner_shop:connector"',
    ]
    installed(folder, "broken-shop", broken, "\n".join(points))
    before = set(sys.modules)
    sys.path.append(str(folder / "site"))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder / "site"))
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("corner_shop", "broken_shop"):
                del sys.modules[name]
    assert "corner" not in discover.connectors()


def test_it_is_found_with_its_package(beside: None) -> None:
    assert discover.connector("corner").manifest.label == "Corner Shop"
    assert set(discover.connectors()) == {*discover.ours(), "corner"}
    assert foreign("corner") == "crossdock-corner-shop 1.4"
    assert foreign("open_door") == ""
    assert discover.simulated() == sorted(discover.connectors())


def test_its_evidence_stands_beside_it_and_not_in_our_pages(beside: None) -> None:
    path = record.file_of("corner")
    assert path is not None and path.parent.name == "corner_shop"
    assert not any("Corner Shop" in text for text in pages().values())


async def test_it_conforms(beside: None) -> None:
    results = await conformance.run_all(discover.connector("corner"), discover.sandbox("corner"), only=SOME)
    assert [(r.number, r.sentence) for r in results if r.verdict is not Verdict.PASSED] == []
    assert len(results) == len(SOME)


def test_broken_ones_are_passed_over_and_say_why(beside: None) -> None:
    said = {each.platform: each.sentence for each in discover.broken()}
    assert "no manifest" in said["empty"]
    assert "no such library" in said["raises"]
    assert "No module named" in said["absent"]
    assert "calls it 'corner'" in said["misnamed"]
    assert "already" in said["open_door"]
    assert {each.package.words for each in discover.broken()} == {"broken-shop 1.4"}


@pytest.mark.django_db
def test_the_seller_reads_whose_it_is(beside: None, client: Client) -> None:
    client.force_login(market.seller().owner)
    listed = client.get("/seller/connect/").content.decode()
    assert "Not part of Crossdock:</b> crossdock-corner-shop 1.4" in listed
    one = client.get("/seller/connect/corner/").content.decode()
    assert "not part of Crossdock" in one and "crossdock-corner-shop 1.4" in one
    assert "not part of Crossdock" not in client.get("/seller/connect/open_door/").content.decode()


@pytest.mark.django_db
def test_staff_read_what_is_broken(beside: None, client: Client) -> None:
    client.force_login(market.user(is_staff=True, is_superuser=True))
    page = client.get("/staff/shops/").content.decode()
    assert "Corner Shop (crossdock-corner-shop 1.4)" in page
    assert "The connector “raises” of the package broken-shop 1.4 is left out: SystemError: no such library" in page


@pytest.mark.django_db
def test_any_other_shop_is_the_last_card_and_hands_out_its_contract(client: Client) -> None:
    client.force_login(market.seller().owner)
    listed = client.get("/seller/connect/").content.decode()
    labels = [connector.manifest.label_within for connector in discover.ours().values()]
    assert max(labels, key=lambda label: listed.index(f"Choose {label}")) == "any other shop"
    page = client.get("/seller/connect/open_door/").content.decode()
    assert "scenarios passed against the reference shop" in page
    contract = client.get("/seller/connect/open_door/contract.json")
    assert contract.json()["openapi"] == "3.1.0" and "attachment" in contract["Content-Disposition"]
    assert client.get("/seller/connect/vendure/contract.json").status_code == 404


CLAIMS = """import dataclasses
from crossdock.connectors.open_door import connector as open_door

class Like:
    def __getattr__(self, name): return getattr(open_door, name)

connector = Like()
connector.manifest = dataclasses.replace(open_door.manifest, name=%r)
"""


@pytest.mark.parametrize(
    ("points", "code", "said"),
    [
        ("odd = odd_shop:connector", "import sys; sys.exit(3)", "SystemExit: 3"),
        ("odd = odd_shop:connector", "class E(Exception):\n def __str__(self): return 1 / 0\nraise E", "E"),
        ("odd = -", "", "AttributeError"),
        ("not a line of entry points", "", "The entry points cannot be read"),
        ("a/b = odd_shop:connector", CLAIMS % "a/b", "small letters"),
        ("Shopify = odd_shop:connector", CLAIMS % "Shopify", "small letters"),
    ],
)
def test_whatever_a_package_does_the_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: str, code: str, said: str
) -> None:
    (tmp_path / "odd_shop.py").write_text(code)
    about = tmp_path / "odd_shop-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-shop\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[crossdock.connectors]\n{points}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "odd_shop", raising=False)
    assert set(discover.ours()) <= set(discover.connectors()) <= {*discover.ours(), "corner"}
    assert any(said in broken.sentence for broken in discover.broken() if broken.package.name in ("odd-shop", "?"))
    sys.modules.pop("odd_shop", None)
