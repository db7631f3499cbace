"""Payouts to sellers: where to, how often, and each one from its intent to the bank's last word."""

from django.db import models
from django.db.models import Q

from crossdock.domain.earnings.payouts import PayoutState, Schedule
from crossdock.domain.values import Money
from crossdock.store.ids import public_id
from crossdock.store.models.people import Seller, User


class PayoutAccount(models.Model):
    """Where a seller's money of one currency goes, and how often. Nothing is paid to it before `usable_from`.

    Its row is locked while a payout is decided, so that two at once cannot both spend what is available.
    """

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="payout_accounts")
    currency = models.CharField(max_length=3)
    provider = models.CharField(max_length=20)
    ref = models.CharField(max_length=120)
    words = models.CharField(max_length=120)
    changed_at = models.DateTimeField()
    usable_from = models.DateTimeField()
    schedule = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Schedule], default=Schedule.WEEKLY)
    minimum_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "currency"], name="one_account_per_currency"),
            models.CheckConstraint(condition=Q(minimum_minor__gte=0), name="minimum_not_negative"),
        ]
        indexes = [models.Index(fields=["schedule"], name="account_by_schedule")]

    @property
    def minimum(self) -> Money:
        return Money(self.minimum_minor, self.currency)


class PayoutHold(models.Model):
    """While it stands, staff let nothing be paid to this seller. Each hold and its end are in the audit log."""

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="payout_hold", primary_key=True)
    held_at = models.DateTimeField()
    held_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=300)


class Payout(models.Model):
    """Once per `cause`. `destination` is the account as it was when it was intended."""

    public_id = models.CharField(max_length=14, default=public_id)
    cause = models.CharField(max_length=100)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="payouts")
    provider = models.CharField(max_length=20)
    destination = models.CharField(max_length=120)
    words = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in PayoutState], default=PayoutState.INTENDED
    )
    ref = models.CharField(max_length=120, blank=True)
    sentence = models.TextField(blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    intended_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_of_something"),
            models.UniqueConstraint(fields=["public_id"], name="one_payout_per_public_id"),
            models.UniqueConstraint(fields=["cause"], name="one_payout_per_cause"),
            models.UniqueConstraint(fields=["provider", "ref"], condition=~Q(ref=""), name="one_payout_per_bank_ref"),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="payout_of_seller"),
            models.Index(fields=["read_at"], name="payout_under_way", condition=Q(state="acknowledged")),
            # A bank sends a payout back within days; those are read again.
            models.Index(fields=["paid_at"], name="payout_paid", condition=Q(state="paid")),
        ]

    def __str__(self) -> str:
        return f"{self.amount.words} to {self.words}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
