"""A person who may not come in any more, and the end of all ways in that they hold: by the operator alone, on the
server's command line.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from crossdock.store.models import ApiToken, Endpoint, Party, User
from crossdock.usecases.accounts.sessions import end_sessions_of
from crossdock.usecases.accounts.tokens import revoke_token_of
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail


def end_access(*, email: str, now: datetime) -> int:
    """Every session, and every token that they made or that reaches their shop's things: how many tokens. Raises
    Invalid when nobody has this address.
    """
    with transaction.atomic():
        user = _named(email)
        end_sessions_of(user=user, actor=None, now=now)
        tokens = list(ApiToken.objects.filter(Q(made_by=user) | Q(seller__owner=user), revoked_at=None))
        for token in tokens:
            revoke_token_of(token=token, now=now)
    return len(tokens)


def suspend(*, email: str, why: str, now: datetime) -> int:
    """They cannot sign in, and nothing that they held opens anything; they are written why. What they ordered or sold
    goes on. How many tokens ended. Raises Invalid.
    """
    if not why.strip():
        raise Invalid("Say why: the person reads it.")
    with transaction.atomic():
        user = _named(email)
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            raise Invalid(f"{user.email} is suspended already.")
        note(
            actor=None,
            action="suspended",
            subject=f"account {user.pk}",
            now=now,
            detail={"why": why.strip()},
            person=user,
        )
        ended = end_access(email=user.email, now=now)
        receivers = Endpoint.objects.filter(seller__owner=user, deleted_at=None, paused_at=None)
        Party.objects.filter(pk__in=receivers.values("party_id")).update(stopped=True)
        receivers.update(paused_at=now, paused_why="Paused by the marketplace: the account was suspended.")
        write_mail(
            cause=f"suspended:{user.pk}:{now.isoformat(timespec='seconds')}",
            to=user.email,
            now=now,
            subject="Your account is suspended",
            body=(
                f"You cannot sign in for now: {why.strip()} Orders that were placed go on. Answer this mail if you"
                " think that this is a mistake."
            ),
        )
    return ended


def restore(*, email: str, now: datetime) -> None:
    """They can sign in again; tokens stay ended. Raises Invalid."""
    with transaction.atomic():
        user = _named(email)
        if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            raise Invalid(f"{user.email} is not suspended.")
        note(actor=None, action="restored", subject=f"account {user.pk}", now=now, person=user)


def _named(email: str) -> User:
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise Invalid(f"Nobody signs in as {email.strip()}.")
    return user
