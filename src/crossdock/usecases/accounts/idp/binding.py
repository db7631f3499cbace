"""Who of staff somebody is whom the identity provider knows: found by what they are bound to, and bound once, by a
proved address, to an account that is staff already. None is ever made.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from crossdock.store.models import AuditTopic, User
from crossdock.usecases.accounts.account_log import account_note, failed_note
from crossdock.usecases.accounts.sessions import end_all_sessions
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import is_staff

_ELSEWHERE = "This account belongs to somebody else there. Ask the operator of this marketplace to look at it."


def who_is(*, identity: str, email: str, place: str, now: datetime) -> User:
    """`identity` is the issuer, a space and its name for them; `email` is proved, or empty. Raises NotAllowed with what
    to do.
    """
    bound = User.objects.filter(identity=identity).first()
    if bound is not None:
        return _staff(bound)
    if not email:
        raise NotAllowed("Your company did not say that your e-mail address is confirmed. Ask whoever runs it there.")
    found = User.objects.filter(email__iexact=email).first()
    if found is None:
        raise NotAllowed("Nobody works here under your address. An operator of this marketplace has to add you first.")
    _staff(found)
    try:
        with transaction.atomic():
            row = User.objects.select_for_update(no_key=True).get(pk=found.pk)
            if row.identity == identity:
                return row
            if row.identity:
                raise NotAllowed(_ELSEWHERE)
            row.identity = identity
            row.save(update_fields=["identity"])
            account_note(person=row, action="bound to the identity provider", now=now, place=place)
    except IntegrityError:
        raise NotAllowed(_ELSEWHERE) from None
    return row


def _staff(person: User) -> User:
    if not is_staff(person):
        raise NotAllowed("This way in is for staff. Sign in with your address and your password.")
    if not person.is_active:
        raise NotAllowed("This account is suspended.")
    return person


def refused(*, why: str, place: str, now: datetime, identity: str = "") -> None:
    """For the audit log: a sign-in by the provider that came to nothing; whose, where it is known."""
    person = User.objects.filter(identity=identity).first() if identity else None
    failed_note(person=person, place=place, now=now, how="identity provider", why=why[:200])


def unbind(*, email: str, now: datetime) -> None:
    """By the operator: the next sign-in by the provider with this address binds anew. Ends their sessions. Raises
    Invalid.
    """
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).filter(email__iexact=email.strip()).first()
        if row is None:
            raise Invalid(f"Nobody signs in as {email.strip()}.")
        if not row.identity:
            raise Invalid(f"{row.email} is not bound to the identity provider.")
        row.identity = ""
        row.save(update_fields=["identity"])
        subject = f"account {row.pk}"
        action = "unbound from the identity provider"
        note(actor=None, person=row, action=action, subject=subject, now=now, topic=AuditTopic.ACCOUNT)
        end_all_sessions(email=row.email, now=now)
