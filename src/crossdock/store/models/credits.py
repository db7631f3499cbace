"""Money that goes back to a buyer, from the wish to the gateway's word.

What was granted is in the books; a wish alone moves nothing.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.earnings.protection import Bearer, DisputeEnd
from crossdock.domain.values import Money
from crossdock.store.ids import public_id
from crossdock.store.models.orders import Order, ShopRefund
from crossdock.store.models.people import User


class Credit(models.Model):
    """Once per `cause`.

    `second` is the other person of staff that a large amount needs; `lines` say which units a credit is for.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="credits")
    cause = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in CreditKind])
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in CreditState])
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=300)
    note = models.CharField(max_length=300, blank=True)
    sentence = models.TextField(blank=True)
    lines = models.JSONField(default=list)
    shop_refund = models.OneToOneField(ShopRefund, null=True, on_delete=models.PROTECT, related_name="credit")
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    granted_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="credit_of_something"),
            models.CheckConstraint(
                condition=Q(second_by=None) | ~Q(second_by=models.F("decided_by")), name="second_person_is_another"
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="credit_of_order"),
            models.Index(fields=["asked_at"], name="credit_waiting", condition=Q(state__in=["asked", "second"])),
        ]

    def __str__(self) -> str:
        return f"{self.amount.words} for order {self.order}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def refund_cause(self) -> str:
        """The cause of the command that asks the gateway."""
        return f"refund:{self.cause}"


class LostDispute(models.Model):
    """A dispute that the buyer's bank won, of one order: staff decide who bears it. `cause` is the transfer that took
    the money; `seller_minor` is what the seller bears of it.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    cause = models.CharField(max_length=120)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lost_disputes")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=80, blank=True)
    lost_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in DisputeEnd], default=DisputeEnd.OPEN)
    bearer = models.CharField(max_length=12, choices=[(b.value, b.value) for b in Bearer], blank=True)
    seller_minor = models.BigIntegerField(default=0)
    why = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_of_something"),
            models.CheckConstraint(
                condition=Q(second_by=None) | ~Q(second_by=models.F("decided_by")), name="dispute_second_is_another"
            ),
            models.UniqueConstraint(fields=["public_id"], name="one_dispute_per_public_id"),
            models.UniqueConstraint(fields=["cause"], name="one_dispute_per_cause"),
        ]
        indexes = [
            models.Index(fields=["lost_at"], name="dispute_waiting", condition=Q(state__in=["open", "second"])),
            models.Index(fields=["lost_at", "id"], name="dispute_lost_at"),
        ]

    def __str__(self) -> str:
        return f"{self.amount.words} of order {self.order}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
