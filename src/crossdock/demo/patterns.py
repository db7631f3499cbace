"""How fraud looks while it happens: one function per pattern, each yields the tries of one episode.

Written from how such frauds are described (many cards on one device, a card emptied within hours, accounts that are
kept calm for weeks), not from anybody's data, and before any weight was learned from them. Amounts are multiples of
what is usual on the marketplace; every pattern has its dull cases.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from crossdock.demo.fraud import FORWARDERS, THROWAWAY, Attempt, Person


@dataclass
class Scene:
    """What a pattern may draw from: honest people with a past, sellers by their size, the usual amount."""

    random: Random
    people: list[Person]
    sellers: list[int]
    usual_minor: int
    numbers: Iterator[int]
    bought: list[Attempt] = field(default_factory=list)

    def amount(self, low: float, high: float) -> int:
        return max(100, int(self.usual_minor * self.random.uniform(low, high)))

    def seller(self) -> int:
        return self.random.choice(self.sellers)

    def known(self, begin: datetime) -> Attempt | None:
        """A late honest order of somebody who had bought before `begin`."""
        for _ in range(8):
            one = self.random.choice(self.bought)
            if one.at < begin:
                return one
        return None


Pattern = Callable[[Scene, datetime], Iterator[Attempt]]


def stranger(scene: Scene, at: datetime) -> Attempt:
    """A new account of nobody. Some of them pass every check that a bank makes."""
    random, number = scene.random, next(scene.numbers)
    person = Person(random, 1_000_000 + number)
    base = person.attempt(random, at)
    careless = random.random() < 0.5
    return replace(
        base,
        seller=scene.seller(),
        joined_at=at - timedelta(hours=random.choice((0.2, 1, 5, 40, 300))),
        card=f"stolen-{number}",
        device=f"device-x{number}",
        hosting=random.random() < 0.2,
        ip_country=random.choice(("US", "US", "RO", "VN", "NG")) if careless else "US",
        postal_code_check=random.choice(("fail", "fail", "unavailable", "pass")) if careless else "pass",
        cvc_check=random.choice(("fail", "pass", "pass")) if careless else "pass",
        email=f"x{number}@{THROWAWAY}" if random.random() < 0.2 else base.email,
        amount_minor=scene.amount(0.8, 5),
        paid=True,
    )


def testing(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """One device tries many cards on small amounts, most are declined; then the good ones are used."""
    random, base, at = scene.random, stranger(scene, begin), begin
    pause = random.choice((0.7, 4, 15))
    for i in range(random.randrange(6, 15)):
        at += timedelta(minutes=random.expovariate(1 / pause))
        late = random.random() < 0.2
        yield replace(
            base,
            at=at,
            seller=scene.seller() if late else base.seller,
            card=f"{base.card}-{i}",
            amount_minor=scene.amount(1, 4) if late else scene.amount(0.03, 0.2),
            paid=late or random.random() < 0.45,
            cvc_check=random.choice(("fail", "pass")),
        )


def burst(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """A stolen card is emptied within hours, one to three cards on one account."""
    random, base, at = scene.random, stranger(scene, begin), begin
    cards = [f"{base.card}-{i}" for i in range(random.choice((1, 1, 2, 3)))]
    pause, height = random.choice((4, 25, 150)), random.choice((1.0, 2.0, 4.0))
    changing = random.random() < 0.2
    for i in range(random.choice((2, 2, 3, 4, 5, 7))):
        yield replace(
            base,
            at=at,
            seller=base.seller if random.random() < 0.7 else scene.seller(),
            card=random.choice(cards),
            device=f"{base.device}-{i}" if changing else base.device,
            amount_minor=scene.amount(0.7 * height, 2 * height),
        )
        at += timedelta(minutes=random.expovariate(1 / pause))


def single(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """One order of a new account, and nothing more: what no history can know. Dear more often than not."""
    random, base = scene.random, stranger(scene, begin)
    yield replace(base, amount_minor=scene.amount(1, 3) if random.random() < 0.6 else scene.amount(3, 9))


def collusion(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """A small seller suddenly sells much, to accounts that nobody knows; weeks later it does so again."""
    random, seller = scene.random, scene.sellers[-1 - scene.random.randrange(max(1, len(scene.sellers) // 3))]
    for day in (0.0, random.uniform(9, 25)):
        for _ in range(random.randrange(3, 8)):
            at = begin + timedelta(days=day, hours=random.uniform(0, 30))
            yield replace(stranger(scene, at), seller=seller, amount_minor=scene.amount(1.2, 5))


def mules(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """A few calm accounts on one or two devices order every few days, sent to one door, on card after card."""
    random = scene.random
    head, line1 = stranger(scene, begin), f"{random.randrange(10, 99)} Quay Street"
    for member in range(random.randrange(2, 5)):
        one, at = stranger(scene, begin), begin + timedelta(days=random.uniform(0, 4))
        for i in range(random.randrange(2, 6)):
            yield replace(
                one,
                at=at,
                seller=scene.seller(),
                card=f"{one.card}-{i // 2}",
                device=f"{head.device}-{member % 2}",
                line1=line1,
                region="NV",
                postal_code="89101",
                amount_minor=scene.amount(1.2, 4),
                postal_code_check="pass" if random.random() < 0.7 else "fail",
            )
            at += timedelta(days=random.uniform(0.6, 8))


def takeover(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """An old, good account on another device, to another door, in a hurry; half of them with the card on file."""
    random, base = scene.random, scene.known(begin)
    if base is None:
        return
    number, at = next(scene.numbers), begin
    own_card = random.random() < 0.5
    for _ in range(random.choice((1, 2, 3, 4))):
        yield replace(
            base,
            at=at,
            seller=scene.seller(),
            card=base.card if own_card else f"stolen-{number}",
            device=f"device-t{number}",
            ip=f"203.0.113.{number % 250}",
            ip_country=random.choice(("NG", "RU", "US", "US")),
            hosting=random.random() < 0.3,
            line1=f"{random.randrange(1, 999)} Drop Street",
            region="NJ",
            postal_code="08854",
            amount_minor=scene.amount(1.2, 6),
            paid=True,
        )
        at += timedelta(minutes=random.expovariate(1 / random.choice((10, 90))))


def serial(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """Somebody real who orders on and on and disputes it all: nothing is stolen."""
    random = scene.random
    person, at = Person(random, 2_000_000 + next(scene.numbers)), begin
    for _ in range(random.randrange(4, 12)):
        one = person.attempt(random, at)
        yield replace(one, seller=scene.seller(), amount_minor=scene.amount(0.8, 4), paid=True)
        at += timedelta(days=random.choice((0.02, 0.3, 2, 6)) * random.uniform(0.5, 1.5))


def once(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """An honest buyer's order that is disputed all the same, rather a dear one."""
    base = scene.known(begin)
    if base is not None:
        yield replace(base, at=begin, seller=scene.seller(), amount_minor=scene.amount(0.8, 5), paid=True)


def ring(scene: Scene, begin: datetime) -> Iterator[Attempt]:
    """A few cards and a device go round among many accounts, some of it to a forwarder."""
    random, head = scene.random, stranger(scene, begin)
    line1 = random.choice((*FORWARDERS, f"{random.randrange(10, 99)} Pier Road"))
    for i in range(random.randrange(4, 9)):
        at = begin + timedelta(hours=random.choice((1, 7, 20)) * i * random.uniform(0.5, 1.2))
        one = stranger(scene, at)
        yield replace(
            one,
            card=f"{head.card}-{random.randrange(3)}",
            device=head.device if random.random() < 0.7 else one.device,
            line1=line1 if random.random() < 0.6 else one.line1,
            region="FL",
            postal_code="33122",
            amount_minor=scene.amount(0.8, 5),
        )


PATTERNS: dict[str, Pattern] = {
    "testing": testing,
    "burst": burst,
    "single": single,
    "collusion": collusion,
    "mules": mules,
    "takeover": takeover,
    "serial": serial,
    "once": once,
    "ring": ring,
}
