"""What a buyer asks after the sale: to cancel, to withdraw; and what they and the seller write to each other."""

from django.db import models
from django.db.models import Q

from crossdock.domain.requests.cancels import CancelState, Request
from crossdock.domain.requests.messages import Side
from crossdock.store.models.orders import Order
from crossdock.store.models.people import User

_SIDES = [(side.value, side.value) for side in Side]


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


class Thread(models.Model):
    """One for each order that somebody wrote about. Its row is the lock of its messages.

    `unread_buyer`: how many of the seller's messages the buyer has not seen, and the other way round.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="thread", primary_key=True)
    unread_buyer = models.PositiveIntegerField(default=0)
    unread_seller = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True)
    reported_by = models.CharField(max_length=6, blank=True, choices=_SIDES)

    class Meta:
        indexes = [models.Index(fields=["order"], name="thread_unread", condition=Q(unread_seller__gt=0))]


class Message(models.Model):
    """Never edited. `author` is who wrote it for their side: staff may, acting as a seller."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    side = models.CharField(max_length=6, choices=_SIDES)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
