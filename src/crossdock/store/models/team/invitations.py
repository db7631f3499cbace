"""Who was asked into a seller's team. Who is in it stands on `User`: `works_for` and `works_as`."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from crossdock.store.ids import public_id
from crossdock.store.models.people import Seller

OPEN = Q(accepted_at=None, withdrawn_at=None)


class Invitation(models.Model):
    """One person asked by one seller, at an address. `roles` are words as in `User.works_as`; `sent` counts the
    letters, and only the link of the last one opens it.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    roles = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sent = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_invitation_per_public_id"),
            models.UniqueConstraint("seller", Lower("email"), name="one_open_invitation", condition=OPEN),
        ]

    def __str__(self) -> str:
        return f"invitation {self.public_id}"
