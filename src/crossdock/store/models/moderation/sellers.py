"""Sellers whose sales the marketplace stopped."""

from django.db import models

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
