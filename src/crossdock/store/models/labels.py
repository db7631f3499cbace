"""Shipping labels bought here, from the prices that were shown to the carrier's last word; and where each seller ships
from.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.labels import Form, LabelState
from crossdock.domain.values import Address, Money
from crossdock.store.ids import public_id
from crossdock.store.models.orders import Order, Shipment
from crossdock.store.models.people import Seller, User


class SellerAddress(models.Model):
    """Where a seller's parcels start."""

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="ships_from", primary_key=True)
    address = models.JSONField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "seller addresses"

    @property
    def value(self) -> Address:
        return Address(**self.address)


class Label(models.Model):
    """One asking for prices, of which at most one label comes. `public_id` is the form's one-time value: pressed
    twice, bought once.

    `wanted` is the parcel with both addresses as the carrier got them, `lines` maps line ids to units, `quotes` are
    the prices that were shown. `price_minor` is what was shown until the carrier says what it took.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    reference = models.CharField(max_length=60, unique=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="labels")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="labels")
    provider = models.CharField(max_length=20)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in LabelState], default=LabelState.QUOTED)
    wanted = models.JSONField()
    lines = models.JSONField()
    quotes = models.JSONField()
    quote_ref = models.CharField(max_length=200, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    service = models.CharField(max_length=80, blank=True)
    price_minor = models.BigIntegerField(default=0)
    insured_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="USD")
    carrier_ref = models.CharField(max_length=120, blank=True)
    tracking_number = models.CharField(max_length=500, blank=True)
    tracking_url = models.TextField(blank=True)
    sentence = models.TextField(blank=True)
    events = models.JSONField(default=list)
    shipment = models.OneToOneField(Shipment, null=True, on_delete=models.SET_NULL, related_name="label")
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    bought_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    voided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    quoted_at = models.DateTimeField()
    intended_at = models.DateTimeField(null=True)
    # Written before the carrier is asked to sell, and when it was over with an unknown end: only after that a
    # look-up's "nothing there" can be believed.
    asked_at = models.DateTimeField(null=True)
    asked_until = models.DateTimeField(null=True)
    bought_at = models.DateTimeField(null=True)
    void_asked_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    # To the buyer. A parcel that turned around is never delivered; it comes back.
    delivered_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    back_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "carrier_ref"], condition=~Q(carrier_ref=""), name="one_label_per_carrier_ref"
            )
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="label_of_order"),
            models.Index(fields=["seller", "-id"], name="label_of_seller"),
            models.Index(
                fields=["read_at"],
                name="label_under_way",
                condition=Q(state__in=["bought", "voiding", "void_refused"], delivered_at=None),
            ),
            models.Index(fields=["quoted_at"], name="label_only_quoted", condition=Q(state="quoted")),
            # The check of what must always hold asks which were voided lately.
            models.Index(fields=["voided_at"], name="label_voided", condition=Q(voided_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.tracking_number or self.reference

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def insured(self) -> Money | None:
        return None if self.insured_minor is None else Money(self.insured_minor, self.currency)


class LabelDocument(models.Model):
    """What is printed, as the carrier gave it. Kept here, since carriers throw theirs away."""

    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="documents")
    form = models.CharField(max_length=4, choices=[(f.value, f.value) for f in Form])
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["label", "form"], name="one_document_per_form")]
