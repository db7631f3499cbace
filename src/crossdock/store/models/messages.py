"""What a buyer and a seller write to each other about an order."""

from django.db import models
from django.db.models import Q

from crossdock.domain.requests.messages import Side
from crossdock.store.models.orders import Order
from crossdock.store.models.people import User

_SIDES = [(side.value, side.value) for side in Side]


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
