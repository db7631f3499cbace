"""What a buyer asks after the sale: to cancel, to withdraw, to return; what they and the seller write to each other;
and how they rate the seller.
"""

from django.db import models
from django.db.models import Q

from crossdock.domain.requests.cancels import CancelState, Request
from crossdock.domain.requests.messages import Side
from crossdock.domain.requests.ratings import BEST, LONGEST, Rated
from crossdock.domain.requests.ratings import Standing as RatingStanding
from crossdock.domain.requests.returns import OPEN, Condition, Fate, Payer, ReturnReason, ReturnState, Standing
from crossdock.domain.values import Money
from crossdock.store.ids import public_id
from crossdock.store.models.credits import Credit
from crossdock.store.models.orders import Order, OrderLine
from crossdock.store.models.people import Seller, User

_OPEN = [state.value for state in OPEN]
_SIDES = [(side.value, side.value) for side in Side]


class CancelRequest(models.Model):
    """One row for each order, however often was asked; the order's timeline has the history.

    `answer` is the seller's when they decline. `late_at`: when the seller and staff were told that nobody answered.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="cancel_request", primary_key=True)
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in CancelState])
    binding = models.BooleanField(default=False)
    asks = models.PositiveSmallIntegerField(default=1)
    reason = models.CharField(max_length=500, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    late_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["answer_by"], name="cancel_asked", condition=Q(state="asked")),
        ]

    @property
    def value(self) -> Request:
        return Request(CancelState(self.state), self.binding, self.asks)

    @property
    def open(self) -> bool:
        return self.value.open


class Withdrawal(models.Model):
    """A buyer withdrew from the contract: their statement as they confirmed it, and when. Never changed.

    `shipped`: something had left by then, so it comes back instead of being cancelled.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="withdrawal", primary_key=True)
    name = models.CharField(max_length=120)
    statement = models.TextField()
    shipped = models.BooleanField()
    confirmed_at = models.DateTimeField()


class Thread(models.Model):
    """One for each order that somebody wrote about. Its row is the lock of its messages.

    `unread_buyer`: how many of the seller's messages the buyer has not seen, and the other way round.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="thread", primary_key=True)
    unread_buyer = models.PositiveIntegerField(default=0)
    unread_seller = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True)
    reported_by = models.CharField(max_length=6, blank=True, choices=_SIDES)

    class Meta:
        indexes = [models.Index(fields=["order"], name="thread_unread", condition=Q(unread_seller__gt=0))]


class Message(models.Model):
    """Never edited. `author` is who wrote it for their side: staff may, acting as a seller."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    side = models.CharField(max_length=6, choices=_SIDES)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class Return(models.Model):
    """Units that come back, or that a buyer wants to send back; at most one of an order is open at a time.

    `due_at` is when the next step is due: the seller's answer, then the buyer's parcel, or the credit of a withdrawal.
    `send_to`, `payer` and
    `label` (a link, or the number of a label) are the seller's instructions; `late_at`: when the seller and staff were
    told that it was not done in time. `kept_minor` is what the seller kept for wear.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="returns")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in ReturnState])
    binding = models.BooleanField(default=False)
    reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in ReturnReason])
    words = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    send_to = models.TextField(blank=True)
    payer = models.CharField(max_length=6, choices=[(p.value, p.value) for p in Payer], blank=True)
    label = models.CharField(max_length=500, blank=True)
    carrier = models.CharField(max_length=80, blank=True)
    tracking_number = models.CharField(max_length=200, blank=True)
    kept_minor = models.BigIntegerField(default=0)
    kept_why = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    late_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    credit = models.OneToOneField(Credit, null=True, on_delete=models.PROTECT, related_name="returned")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_return_per_public_id"),
            models.UniqueConstraint(fields=["order"], condition=Q(state__in=_OPEN), name="one_open_return"),
            models.CheckConstraint(condition=Q(kept_minor__gte=0), name="kept_of_a_return"),
        ]
        indexes = [
            models.Index(fields=["seller", "state", "id"], name="return_of_seller"),
            models.Index(fields=["due_at"], name="return_due", condition=Q(state__in=_OPEN, late_at=None)),
        ]

    def __str__(self) -> str:
        return f"return of order {self.order}"

    @property
    def value(self) -> Standing:
        return Standing(ReturnState(self.state), self.binding, self.sent_at is not None)

    @property
    def open(self) -> bool:
        return self.value.open

    @property
    def kept(self) -> Money:
        return Money(self.kept_minor, self.order.currency)


class ReturnPicture(models.Model):
    """What the buyer shows of it, as JPEG; `name` is made of its content. For the order's two sides and staff who act
    for the seller alone, so it stands here and not among the files that everybody may see.
    """

    row = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="pictures")
    name = models.CharField(max_length=40)
    content = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["row", "name"], name="picture_of_a_return_once")]


class ReturnLine(models.Model):
    """`units` were asked for; `received` of them came back, in this condition."""

    row = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="returned")
    units = models.PositiveIntegerField()
    received = models.PositiveIntegerField(null=True)
    condition = models.CharField(max_length=10, choices=[(c.value, c.value) for c in Condition], blank=True)
    fate = models.CharField(max_length=10, choices=[(f.value, f.value) for f in Fate], blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["row", "line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(units__gt=0), name="return_of_something"),
            models.CheckConstraint(
                condition=Q(received=None) | Q(received__lte=models.F("units")), name="no_more_back_than_asked"
            ),
        ]


class Rating(models.Model):
    """What a buyer says of the seller of one order; `answer` is the seller's, once for all to read.

    `reported_at`: it waits for staff, as `report` says. `down_at`: staff took it down, because of `decided`, and it
    counts for nothing.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="rating")
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="ratings", db_index=False)
    stars = models.PositiveSmallIntegerField()
    words = models.CharField(max_length=LONGEST, blank=True)
    at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=LONGEST, blank=True)
    answered_at = models.DateTimeField(null=True)
    report = models.CharField(max_length=LONGEST, blank=True)
    reported_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reported_at = models.DateTimeField(null=True)
    decided = models.CharField(max_length=LONGEST, blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    down_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_rating_per_public_id"),
            models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=BEST), name="one_to_five_stars"),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="rating_of_seller"),
            models.Index(fields=["id"], name="rating_reported", condition=Q(reported_at__isnull=False)),
        ]

    @property
    def standing(self) -> RatingStanding:
        return RatingStanding(down=self.down_at is not None, reported=self.reported_at is not None)


class RatingSum(models.Model):
    """What a seller's ratings come to that are shown; changed with each, and locked last of all."""

    seller = models.OneToOneField(Seller, on_delete=models.CASCADE, related_name="rating_sum", primary_key=True)
    ratings = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(default=0)

    @property
    def value(self) -> Rated:
        return Rated(self.ratings, self.stars)
