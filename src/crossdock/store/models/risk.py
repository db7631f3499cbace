"""What the risk analysis remembers: a trace of every try to pay, each judgement as it was made, the rule sets, staff's
lists, and what orders turned out to be.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.risk import RiskLevel, RuleSet
from crossdock.store.models.money import PaymentIntent
from crossdock.store.models.orders import Order
from crossdock.store.models.people import User


class RiskTrace(models.Model):
    """One try to pay, paid or not, and the order that came of it. Further orders of the same payment have a trace
    `beside` it, which counts as no try of its own. The keys link tries to each other: empty where nobody told us, and
    emptied when a buyer is erased.

    `fraud` is None while nobody knows; `known_at` is when the marketplace learned it, so that history can be judged
    with what was known then.
    """

    intent = models.OneToOneField(PaymentIntent, null=True, on_delete=models.CASCADE, related_name="trace")
    order = models.OneToOneField(Order, null=True, on_delete=models.CASCADE, related_name="trace")
    at = models.DateTimeField()
    buyer = models.CharField(max_length=40)
    seller = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    units = models.PositiveIntegerField(default=1)
    card = models.CharField(max_length=80, blank=True)
    device = models.CharField(max_length=60, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    address = models.CharField(max_length=40, blank=True)
    email = models.CharField(max_length=254, blank=True)
    paid = models.BooleanField(null=True)
    beside = models.BooleanField(default=False, db_default=False)
    fraud = models.BooleanField(null=True)
    known_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["buyer", "at"], name="trace_buyer"),
            models.Index(fields=["seller", "-at"], name="trace_seller", condition=Q(paid=True)),
            models.Index(fields=["currency", "-at"], name="trace_market", condition=Q(paid=True)),
            models.Index(fields=["card", "at"], name="trace_card", condition=~Q(card="")),
            models.Index(fields=["device", "at"], name="trace_device", condition=~Q(device="")),
            models.Index(fields=["ip", "at"], name="trace_ip", condition=~Q(ip="")),
            models.Index(fields=["address", "at"], name="trace_address", condition=~Q(address="")),
        ]


class RiskRuleSet(models.Model):
    """Weights and lines, never edited: a change is a new version.

    The newest with `live_at` is in force; `report` is the backtest that it was released with.
    """

    weights = models.JSONField()
    medium_from = models.PositiveIntegerField()
    high_from = models.PositiveIntegerField()
    needed = models.PositiveIntegerField(default=5)
    note = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True)
    live_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Fitted rules run beside those in force for a while: their score is kept and decides nothing.
    shadow_at = models.DateTimeField(null=True)
    # Of fitted rules: whether they told fraud better than those in force, on later orders than they were fitted on.
    # None for rules set by hand.
    beats = models.BooleanField(null=True)
    report = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"Rule set {self.pk}"

    @property
    def value(self) -> RuleSet:
        return RuleSet(self.pk, self.weights, self.medium_from, self.high_from, self.needed)


class RiskAssessment(models.Model):
    """One judgement: what was known, by which rules, what each signal contributed.

    The database refuses to change it.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="assessments")
    at = models.DateTimeField()
    why = models.CharField(max_length=80)
    rules = models.ForeignKey(RiskRuleSet, null=True, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=20, choices=[(s.value, s.value) for s in RiskLevel])
    score = models.IntegerField()
    available = models.PositiveSmallIntegerField()
    asked = models.PositiveSmallIntegerField()
    inputs = models.JSONField()
    contributions = models.JSONField()
    shadow_score = models.FloatField(null=True)

    class Meta:
        ordering = ["id"]


class RiskListKind(models.TextChoices):
    BLOCKED = "blocked", "Blocked"
    TRUSTED = "trusted", "Trusted"
    FORWARDER = "forwarder", "Freight forwarder"


class RiskListWhat(models.TextChoices):
    EMAIL = "email", "E-mail address"
    DOMAIN = "domain", "E-mail domain"
    CARD = "card", "Card fingerprint"
    DEVICE = "device", "Device"
    IP = "ip", "Network address"
    ADDRESS = "address", "Postal address"


class RiskListEntry(models.Model):
    """What staff say about one thing. `value` is written in the one way that is compared; `shown` is what was typed."""

    kind = models.CharField(max_length=10, choices=RiskListKind.choices)
    what = models.CharField(max_length=10, choices=RiskListWhat.choices)
    value = models.CharField(max_length=254)
    shown = models.CharField(max_length=300)
    note = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "risk list entries"
        constraints = [models.UniqueConstraint(fields=["kind", "what", "value"], name="listed_once")]


class RiskChoice(models.TextChoices):
    """What happens with an order of high risk. The newest row of RiskPolicy is in force."""

    SELLER = "seller", "The seller decides"
    HOLD = "hold", "Held until staff clear it"
    GUARANTEE = "guarantee", "The marketplace carries the loss"


class RiskPolicy(models.Model):
    choice = models.CharField(max_length=10, choices=RiskChoice.choices)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "risk policies"


class RiskHold(models.Model):
    """An order that waits for staff before it goes to its shop. Cleared once."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="risk_hold", primary_key=True)
    held_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["held_at"], name="hold_open", condition=Q(cleared_at=None))]
