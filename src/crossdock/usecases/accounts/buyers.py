"""Buyers of a storefront elsewhere: an account without a password, which its owner can claim by resetting it."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from crossdock.store.models import User
from crossdock.store.plans import prepared
from crossdock.usecases.errors import Invalid, NotAllowed

NO_EMAIL = "The buyer's e-mail address is not one."


@prepared
def buyers_named(email: str) -> QuerySet[User]:
    return User.objects.filter(email__iexact=email)


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def buyer_of(*, email: str, name: str, known: User | None = None) -> User:
    """The account with this address, in any case of letters; made when there is none. `known` where it was looked for
    already (`buyers_named`).
    """
    if not is_email(email):
        raise Invalid(NO_EMAIL)
    found = known or User.objects.filter(email__iexact=email).first()
    if found is None:
        try:
            with transaction.atomic():
                found = User.objects.create_user(email, None, name=name[:120])
        except IntegrityError:
            found = User.objects.get(email__iexact=email)
    if not found.is_active:
        raise NotAllowed("This buyer's account is closed.")
    return found
