"""What a payment is made of: a part for each seller's shop, as it stood when the buyer said yes. Each becomes an order
of its own, or goes back.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from crossdock.domain.values import Address, Money
from crossdock.store.models import PaymentIntent, Variant
from crossdock.usecases.checkout.basket import PricedBasket


@dataclass(frozen=True, slots=True)
class Part:
    """Amounts in minor units; a line is variant, units and price of one. `back` says why its money went back."""

    number: int
    currency: str
    seller: int
    connection: int | None
    items_minor: int
    shipping_minor: int
    lines: tuple[tuple[int, int, int], ...]
    offers: tuple[str, ...]
    back: str = ""

    @property
    def total(self) -> Money:
        return Money(self.items_minor + self.shipping_minor, self.currency)

    @property
    def units(self) -> dict[int, int]:
        """By variant; a variant stands in one line of one part."""
        return {variant: units for variant, units, _ in self.lines}


def basket_of(shown: PricedBasket, ship_to: Address, language: str) -> dict[str, object]:
    """As the intent keeps it: everything that the orders will need."""
    return {
        **({"language": language} if language else {}),
        "ship_to": asdict(ship_to),
        "parts": [
            {
                "seller": part.seller.pk,
                "connection": part.connection.pk if part.connection else None,
                "items_minor": part.items.minor,
                "shipping_minor": part.shipping.minor if part.shipping is not None else 0,
                "lines": [[line.variant.pk, line.quantity, line.unit_price.minor] for line in part.lines],
                "offers": [line.offer.public_id for line in part.lines if line.offer],
            }
            for part in shown.parts
        ],
    }


def parts_of(intent: PaymentIntent) -> tuple[Part, ...]:
    return tuple(
        Part(
            number,
            intent.currency,
            part["seller"],
            part["connection"],
            part["items_minor"],
            part["shipping_minor"],
            tuple((variant, units, price) for variant, units, price in part["lines"]),
            tuple(part.get("offers", ())),
            part.get("back", ""),
        )
        for number, part in enumerate(intent.basket["parts"])
    )


def offers_of(intent: PaymentIntent) -> list[str]:
    return [name for part in parts_of(intent) for name in part.offers]


def names_in(intent: PaymentIntent) -> set[str]:
    """The public ids of the variants that it pays."""
    return set(Variant.objects.filter(pk__in=units_of(parts_of(intent))).values_list("public_id", flat=True))


def units_of(parts: Iterable[Part]) -> dict[int, int]:
    """Units by variant of all of them."""
    return {variant: units for part in parts for variant, units in part.units.items()}


def goes_back(intent: PaymentIntent, part: Part, why: str) -> None:
    """Noted on the intent, which is not written yet."""
    intent.basket["parts"][part.number]["back"] = why
