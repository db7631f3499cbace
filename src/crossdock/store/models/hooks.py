"""Receivers of our signed webhooks.

Each is a party of its own, so that one that is down holds up nobody else; what was sent are the party's commands.
"""

from django.db import models

from crossdock.store.ids import public_id
from crossdock.store.models.access import ApiToken
from crossdock.store.models.people import Seller
from crossdock.store.models.work import Party


class Endpoint(models.Model):
    """Of a seller, or of the agent whose token it names. `secrets` is ciphertext: the secret of now, and until
    `before_until` the one before it, so that a receiver can change over without losing a message.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    seller = models.ForeignKey(Seller, null=True, on_delete=models.CASCADE, related_name="endpoints")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.CASCADE, related_name="endpoints")
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="endpoint")
    url = models.CharField(max_length=500)
    name = models.CharField(max_length=80, blank=True)
    # Names of events; empty means all of them.
    events = models.JSONField(default=list, blank=True)
    secrets = models.BinaryField()
    hint = models.CharField(max_length=8)
    rotated_at = models.DateTimeField(null=True)
    before_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    paused_why = models.CharField(max_length=300, blank=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["token"], condition=models.Q(deleted_at=None), name="one_endpoint_per_agent"
            ),
            models.CheckConstraint(
                condition=models.Q(seller=None) ^ models.Q(token=None), name="endpoint_of_a_seller_or_an_agent"
            ),
        ]
        indexes = [models.Index(fields=["seller"], name="endpoint_in_use", condition=models.Q(deleted_at=None))]

    def __str__(self) -> str:
        return self.name or self.url
