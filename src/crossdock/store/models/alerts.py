"""Alerts: one kind of row for whatever a person must settle, grouped by root cause through `key`; and which of them a
seller wants by e-mail, how soon.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.alerts import KINDS, URGENT, AlertCode, AlertKind, Group, MailChoice
from crossdock.store.ids import public_id
from crossdock.store.models.catalogue import Listing
from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User
from crossdock.store.models.shops import Connection


class DigestState(models.TextChoices):
    """WAITING is taken by the next hourly mail, in the transaction that writes that mail."""

    NONE = ""
    WAITING = "waiting"
    TOLD = "told"


class Alert(models.Model):
    """Open until settled. While one is open, the same key raises no second one, it only counts up.

    `for_staff`: only our staff can settle it; the seller, whose shop it concerns, does not see it.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    code = models.CharField(max_length=40, choices=[(c.value, c.value) for c in AlertCode])
    key = models.CharField(max_length=160)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="alerts")
    order = models.ForeignKey(Order, null=True, on_delete=models.CASCADE, related_name="alerts")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE, related_name="alerts")
    listing = models.ForeignKey(Listing, null=True, on_delete=models.CASCADE, related_name="alerts")
    sentence = models.TextField()
    evidence = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)
    raised_at = models.DateTimeField()
    last_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    settled_how = models.CharField(max_length=200, blank=True)
    for_staff = models.BooleanField(default=False, db_default=False)
    digest = models.CharField(
        max_length=10, choices=DigestState.choices, default=DigestState.NONE, db_default="", blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(settled_at=None), name="one_open_alert_per_cause")
        ]
        indexes = [
            models.Index(fields=["seller", "-last_at"], name="alert_open", condition=Q(settled_at=None)),
            models.Index(fields=["seller", "-settled_at"], name="alert_settled", condition=~Q(settled_at=None)),
            models.Index(fields=["connection"], name="alert_open_shop", condition=Q(settled_at=None)),
            models.Index(fields=["seller", "id"], name="alert_digest", condition=Q(digest="waiting")),
        ]

    @property
    def kind(self) -> AlertKind:
        return KINDS[AlertCode(self.code)]

    @property
    def urgent(self) -> bool:
        return AlertCode(self.code) in URGENT


class AlertMail(models.Model):
    """One seller's choice for one group of codes; without a row the group's sensible choice holds."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="alert_mails")
    group = models.CharField(max_length=20, choices=[(g.value, g.value) for g in Group])
    choice = models.CharField(max_length=10, choices=[(c.value, c.value) for c in MailChoice])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "group"], name="one_choice_per_group")]
