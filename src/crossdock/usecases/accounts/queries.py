"""What is read of people and sellers. Nothing here writes."""

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from crossdock.store.models import Seller, Suspension, User
from crossdock.store.models.people import BARRED


def sellers_named(query: str) -> QuerySet[Seller]:
    """All of them without a word."""
    rows = Seller.objects.select_related("owner")
    return rows.filter(Q(name__icontains=query) | Q(owner__email__icontains=query)) if query else rows


def where_in(user: User) -> Q:
    """The shop that they own, or in whose team they are. A team works while its owner's account is open."""
    mine = Q(owner=user)
    return mine | Q(pk=user.works_for_id, owner__is_active=True) if user.works_as else mine


def seller_of(user: Any) -> Seller | None:
    """Whom this person sells for; None for somebody who only buys, or is not signed in."""
    return Seller.objects.filter(where_in(user)).first() if user is not None and user.is_authenticated else None


def sells(user: User | AnonymousUser) -> bool:
    return isinstance(user, User) and Seller.objects.filter(where_in(user)).exists()


def why_out(user: User) -> str:
    """Of somebody who was in a team and sees its panel no more. Empty for everybody else."""
    seller = Seller.objects.select_related("owner").filter(pk=user.works_for_id).first() if user.works_for_id else None
    if seller is None:
        return ""
    if not user.works_as:
        return f"You are not in the team of {seller.name} any more. What you were doing was not done."
    return f"The account of the owner of {seller.name} is closed, so its team cannot work there for now."


def sellers_shown() -> QuerySet[Seller]:
    """With what their ratings come to."""
    return Seller.objects.select_related("rating_sum")


def shops_called(words: str) -> QuerySet[Seller]:
    """Those who may sell; none without a word."""
    return Seller.objects.filter(name__unaccent__icontains=words).exclude(BARRED) if words else Seller.objects.none()


def suspension_of(seller: Seller) -> Suspension | None:
    return Suspension.objects.select_related("by").filter(seller=seller).first()


def among(people: Iterable[str], email: str) -> User | None:
    """The one of these people who has this address."""
    return User.objects.filter(pk__in=list(people), email__iexact=email).first()


def people() -> QuerySet[User]:
    return User.objects.all()


def person_called(email: str) -> User | None:
    """By the whole address, in any case of letters."""
    return User.objects.filter(email__iexact=email).first() if email else None


def factors_of(user: User) -> QuerySet[Any]:
    """Second factors and passkeys, the oldest first."""
    found: QuerySet[Any] = Authenticator.objects.filter(user=user).order_by("pk")
    return found


def codes_of(user: User) -> QuerySet[Any]:
    """Those that a code can be typed of."""
    return factors_of(user).exclude(type=Authenticator.Type.WEBAUTHN)


def passkeys_of(user: User) -> QuerySet[Any]:
    return factors_of(user).filter(type=Authenticator.Type.WEBAUTHN)


def addresses_of(user: User) -> QuerySet[Any]:
    found: QuerySet[Any] = EmailAddress.objects.filter(user=user)
    return found


def sessions_of(user: User) -> QuerySet[Any]:
    found: QuerySet[Any] = UserSession.objects.filter(user=user)
    return found


def living_sessions_of(user: User) -> list[Any]:
    """Those that ended are forgotten first."""
    found: list[Any] = UserSession.objects.purge_and_list(user)
    return found
