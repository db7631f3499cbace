"""A market whose order stands in the shop, and snapshots of it with parcels, for tests of what a parcel is."""

from dataclasses import dataclass, field

from crossdock.connectors.shopify.manifest import MANIFEST
from crossdock.domain.capability import Manifest
from crossdock.domain.events import OrderLine, Parcel, ShopOrder, ShopOrderState
from crossdock.store.models import Mail, Order, ShopCopy
from crossdock.usecases.orders.snapshots import receive_orders
from market import World


@dataclass
class Parcelling:
    """One order of `units` of one variant that stands in the shop in `rows`."""

    units: int = 1
    rows: tuple[OrderLine, ...] = ()
    manifest: Manifest = MANIFEST
    world: World = field(init=False)
    order: Order = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(units=self.units)
        self.order = self.world.buy(self.units)
        (claimed,) = self.world.claim()
        self.world.settle(claimed, self.world.create_there(self.order))
        self.rows = self.rows or (OrderLine("L1", "p1", "v1", "FOX-1", self.units),)

    def take(
        self,
        *parcels: Parcel,
        rows: tuple[OrderLine, ...] | None = None,
        state: ShopOrderState = ShopOrderState.OPEN,
    ) -> None:
        """A fresh snapshot of the shop's order comes in."""
        copy = ShopCopy.objects.get(order=self.order)
        lines = self.rows if rows is None else rows
        seen = ShopOrder(
            copy.shop_order_id, "#1", self.order.reference, state, lines, self.order.total, parcels, stock_taken=True
        )
        receive_orders(connection_id=self.world.shop.pk, orders=[seen], manifest=self.manifest, now=self.world.later())
        self.order.refresh_from_db()

    def shipped(self) -> list[int]:
        """Units shipped, by line."""
        return list(self.order.lines.values_list("shipped", flat=True))

    def parcels(self) -> list[tuple[str, str, int]]:
        """(number, carrier, units) of every parcel that stands."""
        return [
            (parcel.tracking_number, parcel.carrier, sum(part.quantity for part in parcel.lines.all()))
            for parcel in self.order.shipments.filter(undone_at=None)
        ]

    def mails(self) -> list[str]:
        """What the buyer was written about parcels, oldest first."""
        mails = Mail.objects.filter(order=self.order, to=self.order.buyer.email).order_by("pk")
        return [mail.body for mail in mails.exclude(cause__startswith="thank_you")]

    def told(self) -> list[str]:
        """The buyer's timeline about parcels."""
        kinds = ["shipped", "tracking", "unshipped"]
        return list(self.order.timeline.filter(public=True, kind__in=kinds).values_list("sentence", flat=True))

    def alerts(self) -> list[str]:
        return [str(alert.code) for alert in self.order.alerts.filter(settled_at=None)]
