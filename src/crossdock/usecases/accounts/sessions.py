"""Ending a person's sessions: all of them at once, also those that no list knows."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest

from crossdock.store.models import AuditTopic, User
from crossdock.usecases.accounts.notices import tell_owner
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note


def end_sessions_of(*, user: User, actor: User | None, now: datetime) -> None:
    """Every session is bound to the person's round; the next round ends them. The caller's own goes on when it is
    bound to the new one.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        locked.session_round += 1
        locked.save(update_fields=["session_round"])
        user.session_round = locked.session_round
        note(
            actor=actor,
            action="ended all sessions",
            subject=f"account {user.pk}",
            now=now,
            topic=AuditTopic.ACCOUNT,
            person=user,
        )


def end_all_sessions(*, email: str, now: datetime) -> None:
    """By the operator, on the server's command line. Raises Invalid when nobody has this address."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise Invalid(f"Nobody signs in as {email.strip()}.")
    end_sessions_of(user=user, actor=None, now=now)


def remove_second_factor(*, email: str, now: datetime) -> None:
    """By the operator alone, on the server's command line. Raises Invalid when there is nothing to remove."""
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise Invalid(f"Nobody signs in as {email.strip()}.")
        removed, _ = Authenticator.objects.filter(user=user).delete()
        if not removed:
            raise Invalid(f"{user.email} has no second factor.")
        note(
            actor=None,
            action="removed second factor",
            subject=f"account {user.pk}",
            now=now,
            topic=AuditTopic.ACCOUNT,
            person=user,
        )
        end_sessions_of(user=user, actor=None, now=now)
        tell_owner(user=user, what="factor_off", now=now)


def forget_sessions(user: User) -> None:
    """They are ended already; the list of them goes."""
    UserSession.objects.filter(user=user).delete()


def keep_session(request: HttpRequest) -> None:
    """The browser that asks stands in the list of those that are signed in."""
    UserSession.objects.create_from_request(request)


def rename_session(before: str, now: str) -> None:
    UserSession.objects.filter(session_key=before).update(session_key=now)
