"""The times in which a shop was only read."""

from django.db import models
from django.db.models import Q

from crossdock.store.models.shops import Connection


class ShadowRun(models.Model):
    """One time in shadow mode. `calls` is how often the shop was asked; `report` is what was seen of it, kept when it
    ended. While it lasts, its connection's `shadow_since` is its beginning.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="shadow_runs")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    calls = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection"], condition=Q(ended_at=None), name="one_shadow_at_a_time")
        ]
