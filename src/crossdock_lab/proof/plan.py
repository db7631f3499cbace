"""A seed's plan: who does what when, and how bad the network is.

Steps and faults can be left out one by one, which is how a failing seed is shrunk.
"""

from dataclasses import dataclass, replace
from random import Random

FAULTS = ("lost_reply", "broken", "throttle", "drop", "duplicate", "out_of_order", "late")
_HELD_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Step:
    """`who` numbers buyers or variants. `at` and `wait` are seconds."""

    at: float
    what: str
    who: int = 0
    variants: tuple[int, ...] = ()
    units: int = 1
    wait: float = 0.0
    how: str = ""

    def __str__(self) -> str:
        match self.what:
            case "buy":
                words = (
                    f"buyer {self.who} wants {self.units} of {', '.join(f'v{v}' for v in self.variants)}, pays after"
                    f" {self.wait:.1f} s"
                )
            case "sell":
                words = f"the shop sells one v{self.who}"
            case "recount":
                words = f"the seller finds one more v{self.who}"
            case "reject":
                words = f"buyer {self.who}'s order is rejected here: {self.how}"
            case "shop_cancel":
                words = f"buyer {self.who}'s order is cancelled in the shop ({self.how})"
            case "confirm":
                words = f"the seller confirms the count of v{self.who}"
            case "kill":
                words = "the worker is killed"
            case _:
                words = f"the shop is down for {self.wait:.0f} s"
        return f"{self.at:6.2f} s  {words}"


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    platform: str
    stock: tuple[int, ...]
    steps: tuple[Step, ...]
    faults: tuple[tuple[str, float], ...]
    dropped: frozenset[int] = frozenset()

    def left(self) -> list[tuple[int, Step]]:
        return [(number, step) for number, step in enumerate(self.steps) if number not in self.dropped]

    def without(self, *, steps: frozenset[int] = frozenset(), faults: frozenset[str] = frozenset()) -> "Plan":
        kept = tuple((name, chance) for name, chance in self.faults if name not in faults)
        return replace(self, dropped=self.dropped | steps, faults=kept)

    @property
    def words(self) -> str:
        """The command line that replays exactly this."""
        left_out = [name for name in FAULTS if name not in dict(self.faults)]
        drop = f" --drop {','.join(map(str, sorted(self.dropped)))}" if self.dropped else ""
        without = f" --without {','.join(left_out)}" if left_out else ""
        return f"python -m crossdock_lab stock --seeds 1 --seed {self.seed}{drop}{without}"


def plan(seed: int, platforms: tuple[str, ...]) -> Plan:
    """Few units, several buyers, and everything close together: that is where counts go wrong."""
    dice = Random(seed)
    platform = platforms[seed % len(platforms)]
    stock = (dice.choice((1, 1, 2)), dice.choice((1, 2, 3)))
    buyers = dice.randint(2, 4)
    steps: list[Step] = []
    hot = [dice.uniform(0.5, 20.0) for _ in range(3)]
    for who in range(buyers):
        both = dice.random() < 0.2
        variants = (0, 1) if both else (dice.choice((0, 0, 1)),)
        wait = _HELD_SECONDS + dice.uniform(1, 10) if dice.random() < 0.12 else dice.uniform(0.05, 0.6)
        at = dice.choice(hot) + dice.uniform(0, 1.5)
        steps.append(Step(at, "buy", who, variants, 2 if dice.random() < 0.15 else 1, wait))
        if dice.random() < 0.45:
            how = dice.choice(("other", "other", "not_available"))
            steps.append(Step(at + wait + dice.choice((0.02, 0.3, 1.5, 12.0)) * dice.random(), "reject", who, how=how))
        elif dice.random() < 0.25:
            how = dice.choice(("restocked", "not restocked"))
            steps.append(Step(at + wait + dice.uniform(0.3, 15.0), "shop_cancel", who, how=how))
    for _ in range(dice.choice((0, 1, 1, 2))):
        steps.append(Step(dice.choice(hot) + dice.uniform(0, 2.0), "sell", dice.choice((0, 0, 1))))
    if dice.random() < 0.3:
        steps.append(Step(dice.choice(hot) + dice.uniform(0, 20.0), "recount", dice.choice((0, 1))))
    for _ in range(dice.choice((0, 0, 1, 2))):
        steps.append(Step(dice.choice(hot) + dice.uniform(0, 2.5), "kill"))
    if dice.random() < 0.15:
        steps.append(Step(dice.choice(hot) + dice.uniform(0, 1.0), "down", wait=dice.uniform(2, 15)))
    if dice.random() < 0.7:
        steps.append(Step(28.0, "confirm", 0))
    chances = {name: dice.choice((0.0, 0.05, 0.15)) for name in FAULTS}
    chances["late"] = dice.choice((0.0, 0.0, 0.1))
    return Plan(seed, platform, stock, tuple(sorted(steps, key=lambda step: step.at)), tuple(chances.items()))
