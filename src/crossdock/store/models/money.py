"""Money: payment intents at the gateway, and double-entry books that are never edited."""

from django.db import models
from django.db.models import Q

from crossdock.domain.payments import Intent
from crossdock.domain.values import Money
from crossdock.store.ids import public_id
from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User


class IntentState(models.TextChoices):
    """UNKNOWN means the gateway's answer was lost: look up by the intent's id, never charge again blindly."""

    CREATED = "created"
    UNKNOWN = "unknown"
    CAPTURED = "captured"
    DECLINED = "declined"
    ABANDONED = "abandoned"


class PaymentIntent(models.Model):
    """The row that exists before the gateway is asked.

    `checkout` is the form's one-time key: two tabs and double clicks share one intent. `basket` has `ship_to` and
    `parts`: what each seller's shop is to get as an order of its own (`usecases/checkout/parts.py`).
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    checkout = models.CharField(max_length=80, unique=True)
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="intents")
    state = models.CharField(max_length=10, choices=IntentState.choices, default=IntentState.CREATED)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    basket = models.JSONField()
    gateway = models.CharField(max_length=20)
    gateway_ref = models.CharField(max_length=120, blank=True)
    checks = models.JSONField(default=dict)
    sentence = models.TextField(blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="intent_open", condition=Q(state__in=["created", "unknown"]))
        ]

    @property
    def asked(self) -> Intent:
        """As the gateway is asked about it."""
        return Intent(self.public_id, Money(self.amount_minor, self.currency), self.created_at, self.gateway_ref)


class Transfer(models.Model):
    """One balanced movement of money with one cause. Its entries add up to zero; the database checks it at commit."""

    cause = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="transfers")
    sentence = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["at", "id"], name="transfer_at")]


class Entry(models.Model):
    """One side of a transfer.

    Positive is what the account gains. Accounts: gateway, seller:<id>, fees, buyer credits leave through gateway.
    """

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=60)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["account", "id"], name="entry_of_account")]


class Closing(models.Model):
    """What the books' accounts of one kind (`gateway`, `seller` for all of theirs) add up to at the end of a day in
    UTC, so that a report adds what moved since and not all of the past. Written once (`money/reports/closing.py`).
    """

    day = models.DateField()
    account = models.CharField(max_length=60)
    currency = models.CharField(max_length=3)
    minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "account", "currency"], name="one_closing_per_day_and_account")
        ]


class CommissionRule(models.Model):
    """What the marketplace keeps of goods in a `category` (empty: of all), of one seller or of all, from `since` and
    before `until`. Only its end may change: orders keep what they were paid with.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    seller = models.ForeignKey(Seller, null=True, on_delete=models.CASCADE, related_name="commission_rules")
    category = models.CharField(max_length=60, blank=True)
    basis_points = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    why = models.CharField(max_length=300)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_commission_per_public_id"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")), name="commission_ends_after_it_begins"
            ),
        ]
