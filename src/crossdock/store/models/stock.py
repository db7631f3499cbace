"""Stock as the protocol keeps it: one row of knowledge per variant, one row per promise, one row per movement.

No timestamps are compared.
"""

from django.db import connection, models
from django.db.models import Q

from crossdock.domain.goods import Name, Verdict
from crossdock.domain.stock import EndedWhy, Hold, HoldState, Stock
from crossdock.store.models.catalogue import Variant
from crossdock.store.models.people import Seller, User


def next_stock_no() -> int:
    """Draw the next number of the one sequence that orders reads and fences."""
    return next_stock_nos(1)[0]


def next_stock_nos(many: int) -> list[int]:
    """Several, in order, in one statement."""
    if not many:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('stock_no') FROM generate_series(1, %s)", [many])
        return sorted(no for (no,) in cursor.fetchall())


# Off sale until somebody counts it. Few are, so an index has them alone.
ASIDE = Q(set_aside_by__isnull=False) | ~Q(aside_why="")


class VariantStock(models.Model):
    """What we know of the shop's count. Every change happens under this row's lock; several are locked in id order."""

    variant = models.OneToOneField(Variant, on_delete=models.CASCADE, related_name="stock", primary_key=True)
    counted = models.BooleanField(default=True)
    count = models.BigIntegerField(null=True)
    count_at = models.DateTimeField(null=True)
    applied_no = models.BigIntegerField(default=0)
    shop_version = models.CharField(max_length=80, blank=True)
    ceiling = models.BigIntegerField(null=True)
    ceiling_no = models.BigIntegerField(default=0)
    want_no = models.BigIntegerField(default=0)
    want_after = models.DateTimeField(null=True)
    set_aside_by = models.ForeignKey("store.Order", null=True, on_delete=models.SET_NULL, related_name="+")
    # Set aside by the seller themselves, with their words; `set_aside_by` is the order that was rejected as not
    # available.
    aside_why = models.CharField(max_length=160, blank=True)
    # The listing's own limits; None follows the shop's.
    buffer = models.PositiveIntegerField(null=True)
    floor = models.PositiveIntegerField(null=True)
    most_shown = models.PositiveIntegerField(null=True)
    # Linked goods: the count that the group was last told of (None: in no group), and, of all but the one that buyers
    # see, which variant sells for it.
    told_count = models.BigIntegerField(null=True)
    sold_as = models.ForeignKey(
        Variant, null=True, on_delete=models.DO_NOTHING, related_name="sells_for", db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["want_no"], name="stock_wanted", condition=Q(want_no__gt=0)),
            models.Index(fields=["sold_as"], name="stock_sold_as", condition=Q(sold_as__isnull=False)),
            models.Index(fields=["variant"], name="stock_aside", condition=ASIDE),
            models.Index(fields=["variant"], name="stock_below_zero", condition=Q(count__lt=0)),
        ]

    def value(self, *, fresh: bool, buffer: int = 0, floor: int = 0, most: int | None = None) -> Stock:
        """As the domain sees it; the three limits are the connection's, which this row's own override."""
        return Stock(
            count=self.count,
            applied_no=self.applied_no,
            shop_version=self.shop_version,
            ceiling=self.ceiling,
            ceiling_no=self.ceiling_no,
            want_no=self.want_no,
            # What another variant sells for it is not sold by itself.
            set_aside=self.set_aside or self.sold_as_id is not None,
            fresh=fresh,
            buffer=buffer if self.buffer is None else self.buffer,
            floor=floor if self.floor is None else self.floor,
            most=most if self.most_shown is None else self.most_shown,
        )

    @property
    def group(self) -> int | None:
        """The variant that sells for the group of linked goods that it is in."""
        return None if self.told_count is None else self.sold_as_id or self.pk

    @property
    def set_aside(self) -> bool:
        return self.set_aside_by_id is not None or self.aside_why != ""

    def take(self, stock: Stock) -> None:
        """Copy back what the domain changed (not `set_aside_by`, which names an order)."""
        self.count, self.applied_no, self.shop_version = stock.count, stock.applied_no, stock.shop_version
        self.ceiling, self.ceiling_no, self.want_no = stock.ceiling, stock.ceiling_no, stock.want_no


class Reservation(models.Model):
    """Units promised to one cause (an order's or a checkout's line; lines of one variant are summed).

    Never deleted, only ended.
    """

    cause = models.CharField(max_length=120, unique=True)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="reservations")
    order = models.ForeignKey("store.Order", null=True, on_delete=models.PROTECT, related_name="reservations")
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in HoldState])
    expires_at = models.DateTimeField(null=True)
    fence_no = models.BigIntegerField(null=True)
    ended_why = models.CharField(max_length=20, blank=True, choices=[(w.value, w.value) for w in EndedWhy])
    ended_read_no = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_of_something"),
            models.CheckConstraint(
                condition=Q(state="checkout") | Q(expires_at__isnull=True), name="only_checkouts_expire"
            ),
        ]
        indexes = [
            models.Index(fields=["variant"], name="reservation_open", condition=~Q(state="ended")),
            models.Index(fields=["expires_at"], name="reservation_ends", condition=Q(state="checkout")),
        ]

    def value(self) -> Hold:
        return Hold(str(self.pk), self.quantity, HoldState(self.state), self.fence_no)


class Movement(models.Model):
    """One line of a variant's flight recorder; never edited. `event` names what brought it: a delivery, a command, a
    read, a question at checkout.

    `left` is what could be sold here right after it; the line before tells what could be sold before.
    """

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="movements")
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    quantity = models.IntegerField(null=True)
    count_before = models.BigIntegerField(null=True)
    count_after = models.BigIntegerField(null=True)
    cause = models.CharField(max_length=160)
    order = models.ForeignKey("store.Order", null=True, on_delete=models.PROTECT, related_name="+")
    event = models.CharField(max_length=60, blank=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    left = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["variant", "-id"], name="movement_recent"),
            models.Index(fields=["event"], name="movement_event", condition=Q(kind="shop_count")),
        ]


class Duplicate(models.Model):
    """A SKU or GTIN that stands in several of a seller's shops, and what they say of it. `key` is normalised.

    `said` is kept for each variant (domain.goods.Said), so that one that comes later is asked about. `left_out` are the
    listings that were taken out of the market when it was decided, to be listed again if it is undone.
    """

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="duplicates")
    kind = models.CharField(max_length=10, choices=[(n.value, n.value) for n in Name])
    key = models.CharField(max_length=200)
    verdict = models.CharField(max_length=10, blank=True, choices=[(v.value, v.value) for v in Verdict])
    left_out = models.JSONField(default=list)
    said = models.JSONField(default=dict, db_default={})
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "kind", "key"], name="one_duplicate_per_name")]
        indexes = [models.Index(fields=["seller", "verdict", "-id"], name="duplicate_by_verdict")]
