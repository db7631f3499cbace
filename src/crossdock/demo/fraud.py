"""A made-up history of payments with five fraud patterns planted in it, to try risk rules on. Written before the
rules' points, and its patterns not changed since.

It proves no more than that the rules see these patterns among honest buyers who look odd at times. Real fraud is
another matter: judge on your own labels. Nothing in it is real: cards, devices and addresses are words, e-mail
addresses end in names that nobody can own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 270
PATTERNS = ("card_testing", "stolen_card_to_forwarder", "taken_over_account", "shared_address_ring", "card_ring")
# A chargeback arrives so long after the order; until then nobody knows.
_DISPUTED_AFTER = (20, 60)

# (state, postal code, area code) that belong together.
_TOWNS = (
    ("IL", "60614", "312"),
    ("CA", "94107", "415"),
    ("NY", "10003", "212"),
    ("TX", "78704", "512"),
    ("WA", "98103", "206"),
    ("OR", "97201", "503"),
    ("MA", "02139", "617"),
    ("FL", "33139", "305"),
    ("CO", "80205", "303"),
    ("GA", "30307", "404"),
    ("MN", "55407", "612"),
    ("PA", "19147", "215"),
)
_MAIL = ("example.test", "letters.test", "post.test", "mail.test")
THROWAWAY = "mailinator.com"
FORWARDERS = ("8425 NW 29th St Suite 400", "1100 Depot Road Unit F")
_NAMES = (
    "Ana",
    "Ben",
    "Chloé",
    "Dmitri",
    "Elif",
    "Femi",
    "Grace",
    "Hiro",
    "Inês",
    "Jonas",
    "Kaia",
    "Lior",
    "Mina",
    "Noor",
    "Otto",
    "Priya",
)
_SURNAMES = (
    "Abe",
    "Brandt",
    "Castro",
    "Dietz",
    "Eklund",
    "Faria",
    "Gomez",
    "Hauk",
    "Iyer",
    "Jensen",
    "Krol",
    "Lund",
    "Moreau",
    "Novak",
    "Okoye",
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay, paid or declined.

    `joined_at` is when the account was made. `fraud` is the truth, or nobody says it where `labelled` is False;
    `known_at` is when the marketplace learns it. Words are empty, and 0 is the amount, where they are not known.
    """

    at: datetime
    buyer: str
    name: str
    email: str
    joined_at: datetime | None
    seller: int
    amount_minor: int
    units: int
    card: str
    card_country: str
    funding: str
    device: str
    ip: str
    ip_country: str | None
    hosting: bool | None
    line1: str
    region: str
    postal_code: str
    country: str
    billing_country: str
    phone: str
    postal_code_check: str
    cvc_check: str
    paid: bool = True
    fraud: bool = False
    known_at: datetime | None = None
    pattern: str = ""
    labelled: bool = True
    currency: str = "USD"
    three_d_secure: str = ""


class Person:
    """Somebody honest: a home, a card or two, a device or two, and habits."""

    def __init__(self, random: Random, number: int) -> None:
        self.key = f"buyer-{number}"
        self.name = f"{random.choice(_NAMES)} {random.choice(_SURNAMES)}"
        first = self.name.split()[0].lower().replace("é", "e").replace("ê", "e")
        self.email = f"{first}{number}@{THROWAWAY if random.random() < 0.01 else random.choice(_MAIL)}"
        self.region, self.postal_code, self.area = random.choice(_TOWNS)
        self.line1 = f"{random.randrange(1, 2500)} {random.choice(('Elm', 'Oak', 'Lake', 'Mill', 'Hill'))} Street"
        self.cards = [f"card-{number}-{i}" for i in range(1 if random.random() < 0.75 else 2)]
        self.devices = [f"device-{number}-{i}" for i in range(1 if random.random() < 0.6 else 2)]
        self.ip = f"10.{number // 250 % 250}.{number % 250}.{random.randrange(1, 250)}"
        self.phone = f"+1{self.area}555{random.randrange(100, 200):04d}"
        self.funding = "prepaid" if random.random() < 0.04 else "credit" if random.random() < 0.6 else "debit"
        self.taste = random.lognormvariate(7.6, 0.6)
        self.joined_at = BEGIN + timedelta(days=random.uniform(-400, DAYS - 5))

    def attempt(self, random: Random, at: datetime) -> Attempt:
        """An honest one: a failed check now and then, a present for somebody else, a trip abroad."""
        present, abroad = random.random() < 0.05, random.random() < 0.02
        region, postal_code, _ = random.choice(_TOWNS) if present else (self.region, self.postal_code, "")
        amount = int(self.taste * random.lognormvariate(0, 0.5)) * (6 if random.random() < 0.01 else 1)
        return Attempt(
            at=at,
            buyer=self.key,
            name=self.name,
            email=self.email,
            joined_at=min(self.joined_at, at - timedelta(minutes=random.uniform(3, 90))),
            seller=random.randrange(12),
            amount_minor=max(150, amount),
            units=1 if random.random() < 0.85 else random.randrange(2, 5),
            card=random.choice(self.cards),
            card_country="US" if random.random() < 0.98 else "CA",
            funding=self.funding,
            device=random.choice(self.devices),
            ip="198.51.100.7" if abroad else self.ip,
            ip_country="FR" if abroad else "US",
            hosting=random.random() < 0.015,
            line1=f"{random.randrange(1, 2500)} Gift Lane" if present else self.line1,
            region=region,
            postal_code=postal_code,
            country="US",
            billing_country="US" if random.random() < 0.99 else "CA",
            phone=self.phone,
            postal_code_check="fail" if random.random() < 0.03 else "pass",
            cvc_check="fail" if random.random() < 0.01 else "pass",
            paid=random.random() > 0.03,
        )


def history(*, orders: int = 12_000, seed: int = 1) -> list[Attempt]:
    """About `orders` attempts in the order of their time, some 4 % of the paid ones fraud.

    The same seed gives the same history.
    """
    random = Random(seed)
    people = [Person(random, number) for number in range(max(20, orders // 4))]
    found: list[Attempt] = []
    for _ in range(orders):
        person = random.choice(people)
        at = max(BEGIN, person.joined_at) + timedelta(days=random.expovariate(1 / 60), minutes=random.uniform(3, 900))
        if at < BEGIN + timedelta(days=DAYS):
            found.append(person.attempt(random, at))
    plants = (_card_testing, _forwarder, _taken_over, _address_ring, _card_ring)
    for number in range(max(5, orders // 130)):
        begin = BEGIN + timedelta(days=random.uniform(10, DAYS - 10))
        for attempt in plants[number % len(plants)](random, number, begin, people):
            known = attempt.at + timedelta(days=random.uniform(*_DISPUTED_AFTER))
            found.append(replace(attempt, fraud=True, known_at=known, pattern=PATTERNS[number % len(plants)]))
    return sorted(found, key=lambda attempt: (attempt.at, attempt.buyer, attempt.card))


def _stranger(random: Random, number: int, at: datetime) -> Attempt:
    """A new account of somebody who is nobody."""
    person = Person(random, 100_000 + number)
    return replace(
        person.attempt(random, at),
        joined_at=at - timedelta(minutes=random.uniform(2, 300)),
        hosting=random.random() < 0.3,
    )


def _card_testing(random: Random, number: int, begin: datetime, people: list[Person]) -> Iterator[Attempt]:
    """One device tries many cards on small amounts; most are declined."""
    base = _stranger(random, number, begin)
    for i in range(random.randrange(8, 16)):
        at = begin + timedelta(seconds=40 * i + random.uniform(0, 30))
        yield replace(
            base,
            at=at,
            card=f"stolen-{number}-{i}",
            amount_minor=random.randrange(100, 400),
            paid=random.random() < 0.35,
            units=1,
            postal_code_check=random.choice(("fail", "unavailable", "pass")),
            cvc_check=random.choice(("fail", "pass")),
        )


def _forwarder(random: Random, number: int, begin: datetime, people: list[Person]) -> Iterator[Attempt]:
    """Stolen cards, dear things, new accounts on one device, sent to a freight forwarder."""
    line1 = random.choice(FORWARDERS)
    for i in range(random.randrange(3, 7)):
        at = begin + timedelta(hours=5 * i + random.uniform(0, 4))
        yield replace(
            _stranger(random, number * 50 + i, at),
            device=f"device-f{number}",
            card=f"stolen-f{number}-{i}",
            line1=line1,
            region="FL",
            postal_code="33122",
            amount_minor=random.randrange(12_000, 60_000),
            units=random.randrange(1, 4),
            postal_code_check="fail",
            ip_country=random.choice(("US", "RO", "VN")),
            card_country=random.choice(("US", "GB")),
            paid=True,
        )


def _taken_over(random: Random, number: int, begin: datetime, people: list[Person]) -> Iterator[Attempt]:
    """An old, good account: suddenly another device, country and address, and a large amount on the card that is on
    file.
    """
    person = random.choice([each for each in people if each.joined_at < begin - timedelta(days=5)] or people)
    for i in range(random.randrange(1, 4)):
        at = begin + timedelta(minutes=20 * i)
        yield replace(
            person.attempt(random, at),
            device=f"device-t{number}",
            ip=f"203.0.113.{number % 250}",
            ip_country=random.choice(("NG", "RU", "US")),
            hosting=random.random() < 0.5,
            line1=f"{random.randrange(1, 999)} Drop Street",
            region="NJ",
            postal_code="08854",
            amount_minor=random.randrange(15_000, 50_000),
            paid=True,
            postal_code_check="pass",
            cvc_check="pass",
        )


def _address_ring(random: Random, number: int, begin: datetime, people: list[Person]) -> Iterator[Attempt]:
    """Many accounts with throw-away mail addresses order to one flat, written a little differently each time."""
    street = f"{random.randrange(10, 99)} Quay Street"
    for i in range(random.randrange(4, 9)):
        at = begin + timedelta(hours=9 * i + random.uniform(0, 8))
        one = _stranger(random, number * 50 + i, at)
        yield replace(
            one,
            line1=random.choice((street, street.upper(), f"{street} Apt {i}", street.replace("Street", "St."))),
            region="NV",
            postal_code="89101",
            email=f"x{number}{i}@{THROWAWAY}",
            funding="prepaid" if random.random() < 0.6 else one.funding,
            paid=True,
            amount_minor=random.randrange(3_000, 9_000),
        )


def _card_ring(random: Random, number: int, begin: datetime, people: list[Person]) -> Iterator[Attempt]:
    """A few cards go round among many names and addresses."""
    cards = [f"stolen-r{number}-{i}" for i in range(2)]
    for i in range(random.randrange(4, 8)):
        at = begin + timedelta(hours=14 * i + random.uniform(0, 10))
        yield replace(
            _stranger(random, number * 50 + i, at),
            card=random.choice(cards),
            billing_country=random.choice(("US", "GB")),
            card_country="GB",
            postal_code_check=random.choice(("fail", "fail", "unavailable")),
            amount_minor=random.randrange(5_000, 20_000),
            paid=True,
        )
