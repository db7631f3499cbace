"""API access: tokens are kept as hashes; a repeated Idempotency-Key gets the first answer again."""

from django.db import models

from crossdock.store.models.people import Seller, User


class ApiToken(models.Model):
    """`seller` limits the token to one seller's things; without one it is the marketplace's own storefront, made by
    staff.
    """

    name = models.CharField(max_length=80)
    hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    seller = models.ForeignKey(Seller, null=True, on_delete=models.CASCADE, related_name="tokens")
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # "orders:read alerts:change", or "*" for everything (usecases/accounts/tokens.py).
    scopes = models.CharField(max_length=200, default="*", db_default="*")
    expires_at = models.DateTimeField(null=True)
    # Whom an agent's token speaks for: the address of the first profile that it named (docs/agents.md).
    profile = models.CharField(max_length=500, blank=True, db_default="")

    def __str__(self) -> str:
        return f"{self.name} …{self.hint}"


class IdempotentReply(models.Model):
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE)
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]
