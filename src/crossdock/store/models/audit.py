"""Who changed what: policy switches and everything staff did. Rows are only ever added."""

from django.db import models

from crossdock.store.models.people import User


class PolicySwitch(models.Model):
    """The newest row of a rule is in force; no row means "as described"."""

    rule = models.CharField(max_length=10)
    lifted = models.BooleanField()
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["rule", "-id"], name="policy_newest")]


class AuditTopic(models.TextChoices):
    """What kind of thing happened."""

    STAFF = "staff", "What staff did"
    ACCOUNT = "account", "Sign-ins and accounts"
    ACCESS = "access", "Data read or exported"
    SETTINGS = "settings", "Settings of shops"
    TEAM = "team", "What a shop's team did"
    SYSTEM = "system", "By itself"


class AuditEntry(models.Model):
    """One thing that somebody did. Who did it and to whom are numbers of accounts, never names or addresses: an account
    that is erased leaves a number that leads to nobody, and no row has to change for it.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    person = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    topic = models.CharField(max_length=12, default=AuditTopic.STAFF, db_default=AuditTopic.STAFF)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at"], name="audit_recent"),
            models.Index(fields=["topic", "-id"], name="audit_topic"),
        ]


class AuditLink(models.Model):
    """A row's place in the chain, written by the database as the row is committed (migration 0032): its hash covers the
    row and the hash before. Two tables, since the order of commits is known only then and a row is never changed.
    """

    no = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, db_constraint=False, related_name="link")
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)


class AuditEnds(models.Model):
    """The one row that says where the chain begins and ends, moved by the database with each link and by whoever
    shortens it (migration 0039): rows cut off either end are missed.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    first_no = models.BigIntegerField()
    first_previous = models.CharField(max_length=64)
    last_no = models.BigIntegerField()
    last_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_ends_once")]


class AuditSending(models.Model):
    """How far the log was sent on to one receiver: up to this link. `not_before` is a lease or a pause."""

    target = models.CharField(max_length=300)
    sent_no = models.BigIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    # The kind of trouble of the last failure, such as ConnectionRefusedError.
    why = models.CharField(max_length=80, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target"], name="one_audit_sending_per_target")]
