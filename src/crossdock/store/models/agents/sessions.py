"""Checkout sessions of agents: docs/decisions/0021-agents.md."""

from django.db import models

from crossdock.store.ids import public_id
from crossdock.store.models.access import ApiToken
from crossdock.store.models.money import PaymentIntent


class AgentSession(models.Model):
    """What an agent wants to buy and for whom, until it is paid. `protocol` is the one that it was opened by, which
    alone finds it again. `items` are [variant's public id, units] in the
    agent's order; `details` has `buyer` and `fulfillment_details` as ACP writes them, and `email` in small
    letters. `fingerprint` is of the prices that the agent was told last: others are never charged. `intent` is the last
    try to pay. `told` is a digest of the order as the agent's program was told it last.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="sessions")
    protocol = models.CharField(max_length=3, default="acp", db_default="acp")
    currency = models.CharField(max_length=3)
    items = models.JSONField()
    details = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=24, blank=True)
    told = models.CharField(max_length=64, blank=True, db_default="")
    tries = models.PositiveIntegerField(default=0)
    intent = models.OneToOneField(PaymentIntent, null=True, on_delete=models.PROTECT, related_name="agent_session")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    canceled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["public_id"], name="one_agent_session_per_public_id")]
        indexes = [models.Index(fields=["expires_at"], name="agent_session_ended", condition=~models.Q(details={}))]

    def __str__(self) -> str:
        return self.public_id
