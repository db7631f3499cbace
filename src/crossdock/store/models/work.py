"""Work for parties outside: the row is the queue.

A party's lease lets one pump at a time speak to it, and runs out when a worker dies.
"""

from django.db import models
from django.db.models import Q


class PartyKind(models.TextChoices):
    SHOP = "shop"
    PAYMENT = "payment"
    CARRIER = "carrier"
    PAYOUT = "payout"
    NOTIFY = "notify"


class Party(models.Model):
    """Somebody outside.

    `resting_until` is the backoff after trouble that concerns the whole party (unreachable, throttled).
    """

    kind = models.CharField(max_length=10, choices=PartyKind.choices)
    name = models.CharField(max_length=60)
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    resting_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True)
    stopped = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            # Two webhooks that came at once must not make two gateways out of one. A shop's party is its connection's.
            models.UniqueConstraint(fields=["kind", "name"], condition=~Q(kind="shop"), name="one_party_per_name")
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class CommandState(models.TextChoices):
    """The worker's side. WAITING includes between tries; IN_FLIGHT was written before sending."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DONE = "done"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


class CommandResult(models.TextChoices):
    """The business's side, a column of its own: "the shop said no" must not look like "the worker crashed"."""

    NONE = "none"
    OK = "ok"
    REFUSED = "refused"


class Command(models.Model):
    """One asking of one party.

    `cause` makes repeating free; `subject` keeps commands of one order in line; `look_first` forces a look-up before
    sending.
    """

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="commands")
    cause = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=60)
    kind = models.CharField(max_length=30)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=CommandState.choices, default=CommandState.WAITING)
    result = models.CharField(max_length=10, choices=CommandResult.choices, default=CommandResult.NONE)
    sentence = models.TextField(blank=True)
    outcome = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    unresolved = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    in_flight_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["party", "due_at"], name="command_due", condition=Q(state__in=["waiting", "in_flight"])
            ),
            models.Index(
                fields=["party", "subject", "id"],
                name="command_subject",
                condition=Q(state__in=["waiting", "in_flight", "dead"]),
            ),
            # Sent events and mails are let go after a while.
            models.Index(fields=["finished_at"], name="command_sent", condition=Q(kind="send_event")),
            # An order's page asks for all that was asked of anybody, labels by the beginning of their subject.
            models.Index(fields=["subject"], name="command_about", opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Delivery(models.Model):
    """A webhook delivery, kept before it is answered.

    Deduplicated only against deliveries not yet handled: a bare id can be news again.
    """

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="deliveries")
    topic = models.CharField(max_length=80)
    dedupe = models.CharField(max_length=200)
    news = models.JSONField(default=dict)
    # Without signatures: what is needed to read the body again, for the file of a case.
    headers = models.JSONField(default=dict, db_default={})
    body = models.BinaryField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    doubles = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["party", "dedupe"], condition=Q(handled_at=None), name="delivery_once_while_waiting"
            )
        ]
        indexes = [
            models.Index(fields=["party", "id"], name="delivery_waiting", condition=Q(handled_at=None)),
            models.Index(fields=["received_at"], name="delivery_age"),
        ]


class Exchange(models.Model):
    """One redacted HTTP exchange with a party: the evidence behind the panel. Pruned after 30 days."""

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="exchanges")
    subject = models.CharField(max_length=60, blank=True)
    # The connector's call (store/models/cases.py) that it was made for.
    call = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()
    method = models.CharField(max_length=10)
    url = models.TextField()
    status = models.PositiveSmallIntegerField(null=True)
    milliseconds = models.PositiveIntegerField()
    request = models.TextField(blank=True)
    response = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["party", "-at"], name="exchange_recent"),
            models.Index(fields=["subject", "-at"], name="exchange_subject", condition=~Q(subject="")),
            models.Index(fields=["call"], name="exchange_call", condition=~Q(call="")),
            models.Index(fields=["at"], name="exchange_age"),
        ]
