"""A simulated shop of each platform whose answers go through the real taking-in: what is read of it, with whatever an
odd plugin or a hand makes of it, stands in our own tables.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import market
from crossdock.domain.commands import Done, Outcome
from crossdock.domain.events import Count, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit import discover
from crossdock.kit.conformance.bent import Bend, bent
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.connector import Connector, VariantRef
from crossdock.store.models import Alert, Connection, Mail, Order, Quarantined, ShopCopy, Variant
from crossdock.store.models.quarantine import STANDING
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.landing import create_command
from crossdock.usecases.orders.snapshots import receive_orders
from crossdock.usecases.outbox.payloads import FULFILMENT
from crossdock.usecases.outcomes import claims, settle
from crossdock.usecases.stock import counts

T = TypeVar("T")
PLATFORMS = ("shopify", "vendure", "woocommerce")


@dataclass
class Landed:
    """One seller with one simulated shop. `bend` changes every answer from now on; None leaves them as they are."""

    platform: str
    stage: Stage
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    bend: Bend | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    cursor: str = ""

    def __post_init__(self) -> None:
        self.seller = market.seller()
        self.shop: Connection = market.connection(self.seller, self.platform, now=self.now)
        self.connector: Connector = discover.connectors()[self.platform]
        self.cursor = self.run(self.stage.order_cursor())

    def later(self, seconds: float = 1) -> datetime:
        self.now += timedelta(seconds=seconds)
        Connection.objects.filter(pk=self.shop.pk).update(last_read_at=self.now)
        return self.now

    def asked(self, call: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """A call of the connector, with the answers bent."""
        shop = bent(self.stage.shop, self.bend) if self.bend else self.stage.shop
        found: T = self.run(call(shop, *args))
        return found

    # Products and counts

    def product(self, title: str = "Ember Fox", *, price: str = "12.50", count: int = 9) -> VariantRef:
        (ref,) = self.run(self.stage.hand.add_product(title, [(f"S-{title}", price, count)]))
        self.read_product(ref)
        return ref

    def read_product(self, ref: VariantRef) -> ShopProduct | ProductGone:
        found = self.asked(self.connector.product, ref.product_id)
        self.take_products([found])
        return found

    def take_products(self, items: Sequence[ShopProduct | ProductGone | Unreadable], *, page: bool = False) -> int:
        return import_products.receive_products(
            connection_id=self.shop.pk, products=items, read_no=counts.draw_read_no(), now=self.later(), page=page
        )

    def products(self) -> Sequence[ShopProduct | ProductGone | Unreadable]:
        """The first page, taken in."""
        page = self.asked(self.connector.products, "")
        self.take_products(page.items, page=True)
        return page.items

    def counts(self, *refs: VariantRef) -> Sequence[Count | Unreadable]:
        read_no = counts.draw_read_no()
        found = self.asked(self.connector.counts, refs)
        asked = [(ref.product_id, ref.variant_id) for ref in refs]
        counts.apply_counts(connection_id=self.shop.pk, read_no=read_no, asked=asked, counts=found, now=self.later())
        return found

    def variant(self, ref: VariantRef) -> Variant:
        return Variant.objects.get(connection=self.shop, shop_variant_id=ref.variant_id)

    # Orders

    def buy(self, ref: VariantRef, units: int = 1) -> Order:
        """Paid here, and created in the shop."""
        lines = {self.variant(ref).public_id: units}
        basket: Basket = {"lines": lines}
        shown = priced(basket=basket, country="US", now=self.now)
        intent = checkout.open_checkout(
            buyer=market.user(),
            basket=basket,
            ship_to=market.ADDRESS,
            key=f"checkout-{next(market._numbers)}",
            fingerprint=shown.fingerprint,
            gateway="sandbox",
            now=self.now,
        )
        order = checkout.place_order(
            intent_id=intent.public_id, gateway_ref="ref", checks={"postal_code": "pass"}, now=self.later()
        )
        (claimed,) = claims.claim_commands(party_id=self.shop.party_id, owner="w", limit=10, now=self.later())
        outcome = self.run(self.connector.create(self.stage.shop, create_command(order)))
        assert isinstance(outcome, Done), outcome
        settle.settle_command(command_id=claimed.id, outcome=outcome, random=market.RANDOM, now=self.later())
        self.read(order)
        return order

    def ship(self, order: Order, number: str, units: int | None = None) -> Outcome:
        """Shipped by hand here, and written into the shop at once."""
        lines = None if units is None else {order.lines.get().pk: units}
        ship_by_hand(order=order, lines=lines, tracking=number, carrier="", actor=self.seller.owner, now=self.later())
        wanted = claims.claim_commands(party_id=self.shop.party_id, owner="w", limit=10, now=self.later())
        (claimed,) = [one for one in wanted if one.kind == "write_fulfilment"]
        outcome: Outcome = self.asked(self.connector.write_fulfilment, FULFILMENT.validate_python(claimed.payload))
        settle.settle_command(command_id=claimed.id, outcome=outcome, random=market.RANDOM, now=self.later())
        order.refresh_from_db()
        return outcome

    def shop_id(self, order: Order) -> str:
        return ShopCopy.objects.get(order=order).shop_order_id

    def copy(self, order: Order) -> ShopCopy:
        return ShopCopy.objects.get(order=order)

    def take(self, orders: Sequence[ShopOrder | Unreadable], *, page: bool = False) -> int:
        return receive_orders(
            connection_id=self.shop.pk, orders=orders, manifest=self.connector.manifest, now=self.later(), page=page
        )

    def read(self, order: Order) -> ShopOrder:
        """Asked for by its id, and taken in."""
        seen = self.asked(self.connector.order, self.shop_id(order))
        self.take([seen])
        order.refresh_from_db()
        return seen

    def poll(self) -> list[ShopOrder | Unreadable]:
        """Everything that changed, taken in page by page."""
        found: list[ShopOrder | Unreadable] = []
        cursor, more = self.cursor, True
        while more:
            page = self.asked(self.connector.orders, cursor)
            self.take(page.items, page=True)
            found += page.items
            cursor, more = page.cursor, page.more
        return found

    # What people read

    def standing(self) -> list[str]:
        """The causes in quarantine."""
        rows = Quarantined.objects.filter(connection=self.shop, state__in=STANDING)
        return list(rows.order_by("pk").values_list("cause", flat=True))

    def alerts(self) -> list[str]:
        rows = Alert.objects.filter(seller=self.seller, settled_at=None).order_by("pk")
        return list(rows.values_list("sentence", flat=True))

    def mails(self, order: Order) -> list[str]:
        """What the buyer was written about parcels, oldest first."""
        rows = Mail.objects.filter(order=order, to=order.buyer.email).exclude(cause__startswith="thank_you")
        return [mail.body for mail in rows.order_by("pk")]

    def parcels(self, order: Order) -> list[tuple[str, str, int]]:
        """(number, carrier, units) of every parcel that stands."""
        return [
            (one.tracking_number, one.carrier, sum(part.quantity for part in one.lines.all()))
            for one in order.shipments.filter(undone_at=None).order_by("pk")
        ]


@contextmanager
def landed(platform: str) -> Iterator[Landed]:
    with asyncio.Runner() as runner:
        opened = staged(discover.connectors()[platform], discover.sandbox(platform))
        stage = runner.run(opened.__aenter__())
        try:
            yield Landed(platform, stage, runner.run)
        finally:
            runner.run(opened.__aexit__(None, None, None))
