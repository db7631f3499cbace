"""Offers of buyers, and every move of both sides. An accepted one holds its units until it is paid or runs out."""

from django.db import models
from django.db.models import Q

from crossdock.domain.offers import WAITING, Deed, OfferState, Who
from crossdock.domain.values import Money
from crossdock.store.ids import public_id
from crossdock.store.models.catalogue import Variant
from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User


class Offer(models.Model):
    """One buyer's offer for units of one variant. `amount_minor` is the last price named for one unit, by whoever
    moved last.

    `ends_at` is when the side whose turn it is runs out of time; for an accepted offer, when it must be paid.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="offers")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="offers")
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="offers")
    quantity = models.PositiveIntegerField(default=1)
    amount_minor = models.BigIntegerField()
    asking_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in OfferState], default=OfferState.OPEN)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="offers")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0, quantity__gt=0), name="offer_of_something"),
            models.UniqueConstraint(
                fields=["buyer", "variant"],
                condition=Q(state__in=[s.value for s in WAITING]),
                name="one_offer_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="offer_of_seller"),
            models.Index(fields=["buyer", "-id"], name="offer_of_buyer"),
            models.Index(fields=["ends_at"], name="offer_ends", condition=Q(state__in=[s.value for s in WAITING])),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant}"

    @property
    def price(self) -> Money:
        """For one unit."""
        return Money(self.amount_minor, self.currency)

    @property
    def asking(self) -> Money:
        return Money(self.asking_minor, self.currency)

    @property
    def total(self) -> Money:
        return self.price * self.quantity

    @property
    def hold_cause(self) -> str:
        """The cause of the reservation that an accepted offer holds."""
        return f"offer:{self.public_id}"


class OfferMove(models.Model):
    """One thing that one side did; never edited."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="moves")
    at = models.DateTimeField()
    who = models.CharField(max_length=12, choices=[(w.value, w.value) for w in Who])
    deed = models.CharField(max_length=10, choices=[(d.value, d.value) for d in Deed])
    amount_minor = models.BigIntegerField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]

    @property
    def price(self) -> Money:
        return Money(self.amount_minor, self.offer.currency)
