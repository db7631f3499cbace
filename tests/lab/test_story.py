"""A scene that went wrong beside others is believed only when it goes wrong alone, too."""

from pathlib import Path

import pytest

from crossdock_lab import story
from crossdock_lab.facts import Facts
from crossdock_lab.story import MOST_AGAIN, once_more

SLOW, BROKEN = "FAIL S4   shopify      waited 150 s", "FAIL S6   vendure      twice there"
WRONG = {("shopify", "parcels"): [SLOW], ("vendure", "lost_replies"): [BROKEN]}


def test_what_is_right_alone_is_named_and_no_longer_wrong(capsys) -> None:
    told = once_more(Facts(good=5, bad=[SLOW, BROKEN]), WRONG, lambda platform, scene: scene == "parcels")
    assert told.bad == [BROKEN] and told.end() == 1
    assert "flaky: parcels on shopify\n" in capsys.readouterr().out


def test_a_line_of_no_scene_stays_wrong() -> None:
    ended = "FAIL -    woocommerce  the story ended with code 1"
    assert once_more(Facts(bad=[SLOW, ended]), {("shopify", "parcels"): [SLOW]}, lambda *_: True).bad == [ended]


def test_more_than_load_explains_is_believed_at_once() -> None:
    many = {("shopify", f"scene {n}"): [f"FAIL {n}"] for n in range(MOST_AGAIN + 1)}
    asked: list[str] = []
    facts = once_more(
        Facts(bad=[f"FAIL {n}" for n in range(MOST_AGAIN + 1)]), many, lambda *who: asked.append(who[1]) or True
    )
    assert len(facts.bad) == MOST_AGAIN + 1 and not asked


def test_what_two_scenes_said_stays_wrong_where_one_of_them_is() -> None:
    wrong = {("vendure", "parcels"): [BROKEN], ("vendure", "lost_replies"): [BROKEN]}
    told = once_more(Facts(bad=[BROKEN, BROKEN]), wrong, lambda platform, scene: scene == "parcels")
    assert told.bad == [BROKEN]


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What plays a platform, in place of Python; alone, each scene is right."""
    path = tmp_path / "child"
    path.write_text('#!/bin/sh\ncase "$*" in *--scene*) exit 0;; esac\n. "$0.says"\n')
    path.chmod(0o755)
    monkeypatch.setattr(story.sys, "executable", str(path))
    return tmp_path / "child.says"


SAYS = f"echo 'ok   S1   shopify      seen'\necho '{SLOW}'\necho 'wrong scene: parcels'\n"


def test_a_play_that_breaks_off_after_a_scene_that_is_right_alone_has_failed(child: Path) -> None:
    child.write_text(f"{SAYS}echo Traceback >&2\nexit 1\n")
    told = story.side_by_side(["shopify"], "")
    assert [line.split()[-1] for line in told.bad] == ["1"] and "ended with code 1" in told.bad[0]


def test_one_that_comes_to_its_end_is_right_with_that_scene(child: Path) -> None:
    child.write_text(f"{SAYS}echo '1 passed, 1 failed'\nexit 1\n")
    told = story.side_by_side(["shopify"], "")
    assert (told.good, told.bad) == (1, [])
