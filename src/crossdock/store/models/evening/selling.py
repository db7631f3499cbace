"""What of a shop is sold here and for how much, by its seller's rules."""

from django.db import models

from crossdock.store.models.shops import Connection


class Selling(models.Model):
    """A shop's rules as domain/selling has them; without a row everything is sold, at the shop's prices.

    `draft` and `pricing_draft` are what the seller is trying out of `choice` and `pricing`, None for nothing.
    `revision` counts the changes of what is in force.
    `after`: listings behind this key wait for the rules in force; None: all follow them.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="selling")
    choice = models.JSONField(default=dict, db_default={})
    draft = models.JSONField(null=True)
    pricing = models.JSONField(default=dict, db_default={})
    pricing_draft = models.JSONField(null=True)
    revision = models.PositiveIntegerField(default=0, db_default=0)
    after = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField(null=True)
