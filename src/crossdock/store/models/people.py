"""People: everybody signs in with an e-mail address; a seller is an account that a user may own."""

from datetime import date, datetime
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils.crypto import salted_hmac

from crossdock.domain.due.away import Away, AwayMode
from crossdock.domain.due.calendar import Calendar, Span
from crossdock.domain.due.zones import zone_of
from crossdock.domain.moderation.sellers import Bar
from crossdock.store.ids import public_id


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        if fields.get("is_staff"):
            # Whoever makes staff in code and names no role makes an admin.
            fields.setdefault("roles", "admin")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """Signs in by e-mail; staff are users with is_staff, and may what their `roles` give (domain/roles.py).

    Every session is bound to the password and to `session_round`: the next round ends all of them.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120, blank=True)
    # Words with spaces between them.
    roles = models.CharField(max_length=80, default="", db_default="", blank=True)
    # Of staff: who they are at the identity provider, its issuer, a space and its name for them.
    identity = models.CharField(max_length=600, default="", db_default="", blank=True)
    session_round = models.PositiveIntegerField(default=0, db_default=0)
    # A code of settings.LANGUAGES; empty until they choose one.
    language = models.CharField(max_length=10, default="", db_default="", blank=True)
    # Whose team they are in, and as what (domain/team/roles.py). With no words they are in none: `works_for` is then
    # the seller who let them go last, which their next page says.
    works_for = models.ForeignKey(
        "Seller", null=True, blank=True, on_delete=models.PROTECT, related_name="workers", db_index=False
    )
    works_as = models.CharField(max_length=40, default="", db_default="", blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.UniqueConstraint(fields=["identity"], condition=~Q(identity=""), name="one_user_per_identity"),
        ]
        # What `iexact` asks for.
        indexes = [
            models.Index(Upper("email"), name="user_email_upper"),
            models.Index(fields=["works_for"], name="user_works_for", condition=Q(works_for__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_session_auth_hash(self) -> str:
        """What a session has to carry. Django's own in round 0, so that nobody was signed out by the field."""
        bound = super().get_session_auth_hash()
        return (
            salted_hmac("crossdock.session_round", f"{bound}:{self.session_round}").hexdigest()
            if self.session_round
            else bound
        )


# Of a seller who works on public holidays.
NO_HOLIDAYS = "none"
# Sellers of whom nothing is sold, since they are on holiday.
PAUSED = Q(away_since__isnull=False, away_mode=AwayMode.PAUSE)
# Sellers of whom nothing is shown or sold, since the marketplace says so.
BARRED = ~Q(barred="")


class Seller(models.Model):
    """A shop-keeper on the marketplace.

    `handling_days` are working days and set the ship-by date; the fee is in basis points of the order's total.
    """

    public_id = models.CharField(max_length=14, unique=True, default=public_id)
    owner = models.OneToOneField(User, on_delete=models.PROTECT, related_name="seller")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    country = models.CharField(max_length=2, default="US")
    currency = models.CharField(max_length=3, default="USD")
    handling_days = models.PositiveSmallIntegerField(default=2)
    # When they work. Empty: the zone and the public holidays of their country. The days' numbers: 1 is Monday.
    time_zone = models.CharField(max_length=40, blank=True, default="", db_default="")
    working_days = models.CharField(max_length=7, default="12345", db_default="12345")
    holidays = models.CharField(max_length=12, blank=True, default="", db_default="")
    # [[first, last], ...], both included.
    closed_days = models.JSONField(default=list, db_default=[])
    # Holidays, planned or begun (domain/due/away.py); `away_since` is set by the worker while they hold.
    away_from = models.DateTimeField(null=True)
    away_until = models.DateTimeField(null=True)
    away_mode = models.CharField(max_length=5, blank=True, default="", db_default="")
    away_since = models.DateTimeField(null=True)
    # Whoever sells as a business owes buyers more, such as the right to withdraw.
    private = models.BooleanField(default=False, db_default=False)
    # Why the marketplace lets nothing of theirs be shown or sold (domain/moderation/sellers.py); empty: it does.
    barred = models.CharField(max_length=10, blank=True, default="", db_default="")
    # Who answers in the European Union for what they sell (domain/moderation/particulars.py): name, address, email.
    eu_contact = models.JSONField(default=dict, db_default={}, blank=True)
    # Limits that staff set: {quota: most}; what the seller was told of near ones (usecases/accounts/quotas/gate.py).
    quotas = models.JSONField(default=dict, db_default={}, blank=True)
    quotas_told = models.JSONField(default=dict, db_default={}, blank=True)
    fee_basis_points = models.PositiveSmallIntegerField(default=800)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["away_from"], name="seller_away", condition=Q(away_from__isnull=False)),
            models.Index(fields=["id"], name="seller_paused", condition=PAUSED),
            models.Index(fields=["id"], name="seller_barred", condition=BARRED),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def bar(self) -> Bar:
        return Bar(self.barred)

    @property
    def away(self) -> Away | None:
        if self.away_from is None:
            return None
        return Away(AwayMode(self.away_mode), self.away_from, self.away_until, self.away_since is not None)

    def clock(self, now: datetime) -> datetime:
        """What time it is for orders that wait: it stands still while they are on holiday."""
        return now if self.away_since is None else min(now, self.away_since)

    @property
    def calendar(self) -> Calendar:
        return Calendar(
            self.time_zone or zone_of(self.country),
            frozenset(int(number) - 1 for number in self.working_days),
            "" if self.holidays == NO_HOLIDAYS else self.holidays or self.country,
            tuple(Span(date.fromisoformat(first), date.fromisoformat(last)) for first, last in self.closed_days),
        )


class ShippingRate(models.Model):
    """A flat price per destination country and currency; country "*" is everywhere else.

    No row for a country means no shipping there.
    """

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="shipping_rates")
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    price_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "country", "currency"], name="one_rate_per_country"),
            models.CheckConstraint(condition=models.Q(price_minor__gte=0), name="rate_not_negative"),
        ]
