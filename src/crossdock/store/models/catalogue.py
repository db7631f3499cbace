"""Listings and their variants.

A listing is archived, never deleted, so its units always have a place to come back to.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import LPad, Upper

from crossdock.domain.values import Money
from crossdock.store.ids import public_id
from crossdock.store.models.people import Seller
from crossdock.store.models.shops import Connection


class ListingState(models.TextChoices):
    LIVE = "live"
    LEFT_OUT = "left_out"
    ARCHIVED = "archived"
    # By staff: neither the seller nor their shop brings it back (usecases/catalogue/moderation/).
    TAKEN_DOWN = "taken_down"
    # Its seller has as many listings on sale as they may (usecases/catalogue/room.py).
    WAITING = "waiting"


# What is offered, of shops that are connected and sellers who may sell.
OFFERED = Q(state=ListingState.LIVE, active_in_shop=True, gone_in_shop=False, not_chosen="")


class Listing(models.Model):
    """What buyers see. Synced ones belong to a connection and follow the shop; the others are made by hand here."""

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="listings")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT, related_name="listings")
    shop_product_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    images = models.JSONField(default=list)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=ListingState.choices, default=ListingState.LIVE)
    active_in_shop = models.BooleanField(default=True)
    gone_in_shop = models.BooleanField(default=False)
    shop_url = models.TextField(blank=True)
    # Sentences: why the shop does not sell it, or not all of its variants.
    shop_reasons = models.JSONField(default=list)
    search = models.TextField(blank=True)
    # Why the seller's choice of what to sell of the shop leaves it out, for them; empty when it does not.
    not_chosen = models.CharField(max_length=300, blank=True, default="", db_default="")
    # The lowest asking price of its variants, for finding by price; None when it has none. Beside it the lowest that
    # its shop asks, as last read; None for one made by hand.
    lowest_minor = models.BigIntegerField(null=True)
    shop_lowest_minor = models.BigIntegerField(null=True)
    # What the shop said beside: {"tags": [...], "types": [...]}; what the seller set themselves: {attribute: [values]}.
    said = models.JSONField(default=dict, db_default={})
    by_hand = models.JSONField(default=dict, db_default={})
    # Those of its variants together, as domain/finding/filling.py writes them.
    facts = ArrayField(models.TextField(), default=list, db_default=[])
    # Offers: None follows the rule (made by hand: yes; synced: no). The two prices are for one unit; None means case
    # by case.
    takes_offers = models.BooleanField(null=True)
    accept_from_minor = models.BigIntegerField(null=True)
    decline_below_minor = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "shop_product_id"],
                condition=Q(connection__isnull=False),
                name="one_listing_per_product",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-id"], name="listing_live", condition=Q(state="live", active_in_shop=True, gone_in_shop=False)
            ),
            models.Index(
                fields=["currency", "lowest_minor", "id"],
                name="listing_by_price",
                condition=Q(state="live", active_in_shop=True, gone_in_shop=False),
            ),
            models.Index(fields=["seller", "-id"], name="listing_of_seller"),
            models.Index(fields=["seller", "state", "-id"], name="listing_by_state"),
            models.Index(fields=["seller", "id"], name="listing_waiting", condition=Q(state="waiting")),
            GinIndex(fields=["search"], opclasses=["gin_trgm_ops"], name="listing_search"),
            GinIndex(
                fields=["facts"],
                name="listing_facts",
                condition=Q(state="live", active_in_shop=True, gone_in_shop=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def synced(self) -> bool:
        return self.connection_id is not None


def digits_of(field: str) -> LPad:
    """A barcode as the fourteen digits of a GTIN, whatever stands between them."""
    bare = Func(F(field), Value("[^0-9]"), Value(""), Value("g"), function="REGEXP_REPLACE")
    return LPad(bare, 14, Value("0"))


class Variant(models.Model):
    """One thing that can be bought. `price_minor` is the price asked here: as typed, or what its seller's price rule
    makes of `shop_price_minor`. That is the shop's price as last read, or while a newer one waits (HeldPrice) the one
    before; None for what was made by hand.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="variants")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT, related_name="variants")
    shop_variant_id = models.CharField(max_length=200, blank=True)
    sku = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=300, blank=True)
    barcode = models.CharField(max_length=60, blank=True)
    image = models.TextField(blank=True)
    price_minor = models.BigIntegerField()
    shop_price_minor = models.BigIntegerField(null=True)
    position = models.PositiveIntegerField(default=0)
    gone = models.BooleanField(default=False)
    # [[name, value], ...] as the shop said them; the name is empty where it says none.
    options = models.JSONField(default=list, db_default=[])
    facts = ArrayField(models.TextField(), default=list, db_default=[])

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "shop_variant_id"],
                condition=Q(connection__isnull=False),
                name="one_variant_per_shop_variant",
            ),
            models.CheckConstraint(condition=Q(price_minor__gte=0), name="price_not_negative"),
        ]
        indexes = [
            models.Index(fields=["sku"], name="variant_sku"),
            models.Index(Upper("sku"), name="variant_sku_any_case", condition=~Q(sku="")),
            models.Index(digits_of("barcode"), name="variant_gtin", condition=~Q(barcode="")),
            # Units with a certificate of their own.
            GinIndex(fields=["facts"], name="variant_certificate", condition=Q(facts__contains=["certificate"])),
        ]

    def __str__(self) -> str:
        return f"{self.listing.title} {self.title}".strip()

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.listing.currency)

    @property
    def followed_minor(self) -> int:
        """The price from which the one asked here comes."""
        return self.price_minor if self.shop_price_minor is None else self.shop_price_minor

    @property
    def shop_price(self) -> Money:
        return Money(self.followed_minor, self.listing.currency)
