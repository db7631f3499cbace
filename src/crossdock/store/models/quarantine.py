"""What could not be read, set aside by itself so that nothing beside it waits."""

from django.db import models
from django.db.models import Q

from crossdock.store.models.orders import Order
from crossdock.store.models.people import User
from crossdock.store.models.shops import Connection
from crossdock.store.models.work import Party


class QuarantineKind(models.TextChoices):
    ORDER = "order"
    PRODUCT = "product"
    COUNTS = "counts"
    DELIVERY = "delivery"
    COMMAND = "command"


class QuarantineState(models.TextChoices):
    """HELD is tried again by itself; RELEASED is HELD that staff want tried now; DISMISSED is left alone as long as it
    trips for the same cause; FOREIGN is an order of the shop's own customers, kept for staff to see.
    """

    HELD = "held"
    RELEASED = "released"
    DISMISSED = "dismissed"
    FOREIGN = "foreign"
    HEALED = "healed"


STANDING = (QuarantineState.HELD, QuarantineState.RELEASED)


class Quarantined(models.Model):
    """One row, order, product, count, delivery or command outcome that tripped.

    `key` is the kind with the party's own id of it, or with the cause where not even the id could be read. `cause` is
    the same sentence for all that trip in the same way; `trace` is for staff; `call` is the recorded call's key.
    """

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="quarantined")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE, related_name="quarantined")
    kind = models.CharField(max_length=10, choices=QuarantineKind.choices)
    entity = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=220)
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="quarantined")
    cause = models.CharField(max_length=400)
    path = models.CharField(max_length=200, blank=True)
    trace = models.TextField(blank=True)
    call = models.CharField(max_length=16, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=1)
    next_try_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=QuarantineState.choices, default=QuarantineState.HELD)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "quarantined"
        constraints = [models.UniqueConstraint(fields=["party", "key"], name="one_row_per_quarantined")]
        indexes = [
            models.Index(
                fields=["party", "next_try_at"], name="quarantine_due", condition=Q(state__in=["held", "released"])
            ),
            models.Index(fields=["cause"], name="quarantine_cause", condition=Q(state__in=["held", "released"])),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().lower()} {self.entity or 'without an id'}"
