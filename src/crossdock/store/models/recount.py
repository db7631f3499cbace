"""Reconciliations: one row per run over a shop, one per count that differed.

A run is resumed from its cursor, so a killed worker costs one page.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.recount import Cause, Decision
from crossdock.store.models.catalogue import Variant
from crossdock.store.models.people import User
from crossdock.store.models.shops import Connection
from crossdock.store.models.stock import Movement


class Occasion(models.TextChoices):
    SCHEDULE = "schedule"
    OUTAGE = "outage"
    DEMAND = "demand"


class Recount(models.Model):
    """Reading again what changed in one shop since the last time.

    `pages` are calls for changed products, `batches` calls for counts.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="recounts")
    occasion = models.CharField(max_length=10, choices=Occasion.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    cursor = models.TextField(blank=True)
    pages = models.PositiveIntegerField(default=0)
    batches = models.PositiveIntegerField(default=0)
    variants = models.PositiveIntegerField(default=0)
    differences = models.PositiveIntegerField(default=0)
    echoes = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection"], condition=Q(finished_at=None), name="one_recount_at_a_time"),
        ]
        indexes = [models.Index(fields=["connection", "-id"], name="recount_recent")]


class Difference(models.Model):
    """A count that was not what it should have been.

    The shop's number counts from the moment it was read; the seller decides whether it stays.
    """

    recount = models.ForeignKey(Recount, on_delete=models.CASCADE, related_name="found")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="differences")
    movement = models.OneToOneField(Movement, null=True, on_delete=models.PROTECT, related_name="difference")
    cause = models.CharField(max_length=20, choices=[(c.value, c.value) for c in Cause])
    expected = models.BigIntegerField(null=True)
    shop = models.BigIntegerField(null=True)
    evidence = models.JSONField(default=dict)
    found_at = models.DateTimeField()
    decision = models.CharField(max_length=10, blank=True, choices=[(d.value, d.value) for d in Decision])
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["recount", "-id"], name="difference_of_run", condition=Q(decision=""))]
