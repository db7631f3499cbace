"""Who is looking: the signed-in user with its type."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from crossdock.store.models import User


def signed_in(request: HttpRequest) -> User:
    """The user of a view that login_required guards; refuses anybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def visitor(request: HttpRequest) -> User | None:
    """Of a page that is for everybody; None for who is not signed in."""
    return request.user if isinstance(request.user, User) else None
