"""A platform is its folder: nothing else of the product, the lab, the tests and the scripts names one that came after
the first, and a folder that is added is found by whatever goes through the platforms.
"""

import re
import subprocess
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.test import Client

import market
import picking
from crossdock.cli import docs, sandbox
from crossdock.domain.capability import Manifest
from crossdock.kit import discover
from crossdock.kit.conformance import cost
from crossdock.web.inbox import _kept_headers
from crossdock_lab import story
from crossdock_lab.facts import Facts
from crossdock_lab.proof import odd, play
from toyshop import dropped_in

ROOT = Path(__file__).parents[2]
FOLDER = re.compile(r"^src/(?:crossdock|crossdock_lab)/connectors/")
# With these the house was built, so tests and the lab may play on them by name; the open door is a contract of ours.
FIRST = frozenset({"shopify", "woocommerce", "vendure", "open_door"})
# What tells people which platforms there are, or what was learnt of one.
DOCUMENTS = re.compile(r"^(?:README|CHANGELOG|CONTRIBUTING)\.md$|^docs/")
# What else may name one of the later ones, and why.
REASONS = {
    "findings/": "each is about one vendor's package or server, run by hand; nothing of ours reads them",
    "tests/cases/test_dinar.py": "the source of a case: where it was reported of others",
}


def later() -> list[Manifest]:
    return [connector.manifest for name, connector in discover.ours().items() if name not in FIRST]


def words_of(manifests: Iterable[Manifest]) -> re.Pattern[str]:
    """Their names as code, labels and headers write them; a brand of several names by each, and by its first word where
    it is written with a capital.
    """
    found = list[str]()
    for manifest in manifests:
        brands = [brand.strip() for brand in re.split(r"/| by ", manifest.label)]
        found += [r"[ _-]?".join(map(re.escape, re.split(r"[ _-]", name))) for name in (manifest.name, *brands)]
        found += [f"(?-i:{brand.split()[0]})" for brand in brands]
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(dict.fromkeys(found))})", re.IGNORECASE)


def tracked() -> Iterator[tuple[str, str]]:
    """Path and text of all that is committed; what is no text names nothing."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        try:
            yield name, (ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def breaches(files: Iterable[tuple[str, str]]) -> list[str]:
    """Where a platform is named in a file, or by a file's own name, that is none of its folder's."""
    words = words_of(later())
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in files
        if not (FOLDER.match(name) or DOCUMENTS.match(name) or name.startswith(tuple(REASONS)))
        for number, line in enumerate([name, *text.splitlines()])
        if words.search(line)
    ]


def test_no_later_platform_is_named_outside_its_folder() -> None:
    files = list(tracked())
    assert len(later()) >= 8 and len(files) > 1_000
    assert breaches(files) == []
    assert [each for each in REASONS if not any(name.startswith(each) for name, _ in files)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("src/crossdock/usecases/stock/counts.py", 'if shop.platform == "{name}":'),
        ("src/crossdock/web/templates/seller/connect.html", "<h2>{label}</h2>"),
        ("src/crossdock/kit/shop/mapping.py", "# {label} writes 0 for nothing."),
        ("src/crossdock_lab/scenes/loop.py", 'if stage.platform in ("{name}", "vendure"):'),
        ("tests/support/landed.py", "def landed_on_{name}():"),
        ("tests/web/test_door.py", '"x-{name}-topic": "order"'),
        ("tests/usecases/{name}.py", ""),
        (".ci/run", "play {name}"),
        ("Makefile", "## installs {label}"),
    ],
)
def test_one_that_is_planted_is_found(name: str, text: str) -> None:
    for manifest in later():
        for label in re.split(r"/| by ", manifest.label):
            about = {"name": manifest.name, "label": label.strip()}
            place, line = name.format(**about), text.format(**about)
            assert breaches([(place, f'"""A module."""\n{line}\n')]), (place, line)
    for fine in ("src/crossdock/connectors/x/orders.py", "src/crossdock_lab/connectors/x.py", "docs/x.md"):
        assert breaches([(fine, later()[0].name)]) == []
    assert breaches([("tests/web/test_door.py", "a shop of shopify, and a sewing machine")]) == []


class TestAFolderThatIsAdded:
    """The corner shop's folder beside ours, and no other file touched."""

    @pytest.fixture(autouse=True)
    def added(self) -> Iterator[None]:
        with dropped_in():
            yield

    def test_stands_in_the_documentation(self) -> None:
        pages = docs.pages()
        assert "## Corner Shop" in pages["platforms.md"]
        assert "| Corner Shop | 2 | 20 |" in pages["platforms.md"].partition("## Calls")[2]
        assert "## What sellers on Corner Shop read" in pages["rules.md"]

    def test_is_played_by_the_story_and_by_each_proof(self, monkeypatch: pytest.MonkeyPatch) -> None:
        names: list[str] = []

        def asked(platforms: list[str], bug: str, scenes: list[str]) -> Facts:
            names.extend(platforms)
            return Facts()

        # A run of half of the platforms may leave it out.
        monkeypatch.delenv(picking.HALF, raising=False)
        monkeypatch.setattr(story, "side_by_side", asked)
        parser = ArgumentParser()
        story.words(parser)
        assert story.run(parser.parse_args([])) == 0
        assert names == [*discover.connectors()] and "toy" in names
        assert "toy" in play.platforms() and "toy" in discover.simulated() and "toy" in picking.platforms()

    async def test_is_asked_odd_values(self) -> None:
        tally = await odd.tried(discover.connector("toy"), every=61)
        assert tally.wrong == [] and tally.tried > 20

    async def test_is_counted_call_by_call(self) -> None:
        counted = await cost.measured(discover.connector("toy"), discover.sandbox("toy"))
        assert counted.order > 0 and counted.products > 0

    def test_is_a_shop_of_the_demo(self) -> None:
        assert "toy" in sandbox.platforms()

    def test_keeps_what_its_headers_say_of_a_delivery(self) -> None:
        assert "toy-topic" in _kept_headers({"toy-topic": "order", "other-topic": "order"})

    @pytest.mark.django_db
    def test_is_offered_to_sellers(self, client: Client) -> None:
        client.force_login(market.seller().owner)
        assert "Choose Corner Shop" in client.get("/seller/connect/").content.decode()
        assert "Written together with its simulator." in client.get("/seller/connect/toy/").content.decode()

    @pytest.mark.django_db
    def test_is_known_to_staff(self, client: Client) -> None:
        client.force_login(market.user(is_staff=True, is_superuser=True))
        assert "Corner Shop" in client.get("/staff/shops/").content.decode()
