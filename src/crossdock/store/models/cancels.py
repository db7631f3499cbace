"""What a buyer asked about an order that they no longer want."""

from django.db import models
from django.db.models import Q

from crossdock.domain.requests.cancels import CancelState, Request
from crossdock.store.models.orders import Order
from crossdock.store.models.people import User


class CancelRequest(models.Model):
    """One row for each order, however often was asked; the order's timeline has the history.

    `answer` is the seller's when they decline. `late_at`: when the seller and staff were told that nobody answered.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="cancel_request", primary_key=True)
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in CancelState])
    binding = models.BooleanField(default=False)
    asks = models.PositiveSmallIntegerField(default=1)
    reason = models.CharField(max_length=500, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    late_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["answer_by"], name="cancel_asked", condition=Q(state="asked")),
        ]

    @property
    def value(self) -> Request:
        return Request(CancelState(self.state), self.binding, self.asks)

    @property
    def open(self) -> bool:
        return self.value.open


class Withdrawal(models.Model):
    """A buyer withdrew from the contract: their statement as they confirmed it, and when. Never changed.

    `shipped`: something had left by then, so it comes back instead of being cancelled.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="withdrawal", primary_key=True)
    name = models.CharField(max_length=120)
    statement = models.TextField()
    shipped = models.BooleanField()
    confirmed_at = models.DateTimeField()
