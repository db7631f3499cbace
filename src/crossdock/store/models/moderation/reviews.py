"""One look at a listing by staff: the reports that led to it, the decision, and each step with its words."""

from django.db import models
from django.db.models import Q

from crossdock.domain.moderation.reports import Reason
from crossdock.domain.moderation.takedowns import GROUNDS, OPEN, Deed, Ground, Reasons, ReviewState, Standing
from crossdock.store.ids import public_id
from crossdock.store.models.catalogue import Listing, ListingState
from crossdock.store.models.people import Seller, User

_OPEN = [state.value for state in OPEN]


def _choices(of: type[Reason] | type[Deed] | type[Ground] | type[ReviewState]) -> list[tuple[str, str]]:
    return [(each.value, each.value) for each in of]


class ListingReview(models.Model):
    """At most one of a listing is open. Without a report staff looked by themselves.

    `listing_state` is where the listing was before it was taken down, and where it goes back to.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="reviews")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=_choices(ReviewState), default=ReviewState.WAITING.value)
    reports = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ground = models.CharField(max_length=12, choices=_choices(Ground), blank=True)
    until_changed = models.BooleanField(default=False)
    listing_state = models.CharField(max_length=10, choices=ListingState.choices, blank=True)
    asked = models.CharField(max_length=10, choices=_choices(Deed), blank=True)
    appealed = models.BooleanField(default=False)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_review_per_public_id"),
            models.UniqueConstraint(fields=["listing"], condition=Q(state__in=_OPEN), name="one_open_review"),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="review_by_state"),
            models.Index(fields=["id"], name="review_waiting", condition=Q(state__in=["waiting", "asked"])),
        ]

    def __str__(self) -> str:
        return f"review of “{self.listing}”"

    @property
    def standing(self) -> Standing:
        asked = Deed(self.asked) if self.asked else None
        return Standing(ReviewState(self.state), self.until_changed, asked, self.appealed, self.decided_at)

    @property
    def reports_seen(self) -> str:
        """Which reports somebody looks at who looks at it now."""
        return f"{self.public_id}:{self.reports}"

    @property
    def reasons(self) -> Reasons | None:
        """None before it was taken down."""
        return GROUNDS[Ground(self.ground)] if self.ground else None


class ListingReport(models.Model):
    """Never edited. `reporter` is None for somebody who was not signed in; of an address no answer proved it theirs."""

    public_id = models.CharField(max_length=14, default=public_id)
    review = models.ForeignKey(ListingReview, on_delete=models.CASCADE, related_name="notices")
    reason = models.CharField(max_length=12, choices=_choices(Reason))
    words = models.TextField()
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    reporter = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_report_per_public_id"),
            models.UniqueConstraint(fields=["review", "email"], condition=~Q(email=""), name="one_report_per_address"),
        ]
        indexes = [models.Index(fields=["email", "at"], name="report_by_address", condition=~Q(email=""))]


class ReviewStep(models.Model):
    """Never edited. `words` are staff's to the seller (of a dismissal, to the reporters) or the seller's own."""

    review = models.ForeignKey(ListingReview, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    deed = models.CharField(max_length=12, choices=_choices(Deed))
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    words = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
