"""The proof of stock proves something: the model and the seeds hold with the product's rules, and each bug that the
protocol names breaks one of them.
"""

import gc

import pytest

import picking
from crossdock_lab.proof.bugs import BUGS, Bug, planted
from crossdock_lab.proof.configs import CONFIGS
from crossdock_lab.proof.explore import explore
from crossdock_lab.proof.plan import Plan, plan
from crossdock_lab.proof.play import Result, play
from crossdock_lab.proof.state import Config
from crossdock_lab.proof.stock import shrunk, told
from crossdock_lab.proof.town import Town, build

pytestmark = pytest.mark.long
MINUTE = [config for config in CONFIGS if config.minute]
WORLDS = {config.name: config for config in CONFIGS}


@pytest.mark.parametrize("config", MINUTE, ids=lambda config: config.name)
def test_no_state_of_the_model_breaks_an_invariant(config: Config) -> None:
    verdict = explore(config)
    print(verdict.line)
    assert not verdict.broken, verdict.steps


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.number}-{bug.name}")
def test_the_model_notices_each_planted_bug(bug: Bug) -> None:
    with planted(bug.name):
        for name in bug.worlds:
            verdict = explore(WORLDS[name], bug.moves)
            assert verdict.broken, f"{bug.about}: not noticed in {name}"
            assert verdict.steps or verdict.states < 10


def test_every_bug_of_the_protocol_is_planted() -> None:
    assert {bug.number for bug in BUGS} >= set(range(1, 14))
    assert all(bug.worlds for bug in BUGS)
    assert len({bug.name for bug in BUGS}) == len(BUGS)


# A seed is played on the platform that its number names in a list. These tests name theirs, so that a platform more
# leaves each of their seeds what it was; `make soak` plays seeds on all of them.
NAMES = ("shopify", "vendure", "woocommerce")


class Towns(dict[str, Town]):
    """Built when it is first asked for."""

    def __missing__(self, platform: str) -> Town:
        self[platform] = build(platform)
        return self[platform]


@pytest.fixture
def towns(db: None, monkeypatch: pytest.MonkeyPatch) -> Towns:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    gc.collect()
    return Towns()


@pytest.mark.parametrize("platform", picking.platforms())
def test_a_seed_replays_exactly(towns: Towns, platform: str) -> None:
    """The same trace twice; in CI on half of the platforms."""
    one = plan(0, (platform,))
    first, second = play(towns[platform], one), play(towns[platform], one)
    assert first.trace, "nothing happened"
    assert first.hash == second.hash


def test_another_seed_is_another_play(towns: Towns) -> None:
    hashes = {play(towns[one.platform], one).hash for one in (plan(seed, NAMES[:1]) for seed in range(3))}
    assert len(hashes) == 3


def test_a_seed_leaves_nothing_behind(towns: Towns) -> None:
    from crossdock.store.models import Command, Order, Reservation

    plans = [plan(seed, NAMES) for seed in range(9)]
    assert any("has paid" in line for one in plans for line in play(towns[one.platform], one).trace)
    assert not Order.objects.exists()
    assert not Reservation.objects.exists()
    assert not Command.objects.filter(kind="create_order").exists()


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.seeds], ids=lambda bug: bug.name)
def test_the_seeds_notice_it_too(towns: Towns, bug: Bug) -> None:
    """The same bug in the product's own code; and what is told of it is short enough to read."""

    def again(smaller: Plan) -> Result:
        return play(towns[smaller.platform], smaller)

    with planted(bug.name):
        found = next((one for seed in range(bug.seeds) if (one := again(plan(seed, NAMES))).broken), None)
        assert found is not None, f"{bug.about}: not noticed in {bug.seeds} seeds"
        small = shrunk(found, again, most=4)
    assert small.broken
    assert len(small.plan.left()) <= len(found.plan.left())
    story = told(small)
    assert small.plan.words in story
    assert small.broken in story


# Seeds that once failed, each with what was wrong in the product or in the proof.
ONCE_BROKEN = {
    39: "a refusal while an earlier attempt was unresolved put the look-up's horizon off for ever",
    541: "an order that stood without its units was taken for units put back twice",
    655: "the same, after a cancel that was throttled",
    3656: "an order that was taken back for want of stock, and made again after a crash, was called a double",
    7384: "a poll that had begun before the last cancel was taken for one that must have seen it",
}


@pytest.mark.parametrize("seed", ONCE_BROKEN, ids=str)
def test_seeds_that_once_broke(towns: Towns, seed: int) -> None:
    one = plan(seed, NAMES)
    assert play(towns[one.platform], one).broken == ""
