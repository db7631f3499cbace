"""Alerts: one kind of row for whatever a person must settle, grouped by root cause through `key`."""

from django.db import models
from django.db.models import Q

from crossdock.domain.alerts import KINDS, AlertCode, AlertKind
from crossdock.store.ids import public_id
from crossdock.store.models.catalogue import Listing
from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User
from crossdock.store.models.shops import Connection


class Alert(models.Model):
    """Open until settled. While one is open, the same key raises no second one, it only counts up."""

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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(settled_at=None), name="one_open_alert_per_cause")
        ]
        indexes = [models.Index(fields=["seller", "-last_at"], name="alert_open", condition=Q(settled_at=None))]

    @property
    def kind(self) -> AlertKind:
        return KINDS[AlertCode(self.code)]
