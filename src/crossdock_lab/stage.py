"""Where the story plays: one seller with one simulated shop on one platform, and a buyer, joined through the real
path.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crossdock.domain.commands import CommandKind
from crossdock_lab.facts import Facts
from crossdock_lab.trial import Trial

if TYPE_CHECKING:
    from crossdock.domain.capability import Manifest
    from crossdock.kit.connector import VariantRef
    from crossdock.kit.hand import Standing
    from crossdock.kit.sandbox import Sandbox
    from crossdock.store.models import Connection, Order, Seller, User, Variant

DESCRIBED, LIFTED = "as-described", "lifted"
PATIENCE = 150.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Stage:
    """One seller with one simulated shop on one platform, and a buyer."""

    trial: Trial
    facts: Facts
    platform: str
    manifest: "Manifest"
    shop: "Sandbox"
    seller: "Seller"
    connection: "Connection"
    buyer: "User"
    made: int = field(default=0)

    def see(self, true: bool, rule: str, seen: str, mode: str = DESCRIBED) -> bool:
        return self.facts.see(true, rule, self.platform, mode, seen)

    def calm(self) -> None:
        self.shop.dial.calm()

    def now_and_then(self) -> float:
        """How likely a fault in one call is when it meets every second order, however many calls the platform needs."""
        from crossdock.kit.conformance import cost

        counted = cost.of(self.platform)
        return 1 - 0.5 ** (1 / counted.order) if counted else 0.1

    def item(self, count: int, price: str = "10.00") -> "tuple[VariantRef, Variant]":
        """A product in the shop, once it is listed here with its count."""
        from crossdock.store.models import Variant

        self.made += 1
        (ref,) = self.trial.call(self.shop.hand.add_product(f"Card {self.made}", [(f"SKU-{self.made}", price, count)]))
        here = Variant.objects.filter(connection=self.connection, shop_variant_id=ref.variant_id, stock__count=count)
        self.trial.until(here.exists, PATIENCE, f"a product to be listed from {self.platform}")
        return ref, here.select_related("listing", "connection").get()

    def buy(self, variant: "Variant", quantity: int = 1, buyer: "User | None" = None) -> "Order":
        from crossdock.domain.values import Address
        from crossdock_lab.buying import Till

        ship_to = Address(f"Zoë Buyer {self.made}", "1 Elm Street", "Springfield", "US", "12345", region="IL")
        return Till(self.trial.folder).buy(
            buyer=buyer or self.buyer, variant=variant, quantity=quantity, ship_to=ship_to
        )

    def standing(self, order: "Order") -> "list[Standing]":
        return [s for s in self.trial.call(self.shop.hand.orders()) if s.reference == order.reference]

    def count(self, ref: "VariantRef") -> int:
        return self.trial.call(self.shop.hand.count(ref))

    def available(self, variant: "Variant") -> int | None:
        from crossdock.store.models import Variant
        from crossdock.usecases.stock.reservations import availability

        fresh = Variant.objects.select_related("listing", "connection").get(pk=variant.pk)
        return availability(variants=[fresh], now=now())[variant.pk]

    def copy_is(self, order: "Order", *states: str, rest: bool = True) -> bool:
        """The copy's state, and (with `rest`) nothing on its way any more."""
        from crossdock.store.models import Command, ShopCopy

        busy = rest and Command.objects.filter(subject=order.reference, state__in=["waiting", "in_flight"]).exists()
        return not busy and ShopCopy.objects.filter(order=order, state__in=states, read_wanted=False).exists()

    def lands(self, order: "Order") -> None:
        self.trial.until(
            lambda: self.copy_is(order, "equal", "differs"), PATIENCE, f"order {order} to land on {self.platform}"
        )

    def by_hand(self, order: "Order") -> None:
        """Where no program may cancel, the seller is asked to, and does."""
        from crossdock.domain.capability import Capability

        if self.manifest.can(Capability.ORDER_CANCEL):
            return
        self.trial.until(lambda: "cancel_failed" in self.alerts(order), PATIENCE, "the seller to be asked to cancel")
        for standing in self.standing(order):
            self.trial.call(self.shop.hand.cancel(standing.shop_id))

    def ends_there(self, order: "Order") -> None:
        """Rejected here: cancelled in the shop too."""
        self.by_hand(order)
        self.trial.until(lambda: self.copy_is(order, "cancelled"), PATIENCE, "the cancel in the shop")

    def listens(self) -> None:
        """Wait until the shop's webhooks are set up."""
        from crossdock.store.models import Connection

        found = Connection.objects.filter(pk=self.connection.pk)
        self.trial.until(lambda: bool(found.get().hooks.get("active")), PATIENCE, "the webhooks to be set up")

    def alerts(self, order: "Order") -> set[str]:
        return set(order.alerts.filter(settled_at=None).values_list("code", flat=True))

    def counts_agree(self, ref: "VariantRef", variant: "Variant") -> bool:
        """Not by chance either: while units of an order wait for a read, an older count less them may be the shop's."""
        from crossdock.store.models import Reservation

        waits = Reservation.objects.filter(variant=variant).exclude(state="ended")
        return self.available(variant) == self.count(ref) and not waits.exists()

    def refunded(self) -> int:
        """How many refunds the gateway made in all."""
        from crossdock.store.models import Command

        return Command.objects.filter(kind=CommandKind.REFUND_PAYMENT, state="done", result="ok").count()


def stages(trial: Trial, facts: Facts, only: list[str]) -> Iterator[Stage]:
    """A seller per platform, joined through the real path."""
    from crossdock.demo.joining import join
    from crossdock.kit import discover
    from crossdock_lab.buying import make_seller

    for i, (platform, connector) in enumerate(discover.connectors().items()):
        if only and platform not in only:
            continue
        shop = trial.open_shop(platform, seed=i)
        way, form = shop.seller_form()
        seller = make_seller(name=f"Seller on {platform}", email=f"seller-{platform}@example.test")
        connection = join(seller=seller, platform=platform, address=shop.address, way=way, form=form, now=now())
        yield Stage(trial, facts, platform, connector.manifest, shop, seller, connection, _trusted_buyer(platform))


def _trusted_buyer(platform: str) -> "User":
    """They order dozens of times within minutes, which is what the risk rules warn of; staff know them."""
    from crossdock.store.models import User
    from crossdock.store.models.risk import RiskListKind, RiskListWhat
    from crossdock.usecases.risk.lists import add_to_list

    buyer = User.objects.create_user(f"buyer-{platform}@example.test", None, name="Zoë Buyer")
    add_to_list(
        kind=RiskListKind.TRUSTED,
        what=RiskListWhat.EMAIL,
        text=buyer.email,
        remark="The play's own buyer.",
        actor=staff(),
        now=now(),
    )
    return buyer


def staff(number: int = 1) -> "User":
    """The members of staff that all scenes share; large sums take a second one."""
    from crossdock.store.models import User

    return User.objects.get_or_create(
        email=f"staff{number}@example.test", defaults={"is_staff": True, "roles": "admin"}
    )[0]
