"""A seller's connected shops.

Credentials are ciphertext; only the vault, whose key lives outside the database, can read them.
"""

from django.db import models
from django.db.models import Q

from crossdock.store.ids import public_id
from crossdock.store.models.people import Seller, User
from crossdock.store.models.work import Party


class ConnectionState(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"
    NEEDS_REAUTH = "needs_reauth"
    DISCONNECTED = "disconnected"


class NoAnswer(models.TextChoices):
    """What happens at checkout when the shop does not say in time how many it has."""

    SELL = "sell"
    HOLD = "hold"
    REFUSE = "refuse"


class Connection(models.Model):
    """One shop on one platform, connected by one seller.

    `shop_key` is the platform's own id of the shop: the same shop is connected once.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="connections")
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="connection")
    platform = models.CharField(max_length=40)
    way = models.CharField(max_length=40)
    address = models.CharField(max_length=300)
    shop_key = models.CharField(max_length=300)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=20, choices=ConnectionState.choices, default=ConnectionState.ACTIVE)
    state_sentence = models.TextField(blank=True)
    # What the seller reads while staff pause it, whatever its state; only staff empty it.
    paused_by_staff = models.TextField(blank=True, default="", db_default="")
    secrets = models.BinaryField()
    settings = models.JSONField(default=dict)
    checks = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    hooks = models.JSONField(default=dict)
    hooks_checked_at = models.DateTimeField(null=True)
    forged = models.PositiveIntegerField(default=0)
    buffer = models.PositiveIntegerField(default=0)
    floor = models.PositiveIntegerField(default=0)
    most_shown = models.PositiveIntegerField(null=True)
    no_answer = models.CharField(max_length=10, choices=NoAnswer.choices, default=NoAnswer.SELL)
    # Whether parcels entered here are written into the shop, where the platform can.
    push_fulfilments = models.BooleanField(default=True, db_default=True)
    # A price that changes in the shop by more than so many percent waits for its seller. None: each one is taken.
    price_limit = models.PositiveIntegerField(null=True)
    # Since when it is only read: nothing of it is for sale, and the database takes no command to it. None: it is live.
    shadow_since = models.DateTimeField(null=True)
    last_delivery_at = models.DateTimeField(null=True)
    last_read_at = models.DateTimeField(null=True)
    # When something last happened: news, a sale, somebody looking. A shop at rest is asked less often.
    active_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "shop_key"], condition=~Q(state="disconnected"), name="same_shop_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Cursor(models.Model):
    """Where one stream of polling stands; moved only in the transaction that kept what was read.

    `completed_at` is when it was last done whole. `due_by` is what domain/health.py promises of the next time; empty:
    nothing was promised yet.

    `failures` in a row concern this stream alone (a page that cannot be understood); `trouble` says what it was.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=20)
    value = models.TextField(blank=True)
    due_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    due_by = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    failing_since = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True, db_default="")
    # The shop's own time of the newest thing that was read.
    newest_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="one_cursor_per_stream")]
        indexes = [models.Index(fields=["due_by"], name="cursor_due_by")]


class NewsLag(models.Model):
    """How long it took until something that happened in a shop was known here. Kept for two days."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    at = models.DateTimeField()
    milliseconds = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["connection", "at"], name="lag_of_shop"),
            models.Index(fields=["at"], name="lag_age"),
        ]


class ConnectAttempt(models.Model):
    """A connection being made: what the seller typed, and the one-time state that a redirect must bring back.

    Secrets are ciphertext.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    platform = models.CharField(max_length=40)
    way = models.CharField(max_length=40)
    address = models.CharField(max_length=300)
    state_hash = models.CharField(max_length=64, unique=True)
    keep = models.BinaryField()
    secrets = models.BinaryField(null=True)
    proof = models.JSONField(null=True)
    preview = models.JSONField(null=True)
    # What was asked of the shop so far, blacked out; it becomes evidence of the connection once there is one.
    calls = models.JSONField(default=list)
    reconnects = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class PlatformPause(models.Model):
    """A platform whose shops are all paused. What is connected meanwhile is paused too; resumed, the row goes."""

    platform = models.CharField(max_length=40, primary_key=True)
    why = models.CharField(max_length=400)
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
