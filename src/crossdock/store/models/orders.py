"""Orders on three axes: money, parcels, and the shop's copy with its proof. The timeline is what a person reads."""

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Upper

from crossdock.domain.earnings.commission import Rate
from crossdock.domain.orders import CopyState, MoneyState, ParcelState
from crossdock.domain.risk import RiskLevel
from crossdock.domain.values import Address, Money
from crossdock.store.ids import public_id
from crossdock.store.models.catalogue import Variant
from crossdock.store.models.people import Seller, User
from crossdock.store.models.shops import Connection


class Order(models.Model):
    """Placed and paid, by a payment that may have paid orders of other sellers too. `number` is what people say;
    `reference` is what shops keep; both are unique.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    number = models.PositiveBigIntegerField(unique=True)
    reference = models.CharField(max_length=40, unique=True)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="orders")
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders")
    intent = models.ForeignKey("store.PaymentIntent", null=True, on_delete=models.PROTECT, related_name="orders")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT, related_name="orders")
    currency = models.CharField(max_length=3)
    items_minor = models.BigIntegerField()
    shipping_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    credited_minor = models.BigIntegerField(default=0)
    ship_to = models.JSONField()
    # What its buyer read when they placed it, which its mails are in; empty where a program placed it.
    language = models.CharField(max_length=10, default="", db_default="", blank=True)
    relay_email = models.CharField(max_length=120)
    money = models.CharField(max_length=20, choices=[(s.value, s.value) for s in MoneyState], default=MoneyState.PAID)
    parcels = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in ParcelState], default=ParcelState.UNSHIPPED
    )
    risk = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in RiskLevel], default=RiskLevel.NOT_ASSESSED
    )
    risk_reasons = models.JSONField(default=list)
    risk_available = models.PositiveSmallIntegerField(default=0)
    risk_asked = models.PositiveSmallIntegerField(default=0)
    placed_at = models.DateTimeField()
    ship_by = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=30, blank=True)
    # When the seller's money of it became payable (usecases/money/balance.py).
    payable_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(total_minor=models.F("items_minor") + models.F("shipping_minor")),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(credited_minor__gte=0, credited_minor__lte=models.F("total_minor")),
                name="never_more_than_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="order_of_seller"),
            models.Index(fields=["buyer", "-id"], name="order_of_buyer"),
            models.Index(fields=["seller", "placed_at"], name="order_placed"),
            # The queues' numbers are counted from this alone.
            models.Index(
                fields=["seller", "parcels", "cancelled_at", "ship_by"],
                include=["id", "total_minor", "credited_minor"],
                name="order_queues",
            ),
            models.Index(
                fields=["seller", "ship_by"],
                name="order_to_ship",
                condition=Q(parcels__in=["unshipped", "partly_shipped"], cancelled_at=None),
            ),
            models.Index(fields=["seller", "id"], name="order_not_payable", condition=Q(payable_at=None)),
            # What narrows a seller's list.
            models.Index(fields=["seller", "risk", "-id"], name="order_by_risk"),
            models.Index("seller", KT("ship_to__country"), models.F("id").desc(), name="order_by_country"),
            models.Index(fields=["seller", "currency", "total_minor"], name="order_by_total"),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def shipping(self) -> Money:
        return Money(self.shipping_minor, self.currency)

    @property
    def items(self) -> Money:
        return Money(self.items_minor, self.currency)

    @property
    def credited(self) -> Money:
        return Money(self.credited_minor, self.currency)

    @property
    def address(self) -> Address:
        return Address(**self.ship_to)


class OrderLine(models.Model):
    """What was bought, as it stood when it was bought."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    shop_product_id = models.CharField(max_length=200, blank=True)
    shop_variant_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=620)
    sku = models.CharField(max_length=200, blank=True)
    image = models.TextField(blank=True)
    quantity = models.PositiveIntegerField()
    shipped = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    unit_price_minor = models.BigIntegerField()
    # Fixed when it was paid; None of before there were rates by line.
    fee_minor = models.BigIntegerField(null=True)
    fee_points = models.PositiveSmallIntegerField(null=True)
    fee_why = models.CharField(max_length=160, blank=True, default="", db_default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(rejected__lte=models.F("quantity")), name="no_more_rejected_than_bought")
        ]

    @property
    def unit_price(self) -> Money:
        return Money(self.unit_price_minor, self.order.currency)

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor or 0, self.order.currency)

    @property
    def rate(self) -> Rate | None:
        """What the marketplace kept of it, and why; None of before there were rates by line."""
        return None if self.fee_points is None else Rate(self.fee_points, self.fee_why)

    @property
    def kept(self) -> int:
        """Units that the buyer still is to get, or has got."""
        return self.quantity - self.rejected

    @property
    def left(self) -> int:
        """Units that still have to be shipped."""
        return max(0, self.kept - self.shipped)


class ShopLine(models.Model):
    """Units of our line that stand in this line of the shop's copy, by the shop's own id of it (domain/parcels.py).

    Kept when the copy was first read: a product that is deleted there takes its ids along, the line keeps its own.
    """

    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="there")
    shop_line_id = models.CharField(max_length=200)
    units = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["line", "shop_line_id"], name="shop_line_once")]


class ShopCopy(models.Model):
    """The binding their id <-> ours, and how far the order-landed guarantee got: intended, sent, acknowledged, read
    back and equal.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="copy", primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="copies")
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in CopyState], default=CopyState.INTENDED)
    shop_order_id = models.CharField(max_length=200, blank=True)
    shop_number = models.CharField(max_length=100, blank=True)
    shop_url = models.TextField(blank=True)
    intended_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    equal_at = models.DateTimeField(null=True)
    stock_taken = models.BooleanField(default=False)
    adopted = models.BooleanField(default=False)
    cancelled_there = models.BooleanField(default=False)
    differences = models.JSONField(default=list)
    sentence = models.TextField(blank=True)
    read_wanted = models.BooleanField(default=False)
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "shop copies"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "shop_order_id"], condition=~Q(shop_order_id=""), name="one_order_per_shop_order"
            ),
        ]
        indexes = [
            models.Index(fields=["connection"], name="copy_read_wanted", condition=Q(read_wanted=True)),
            models.Index(fields=["connection", "equal_at"], name="copy_equal", condition=Q(equal_at__isnull=False)),
            models.Index(
                fields=["connection", "intended_at"], name="copy_waiting", condition=Q(state__in=["intended", "sent"])
            ),
            models.Index(fields=["equal_at"], name="copy_not_taken", condition=Q(state="equal", stock_taken=False)),
            models.Index(fields=["shop_number"], name="copy_number", condition=~Q(shop_number="")),
            models.Index(Upper("shop_number"), name="copy_number_any_case"),
            models.Index(fields=["shop_order_id"], name="copy_shop_id", condition=~Q(shop_order_id="")),
        ]


class Shipment(models.Model):
    """One parcel.

    `parcel_id` is the shop's, or ours for those entered by hand; the number may change, the parcel stays. `there` has
    the shop's fulfilments that are this parcel, by their id, each as it was last read (usecases/orders/parcels.py): a
    parcel that was entered here and is then found in the shop stays one.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shipments")
    parcel_id = models.CharField(max_length=200)
    source = models.CharField(max_length=10, choices=[("shop", "shop"), ("seller", "seller")])
    # Longer ones are kept in `there` as a digest and compared by it.
    tracking_number = models.CharField(max_length=500, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    tracking_url = models.TextField(blank=True)
    there = models.JSONField(default=dict)
    shipped_at = models.DateTimeField()
    # When we heard of it: `shipped_at` is its seller's, or their shop's, own word. None for those from before this was
    # kept.
    heard_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["order", "parcel_id"], name="parcel_once")]
        indexes = [
            models.Index(Upper("tracking_number"), name="parcel_number", condition=~Q(tracking_number="")),
            models.Index(Upper("carrier"), "order", name="parcel_by_carrier", condition=~Q(carrier="")),
        ]


class ShipmentLine(models.Model):
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()


class ShopRefund(models.Model):
    """A refund seen in the shop. It moves no money here; the id keeps it from being seen twice."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shop_refunds")
    refund_id = models.CharField(max_length=200)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.TextField(blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "refund_id"], name="shop_refund_once")]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class TimelineEntry(models.Model):
    """One sentence of an order's story.

    `source` says whose doing it was; `public` entries are shown to the buyer as well.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="timeline")
    at = models.DateTimeField()
    source = models.CharField(max_length=12)
    kind = models.CharField(max_length=40)
    sentence = models.TextField()
    evidence = models.JSONField(default=dict)
    public = models.BooleanField(default=False)
    # Who of the seller's team did it, for a page (`story_of`); no column.
    by_name = ""

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["order", "at"], name="timeline_of_order")]
