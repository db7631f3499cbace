"""A person's copy of their data, and their leaving: asked for once, carried out by the worker in steps."""

from django.db import models
from django.db.models import Q

from crossdock.domain.privacy.runs import OPEN, RunKind, RunState
from crossdock.store.ids import public_id
from crossdock.store.models.people import User


class DataRun(models.Model):
    """`due_at` is when the worker begins, of leaving the end of the days in which it can be taken back; `ends_at` when
    a copy can no longer be had. `step`, `cursor` and `done` say how far it got: a killed worker costs one batch.

    `claim` is the worker that carries it out, until `claimed_until`.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in RunKind])
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in RunState], default=RunState.WAITING)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="data_runs")
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    second_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=60, blank=True)
    cursor = models.BigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True)
    sentence = models.TextField(blank=True)

    class Meta:
        constraints = [
            # Not `unique`, which would keep a second index for the beginnings of an id.
            models.UniqueConstraint(fields=["public_id"], name="data_run_public_id"),
            models.UniqueConstraint(
                fields=["person", "kind"], condition=Q(state__in=[s.value for s in OPEN]), name="one_data_run_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-id"], name="data_run_of_person"),
            models.Index(fields=["due_at"], name="data_run_due", condition=Q(state__in=["waiting", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class DataPart(models.Model):
    """A piece of a copy's ZIP, as it was written; pieces in order are the file."""

    run = models.ForeignKey(DataRun, on_delete=models.CASCADE, related_name="parts")
    no = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "no"], name="data_part_once")]
