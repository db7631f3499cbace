"""Sellers whose sales the marketplace stopped, and those whom it has to approve first."""

from django.db import models

from crossdock.domain.moderation.approval import LONGEST, Deed, Stage
from crossdock.store.models.people import Seller, User


class Suspension(models.Model):
    """While it stands, nothing of this seller is shown or sold. Each one and its end are in the audit log.

    `with_account`: it came with the closing of the account, and ends with it. `why` is what the seller reads.
    """

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="suspension", primary_key=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=1000)
    with_account = models.BooleanField(default=False)


class SellerApproval(models.Model):
    """Of a seller who began while the marketplace approves sellers; who has no row needs none.

    `facts_at` moves with each fact that the checklist asks for, `changed` names those that changed since staff
    approved, `terms` is the version of the marketplace's terms that they accepted. `why` is what the seller reads.
    """

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="approval", primary_key=True)
    stage = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Stage], default=Stage.PREPARING)
    began_at = models.DateTimeField()
    facts_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=LONGEST, blank=True, default="")
    terms = models.PositiveIntegerField(default=0)
    terms_at = models.DateTimeField(null=True)
    changed = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["stage", "-seller"], name="approval_by_stage")]


class SellerDetails(models.Model):
    """Who sells, for tax law, and a picture of their document: ciphertext (store/vault.py), for the seller and for
    staff who approve sellers.

    `document_at` stays when the picture goes.
    """

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="details", primary_key=True)
    sealed = models.BinaryField(null=True)
    changed_at = models.DateTimeField(null=True)
    document = models.BinaryField(null=True)
    document_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "seller details"


class ApprovalStep(models.Model):
    """What was done about an approval, in its order: the story that the seller and staff read."""

    approval = models.ForeignKey(SellerApproval, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    deed = models.CharField(max_length=10, choices=[(d.value, d.value) for d in Deed])
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    words = models.CharField(max_length=LONGEST, blank=True, default="")
