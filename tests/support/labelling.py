"""Labels for tests of the use-cases: prices, purchases, and the carrier's answers played by hand."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from crossdock.domain.commands import Outcome
from crossdock.domain.labels import Bought, Can, LabelStanding, Parcel, Quote
from crossdock.domain.values import Address, Money
from crossdock.store.models import Command, Entry, Label, Order, Party
from crossdock.usecases.labels import carrier_news, purchase
from crossdock.usecases.outcomes import claims
from market import World

HOME = Address(
    name="Ember Cards",
    line1="5 Market St",
    city="Austin",
    country="US",
    postal_code="78701",
    region="TX",
    phone="5125550100",
)
SMALL = Parcel(grams=120, length_mm=180, width_mm=130, height_mm=20)
CAN = Can(international=True, insurance=True, insures_up_to=1000)
CHEAP = Quote("Sample Post", "Ground", Money(520, "USD"), "q-ground", 4)
FAST = Quote("Sample Post", "Express", Money(1890, "USD"), "q-express", 1)


@dataclass
class Counter:
    """A seller at the label pages, and the carrier on the other side."""

    world: World
    number: int = 0
    random: Random = field(default_factory=lambda: Random(3))

    def __post_init__(self) -> None:
        purchase.set_ship_from(seller=self.world.seller, address=HOME, now=self.world.now)

    def quoted(self, order: Order, **more: Any) -> Label:
        wanted, lines = purchase.shipment_for(order=order, can=CAN, carrier="Sample Post", **{"parcel": SMALL, **more})
        return purchase.keep_quotes(
            order=order,
            by=order.seller.owner,
            provider="sandbox",
            wanted=wanted,
            lines=lines,
            quotes=(CHEAP, FAST),
            now=self.world.now,
        )

    def press(self, label: Label, quote: Quote = CHEAP) -> Label:
        return purchase.buy_label(
            order=label.order,
            by=label.seller.owner,
            token=label.public_id,
            quote_ref=quote.ref,
            can=CAN,
            now=self.world.now,
        )

    def intended(self, order: Order, **more: Any) -> Label:
        return self.press(self.quoted(order, **more))

    def claim(self) -> claims.Claimed:
        party = Party.objects.get(kind="carrier", name="sandbox")
        self.number += 1
        (claimed,) = claims.claim_commands(party_id=party.pk, owner=f"w{self.number}", limit=1, now=self.world.later())
        return claimed

    def answer(self, answer: Bought | Outcome) -> None:
        """The next command is carried out with this end."""
        claimed = self.claim()
        carrier_news.settle_label(command_id=claimed.id, answer=answer, random=self.random, now=self.world.later())

    def sold(self, ref: str = "lbl-1", quote: Quote = CHEAP) -> Bought:
        return Bought(ref, f"9400199{ref[-1] * 15}", quote.carrier, quote.service, quote.price)

    def bought(self, order: Order, ref: str = "lbl-1", **more: Any) -> Label:
        label = self.intended(order, **more)
        self.answer(self.sold(ref))
        label.refresh_from_db()
        return label

    def told(self, label: Label, **standing: Any) -> None:
        carrier_news.receive_standing(
            public_id=label.public_id, standing=LabelStanding(**standing), now=self.world.later()
        )
        label.refresh_from_db()


def owed(account: str) -> int:
    """Minor units that this account holds; negative when we owe them."""
    return sum(Entry.objects.filter(account=account).values_list("amount_minor", flat=True))


def asked() -> list[str]:
    """The kinds of the commands that carriers were or will be asked."""
    rows = Command.objects.filter(party__kind="carrier").order_by("pk")
    return list(rows.values_list("kind", flat=True))
