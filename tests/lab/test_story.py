"""A scene that went wrong beside others is believed only when it goes wrong alone, too."""

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
