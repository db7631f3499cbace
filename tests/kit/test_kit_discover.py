"""A folder dropped in is a platform: discovered, with its words, and conforming. No other file is touched."""

from pathlib import Path

import pytest

from crossdock.kit import conformance, discover
from crossdock.kit.conformance.__main__ import main
from crossdock.kit.conformance.suite import Verdict
from crossdock.kit.discover import BrokenFolder, NoSuchFolder
from toyshop import dropped_in


def test_a_dropped_in_folder_is_discovered_and_gone_again_with_its_path() -> None:
    before = set(discover.connectors())
    with dropped_in():
        assert set(discover.connectors()) == before | {"toy"}
        assert discover.connector("toy").manifest.label == "Corner Shop"
        assert discover.sandbox("toy").__module__ == "crossdock.connectors.toy.sandbox"
    assert set(discover.connectors()) == before
    with pytest.raises(NoSuchFolder, match="no 'toy' among the connectors"):
        discover.connector("toy")


async def test_the_dropped_in_folder_conforms_in_everything_that_it_says_yes_to() -> None:
    with dropped_in():
        results = await conformance.run_all(discover.connector("toy"), discover.sandbox("toy"))
    failed = [
        f"{result.number} {result.title}: {result.sentence}" for result in results if result.verdict is Verdict.FAILED
    ]
    assert failed == []
    # Signing in elsewhere, several locations, and a place for the risk level: its manifest says no to these.
    not_called_for = [result.number for result in results if result.verdict is Verdict.NOT_CALLED_FOR]
    assert not_called_for == [109, 310, 311, 551, 552, 553, 554, 555, 556]
    assert len(results) == len(conformance.scenarios())


def test_what_is_no_platform_s_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "_private").mkdir()
    (tmp_path / "_private" / "__init__.py").write_text("")
    (tmp_path / "module.py").write_text("raise RuntimeError")
    (tmp_path / "data").mkdir()
    before = set(discover.connectors())
    with dropped_in(str(tmp_path)):
        assert set(discover.connectors()) == before


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("empty_folder", '"""Nothing."""', "connectors/empty_folder/__init__.py offers no `connector`"),
        (
            "misnamed",
            "from crossdock.connectors.toy import Toy\nconnector = Toy()",
            "connectors/misnamed calls itself 'toy'",
        ),
    ],
)
def test_a_broken_folder_is_named(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(text)
    with dropped_in(str(tmp_path)), pytest.raises(BrokenFolder) as caught:
        discover.connectors()
    assert sentence in str(caught.value)


def test_a_folder_without_a_simulator_of_its_own_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    (folder / "sandbox").mkdir(parents=True)
    text = (
        "from dataclasses import replace\nfrom crossdock.connectors.toy import Toy\n"
        "connector = Toy()\nconnector.manifest = replace(connector.manifest, name='bare')\n"
    )
    (folder / "__init__.py").write_text(text)
    (folder / "sandbox" / "__init__.py").write_text("from crossdock.kit.sandbox import Sandbox\n")
    with (
        dropped_in(str(tmp_path)),
        pytest.raises(BrokenFolder, match="bare/sandbox offers no class Sandbox of its own"),
    ):
        discover.sandbox("bare")


def test_the_suite_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with dropped_in():
        assert main(["toy", "101", "109", "301"]) == 0
        said = capsys.readouterr().out
        assert "301 passed" in said
        assert "toy: 2 passed, 0 failed, 1 not called for" in said
        assert main(["toy", "109"]) == 1
        assert main([]) == main(["nobody"]) == main(["toy", "x"]) == 2
        assert "There is no 'nobody' among the connectors" in capsys.readouterr().err
