"""The demo's cards: own sets, own creatures.

One table decides title, price, count and variants, so every fresh demo is the same world.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from crossdock.demo.pictures import KINDS, PALETTES

PER_SHOP = 20
CONDITIONS = (("Near mint", Decimal(1)), ("Played", Decimal("0.6")))
# Places with letters that a search has to fold.
_PLACES = ("Évora Deep", "Jämtrand", "São Lira", "Łazy Moor", "Čakov", "Ørsund", "Señal Point", "Ægirsholm")


@dataclass(frozen=True, slots=True)
class Card:
    """`variants` are (sku, decimal price, units), as a Hand takes them.

    A shop shows the SKU of a variant, so it names the condition. `seed` draws the picture.
    """

    title: str
    seed: str
    description: str
    variants: tuple[tuple[str, str, int], ...]


def of_set(name: str, code: str, *, number: int) -> Sequence[Card]:
    """The cards of one shop's set.

    The fourth is sold out, the fifth is the last one, every sixth comes in two conditions.
    """
    dice = Random(f"{name}{number}")
    creatures = [(element, kind) for element in sorted(PALETTES) for kind in KINDS]
    dice.shuffle(creatures)
    return [
        _card(name, code, position, element, kind, dice)
        for position, (element, kind) in enumerate(creatures[:PER_SHOP], 1)
    ]


def _card(name: str, code: str, position: int, element: str, kind: str, dice: Random) -> Card:
    place = f" of {dice.choice(_PLACES)}" if position % 3 == 0 else ""
    title = f"{element.capitalize()} {kind.capitalize()}{place}, {name} {position:02}/{PER_SHOP}"
    price = Decimal(dice.choice((49, 99, 149, 249, 399, 650, 1200, 2450, 5900))) / 100
    units = {4: 0, 5: 1}.get(position, dice.randrange(2, 15))
    conditions = CONDITIONS if position % 6 == 0 else (("", Decimal(1)),)
    variants = tuple(
        (f"{code}-{position:02} {words}".strip(), f"{price * share:.2f}", units if share == 1 else units + 3)
        for words, share in conditions
    )
    description = dice.choice(
        (
            "First printing, kept in a sleeve since it was opened.",
            "From a sealed box that we opened ourselves. Ships in a top loader.",
            "Foil on the glow only. A small white dot on the back of some copies.",
            "A favourite of the set. Ships flat, between two boards.",
        )
    )
    return Card(title, f"{element}-{kind}-{position}", description, variants)
