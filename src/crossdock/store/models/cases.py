"""Cases: a seller and staff talk about one thing, with the evidence beside it.

Evidence is a copy, blacked out when it was taken; the rows it came from are pruned.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.cases import CaseKind, CaseState
from crossdock.store.ids import public_id
from crossdock.store.models.alerts import Alert
from crossdock.store.models.catalogue import Listing
from crossdock.store.models.credits import Credit
from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User
from crossdock.store.models.shops import Connection


class Case(models.Model):
    """Open until closed; `waiting_for_*` says whose turn it is.

    `evidence` is a list of parts that the seller saw before sending.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="cases")
    opened_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in CaseKind])
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in CaseState], default=CaseState.OPEN)
    subject = models.CharField(max_length=200)
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="cases")
    listing = models.ForeignKey(Listing, null=True, on_delete=models.SET_NULL, related_name="cases")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="cases")
    alert = models.ForeignKey(Alert, null=True, on_delete=models.SET_NULL, related_name="cases")
    credit = models.ForeignKey(Credit, null=True, on_delete=models.SET_NULL, related_name="cases")
    evidence = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["seller", "-id"], name="case_of_seller"),
            models.Index(fields=["kind", "-id"], name="case_open", condition=~Q(state="closed")),
        ]

    def __str__(self) -> str:
        return self.subject


class CaseMessage(models.Model):
    """What one side wrote; never edited."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    is_staff = models.BooleanField(default=False)
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class Call(models.Model):
    """One thing that a connector was asked, and what it made of the shop's answers: blacked out, kept as long as its
    exchanges, there to be played again.
    """

    key = models.CharField(max_length=16, unique=True)
    party = models.ForeignKey("store.Party", on_delete=models.CASCADE, related_name="calls")
    subject = models.CharField(max_length=60, blank=True)
    about = models.JSONField(default=list)
    operation = models.CharField(max_length=30)
    given = models.JSONField(default=dict)
    made = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["party", "-at"], name="call_recent"),
            models.Index(fields=["at"], name="call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.subject}"
