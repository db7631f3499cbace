"""Runs over many orders: asked for once, carried out by the worker row by row."""

from django.db import models

from crossdock.domain.daily.bulk import GOING, BulkKind, BulkState, RowState
from crossdock.store.ids import public_id
from crossdock.store.models.labels import Label
from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User


class BulkRun(models.Model):
    """`key` is the one-time value of the form: sent twice it is one run. `given` is a ForAll (domain/daily/bulk.py).

    `claim` is the worker that carries it out, until `claimed_until`; `due_at` when it goes on.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="bulk_runs")
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in BulkKind])
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in BulkState], default=BulkState.WAITING)
    key = models.CharField(max_length=40)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    given = models.JSONField()
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=14, blank=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_bulk_run_per_public_id"),
            models.UniqueConstraint(fields=["seller", "key"], name="one_bulk_run_per_form"),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="bulk_run_of_seller"),
            models.Index(
                fields=["due_at"], name="bulk_run_due", condition=models.Q(state__in=[s.value for s in GOING])
            ),
            models.Index(fields=["asked_at"], name="bulk_run_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class BulkRow(models.Model):
    """One order of a run and its result. `given` is a ForOne; `label` the prices or the label that came of it."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="rows", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="bulk_rows")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in RowState], default=RowState.WAITING)
    given = models.JSONField()
    sentence = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(null=True)
    label = models.ForeignKey(Label, null=True, on_delete=models.SET_NULL, related_name="bulk_rows")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "order"], name="order_once_in_a_bulk_run")]

    def __str__(self) -> str:
        return f"{self.order} in {self.run_id}"
