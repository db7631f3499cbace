"""Receivers of our signed webhooks, and the keys that those of agents are signed with.

Each receiver is a party of its own, so that one that is down holds up nobody else; what was sent are the party's
commands.
"""

from django.db import models

from crossdock.store.ids import public_id
from crossdock.store.models.access import ApiToken
from crossdock.store.models.people import Seller
from crossdock.store.models.work import Party


class Endpoint(models.Model):
    """Of a seller, or of the agent whose token it names; beside a token, `protocol` is the one that it is told by.
    `secrets` is ciphertext: the secret of now, and until `before_until` the one before it, so that a receiver can
    change over without losing a message. By UCP there is no secret, since our own key signs, and `rotated_at` is when
    the profile was read that named `url`.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    seller = models.ForeignKey(Seller, null=True, on_delete=models.CASCADE, related_name="endpoints")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.CASCADE, related_name="endpoints")
    protocol = models.CharField(max_length=3, default="acp", db_default="acp")
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
                fields=["token", "protocol"],
                condition=models.Q(deleted_at=None),
                name="one_endpoint_per_agent_and_protocol",
            ),
            models.CheckConstraint(
                condition=models.Q(seller=None) ^ models.Q(token=None), name="endpoint_of_a_seller_or_an_agent"
            ),
        ]
        indexes = [models.Index(fields=["seller"], name="endpoint_in_use", condition=models.Q(deleted_at=None))]

    def __str__(self) -> str:
        return self.name or self.url


class SigningKey(models.Model):
    """Of the marketplace itself. `public` is a JSON Web Key, in our profile until `ends_at`; `secret` is ciphertext,
    and signs from `signs_from` until a newer one does.
    """

    kid = models.CharField(max_length=43)
    public = models.JSONField()
    secret = models.BinaryField()
    created_at = models.DateTimeField()
    signs_from = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kid"], name="one_signing_key_per_kid")]

    def __str__(self) -> str:
        return self.kid
