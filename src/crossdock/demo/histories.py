"""Made-up histories of several kinds, to try and to fit risk rules on: what is sold and how fast, who is honest and
looks odd, what is known of an order, and how much of it is fraud (0.2 % to 12 %).

Written and committed before the weights that were learned from them. Rules that hold on all of them have not been
tried on real fraud; they have only not been made for one kind of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from random import Random

from crossdock.demo.fraud import BEGIN, Attempt, Person
from crossdock.demo.patterns import PATTERNS, Scene


@dataclass(frozen=True, slots=True)
class Kind:
    """`share` of the paid orders are fraud; `patterns` says in what proportion each has its part of them.

    `again`: honest orders that are followed by another within hours; `fast`: honest orders by resellers; `season`:
    how many times as many orders the last fifth has; `missing`: values of each linking field that nobody told.
    `delay` days until a fraud is known.
    """

    name: str
    what: str
    share: float
    patterns: Mapping[str, float]
    orders: int = 4000
    days: int = 90
    per_buyer: float = 1.8
    sellers: int = 40
    again: float = 0.04
    fast: float = 0.0
    season: float = 1.0
    missing: float = 0.0
    delay: tuple[float, float] = (3, 30)
    usual_minor: int = 4000
    spread: float = 0.8


KINDS: tuple[Kind, ...] = (
    Kind(
        "testing",
        "Card testing in bursts",
        0.04,
        {"testing": 4, "burst": 1, "single": 1},
        orders=5000,
        usual_minor=2500,
    ),
    Kind(
        "mules",
        "Slow mules, half a per cent",
        0.005,
        {"mules": 4, "single": 2, "takeover": 1},
        orders=12_000,
        days=180,
        per_buyer=3,
    ),
    Kind(
        "takeover",
        "Old accounts taken over",
        0.01,
        {"takeover": 7, "burst": 1, "single": 1},
        orders=9000,
        days=150,
        per_buyer=4,
        again=0.03,
    ),
    Kind(
        "friendly",
        "Friendly fraud: buyers dispute what they ordered",
        0.03,
        {"serial": 6, "once": 3},
        orders=6000,
        days=120,
        per_buyer=2.5,
    ),
    Kind(
        "resellers",
        "Honest resellers who are fast",
        0.015,
        {"burst": 3, "testing": 1, "takeover": 1, "single": 1},
        orders=8000,
        per_buyer=3,
        fast=0.08,
    ),
    Kind(
        "season",
        "A gift season: many new buyers, dear things",
        0.01,
        {"burst": 3, "ring": 1, "single": 2},
        orders=9000,
        days=120,
        per_buyer=1.4,
        season=3.0,
        again=0.06,
    ),
    Kind(
        "small_sellers",
        "Hundreds of small sellers, some of them in it",
        0.05,
        {"collusion": 3, "burst": 3, "single": 1},
        orders=5000,
        sellers=400,
        per_buyer=1.3,
    ),
    Kind(
        "large_sellers",
        "Three large sellers, two in a thousand",
        0.002,
        {"burst": 5, "testing": 1, "takeover": 1, "single": 1},
        orders=20_000,
        days=120,
        sellers=3,
        per_buyer=2.2,
        again=0.02,
        spread=0.6,
    ),
    Kind(
        "sparse",
        "Half of the fields unknown",
        0.03,
        {"burst": 3, "ring": 2, "mules": 1, "single": 1},
        orders=6000,
        missing=0.4,
    ),
    Kind(
        "rings",
        "Rings: cards and devices go round",
        0.06,
        {"ring": 5, "mules": 2, "single": 2},
        orders=4000,
        per_buyer=2.2,
        again=0.05,
    ),
    Kind(
        "payments",
        "Payments of many sellers in one month, one in eight is fraud",
        0.12,
        {"burst": 7, "single": 3, "serial": 2, "collusion": 1, "ring": 1, "testing": 1},
        orders=3500,
        days=32,
        per_buyer=1.15,
        sellers=900,
        again=0.02,
        missing=0.12,
        delay=(7, 7),
        usual_minor=40_000,
        spread=1.1,
    ),
    Kind(
        "mixed",
        "A little of everything",
        0.025,
        dict.fromkeys(PATTERNS, 1.0),
        orders=8000,
        days=120,
        per_buyer=2.2,
        fast=0.03,
        missing=0.1,
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
# What links tries to each other; `missing` leaves each of them out by itself.
LINKS = ("card", "device", "ip", "line1")


def history_of(kind: Kind, *, seed: int = 1, orders: int = 0) -> list[Attempt]:
    """In the order of its time. The same seed gives the same history; `orders` changes its size."""
    random = Random(f"{kind.name}-{seed}")
    size = orders or kind.orders
    scene = Scene(
        random,
        people=[Person(random, number) for number in range(max(30, int(size * (1 - kind.fast) / kind.per_buyer)))],
        sellers=_popular(random, kind.sellers),
        usual_minor=kind.usual_minor,
        numbers=count(),
    )
    _households(scene, kind)
    scene.bought = sorted(_honest(kind, scene, size), key=lambda one: one.at)
    found = [*scene.bought, *_frauds(kind, scene)]
    hidden = (_with_gaps(random, one, kind.missing) for one in found)
    return sorted(hidden, key=lambda one: (one.at, one.buyer, one.card))


def _households(scene: Scene, kind: Kind) -> None:
    """Some live together: one computer, now and then one card, one door. Nothing is odd about it."""
    random, before = scene.random, scene.people[0]
    for person in scene.people:
        person.joined_at = BEGIN + timedelta(days=random.uniform(-400, kind.days * 0.8))
        if random.random() < 0.06:
            person.devices[0], person.ip, person.line1 = before.devices[0], before.ip, before.line1
            person.region, person.postal_code = before.region, before.postal_code
            if random.random() < 0.4:
                person.cards[0] = before.cards[0]
        before = person


def _popular(random: Random, sellers: int) -> list[int]:
    """Each as often as it is big: a few sell most, many sell little."""
    rows: list[int] = []
    for seller in range(sellers):
        rows += [seller] * max(1, round(4 * sellers / (seller + 3)) if sellers > 10 else 5)
    return rows


def _honest(kind: Kind, scene: Scene, size: int) -> Iterable[Attempt]:
    random = scene.random
    level = {seller: random.lognormvariate(0, kind.spread / 2) for seller in set(scene.sellers)}
    made = int(size * (1 - kind.fast))
    # Some order often, most once or twice.
    eager = [random.paretovariate(1.6) for _ in scene.people]
    for person in random.choices(scene.people, eager, k=made):
        at = BEGIN + timedelta(days=_day(kind, random))
        one = person.attempt(random, at)
        if random.random() < 0.12:
            # Another browser, or its memory was emptied.
            one = replace(one, device=f"device-n{person.key}-{random.randrange(10**6)}")
        for again in range(random.choice((2, 2, 2, 3, 4)) if random.random() < kind.again else 1):
            seller = scene.seller()
            dear = 1.6 if kind.season > 1 and at > BEGIN + timedelta(days=kind.days * 0.8) else 1.0
            amount = kind.usual_minor * level[seller] * dear * random.lognormvariate(0, kind.spread * 0.8)
            yield replace(
                one,
                at=at + again * timedelta(hours=random.choice((0.2, 0.8, 9))),
                seller=seller,
                amount_minor=max(100, int(amount)),
                joined_at=min(person.joined_at, at),
            )
    yield from _resellers(kind, scene, int(size * kind.fast))


def _day(kind: Kind, random: Random) -> float:
    last = 0.2 * kind.season / (0.8 + 0.2 * kind.season)
    if random.random() < last:
        return kind.days * random.uniform(0.8, 1)
    return kind.days * random.uniform(0, 0.8)


def _resellers(kind: Kind, scene: Scene, size: int) -> Iterable[Attempt]:
    """Honest people who buy many things in a day, on the card and device they always use."""
    random, left, number = scene.random, size, 3_000_000
    while left > 0:
        person, number = Person(random, number), number + 1
        for _ in range(random.randrange(3, 9)):
            at = BEGIN + timedelta(days=_day(kind, random))
            for _ in range(random.randrange(2, 9)):
                at += timedelta(minutes=random.expovariate(1 / 25))
                one = person.attempt(random, at)
                amount = kind.usual_minor * random.lognormvariate(0, kind.spread)
                yield replace(
                    one,
                    seller=scene.seller(),
                    card=person.cards[0],
                    device=person.devices[0],
                    amount_minor=max(100, int(amount)),
                    joined_at=BEGIN - timedelta(days=200),
                )
                left -= 1


def _frauds(kind: Kind, scene: Scene) -> list[Attempt]:
    random = scene.random
    wanted = sum(one.paid for one in scene.bought) * kind.share / (1 - kind.share)
    end, total = BEGIN + timedelta(days=kind.days), sum(kind.patterns.values())
    paid = dict.fromkeys(kind.patterns, 0)
    found: list[Attempt] = []
    while sum(paid.values()) < wanted:
        # The one that is furthest behind its part.
        name = max(paid, key=lambda each: kind.patterns[each] / total * (sum(paid.values()) + 1) - paid[each])
        begin = BEGIN + timedelta(days=kind.days * random.uniform(0.02, 0.98))
        for one in PATTERNS[name](scene, begin):
            if one.at >= end:
                continue
            known = one.at + timedelta(days=random.uniform(*kind.delay))
            joined = min(one.joined_at or one.at, one.at)
            found.append(replace(one, fraud=True, known_at=known, joined_at=joined, pattern=name))
            paid[name] += one.paid
    return found


def _with_gaps(random: Random, one: Attempt, share: float) -> Attempt:
    gone: dict[str, str] = {name: "" for name in LINKS if share and random.random() < share}
    return replace(one, **gone) if gone else one  # type: ignore[arg-type]
