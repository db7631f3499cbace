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


class AuditEntry(models.Model):
    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["-at"], name="audit_recent")]
