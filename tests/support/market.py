"""A small market for tests of the use-cases: people, one shop, listings; and the shop's own truth kept beside it, so
that tests count there.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import Count, ShopProduct, ShopVariant
from crossdock.domain.values import Address, Money
from crossdock.store.models import Connection, Cursor, Listing, Order, Party, Seller, ShippingRate, User, Variant
from crossdock.store.vault import seal
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.outcomes import claims, settle
from crossdock.usecases.stock import counts, reservations

ADDRESS = Address(
    name="Zoë Müller", line1="1 Elm St", city="Springfield", country="US", postal_code="12345", region="IL"
)
RANDOM = Random(7)
_numbers = count(1)


def user(email: str = "", **fields: object) -> User:
    return User.objects.create_user(email or f"user{next(_numbers)}@example.test", "pass-word-1", **fields)


def seller(name: str = "", **fields: object) -> Seller:
    number = next(_numbers)
    made = Seller.objects.create(owner=user(), name=name or f"Seller {number}", slug=f"seller-{number}", **fields)
    ShippingRate.objects.create(seller=made, country="*", currency=made.currency, price_minor=500)
    return made


def connection(owner: Seller, platform: str = "toy", now: datetime | None = None) -> Connection:
    number = next(_numbers)
    shop = Connection.objects.create(
        seller=owner,
        party=Party.objects.create(kind="shop", name=platform),
        platform=platform,
        way="form",
        address=f"http://127.0.0.1:{number}",
        shop_key=f"shop-{number}",
        name=f"Shop {number}",
        currency=owner.currency,
        secrets=seal({"key": "k"}),
        last_read_at=now or datetime.now(UTC),
    )
    for stream in ("products", "orders", "counts", "hooks"):
        Cursor.objects.create(connection=shop, stream=stream, due_at=now or datetime.now(UTC))
    return shop


def graded(listing: Listing, certificate: str = "45678901", grader: str = "psa") -> None:
    """A unit with a certificate of its own, as its seller set it by hand."""
    facts = ["certificate", f"certificate={certificate}", "grader", f"grader={grader}"]
    Listing.objects.filter(pk=listing.pk).update(facts=facts)
    Variant.objects.filter(listing=listing).update(facts=facts)


@dataclass
class World:
    """One shop with one variant, a hand-moved clock, and the shop's own count.

    `refuses`: the shop never creates without stock. `language`: what buyers read when they pay; none is a program's.
    """

    units: int = 1
    refuses: bool = True
    language: str = ""
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    there: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seller = seller()
        self.shop = connection(self.seller, now=self.now)
        self.number = count(1)
        product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(1000, "USD"), self.units),))
        read_no = counts.draw_read_no()
        import_products.receive_products(connection_id=self.shop.pk, products=[product], read_no=read_no, now=self.now)
        self.variant = Variant.objects.get(connection=self.shop)

    def later(self, seconds: float = 1) -> datetime:
        """Never behind the real clock, which pages and the API write by."""
        self.now = max(self.now, datetime.now(UTC)) + timedelta(seconds=seconds)
        Connection.objects.filter(pk=self.shop.pk).update(last_read_at=self.now)
        return self.now

    @property
    def available(self) -> int | None:
        variant = Variant.objects.select_related("connection", "listing").get(pk=self.variant.pk)
        return reservations.availability(variants=[variant], now=self.now)[variant.pk]

    def hold(self, quantity: int = 1) -> str:
        """A checkout that holds units; the intent's id."""
        basket: Basket = {
            "lines": {self.variant.public_id: quantity},
        }
        shown = priced(basket=basket, country="US", now=self.now)
        intent = checkout.open_checkout(
            buyer=user(),
            basket=basket,
            ship_to=ADDRESS,
            key=f"checkout-{next(_numbers)}",
            fingerprint=shown.fingerprint,
            gateway="sandbox",
            now=self.now,
            language=self.language,
        )
        return intent.public_id

    def pay(self, intent: str) -> Order:
        return checkout.place_order(
            intent_id=intent, gateway_ref="ref", checks={"postal_code": "pass"}, now=self.later()
        )

    def buy(self, quantity: int = 1) -> Order:
        return self.pay(self.hold(quantity))

    def claim(self, owner: str = "w") -> list[claims.Claimed]:
        return claims.claim_commands(party_id=self.shop.party_id, owner=owner, limit=10, now=self.later())

    def create_there(self, order: Order) -> Outcome:
        """The shop carries out the create, by its own rules."""
        wanted = sum(line.quantity for line in order.lines.all())
        if self.refuses and self.units < wanted:
            return Refused(Why.NO_STOCK, "Not enough stock.", ("v1",))
        self.units -= wanted
        shop_id = f"s{next(self.number)}"
        self.there[shop_id] = wanted
        return Done(shop_id, shop_number=f"#{shop_id}", stock_taken=True)

    def cancel_there(self, shop_id: str, *, restock: bool = True) -> None:
        self.units += self.there.pop(shop_id) if restock else 0 * self.there.pop(shop_id)

    def settle(self, claimed: claims.Claimed, outcome: Outcome) -> None:
        settle.settle_command(command_id=claimed.id, outcome=outcome, random=RANDOM, now=self.later())

    def start_read(self) -> tuple[int, int]:
        """(read number, what the shop answers now); apply it whenever the network pleases."""
        return counts.draw_read_no(), self.units

    def apply(self, read: tuple[int, int]) -> None:
        counts.apply_counts(
            connection_id=self.shop.pk,
            read_no=read[0],
            asked=[("p1", "v1")],
            counts=[Count("v1", read[1])],
            now=self.later(),
        )

    def read(self) -> None:
        self.apply(self.start_read())

    def lose(self, claimed: claims.Claimed) -> None:
        self.settle(claimed, Unknown("No answer came."))
