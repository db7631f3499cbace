"""Who is staff, and in which roles. Decided on the server's own command line, never on a page: a stolen session cannot
make another one.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.roles import Right, Role, roles_with
from crossdock.store.models import ApiToken, User
from crossdock.usecases.accounts.sessions import end_sessions_of
from crossdock.usecases.accounts.tokens import revoke_token_of
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import roles_of


def staff_people() -> QuerySet[User]:
    return User.objects.filter(is_staff=True).order_by("email")


def no_admin() -> bool:
    return not any(Role.ADMIN in roles_of(person) for person in staff_people())


def set_roles(*, email: str, give: Iterable[str] = (), take: Iterable[str] = (), now: datetime) -> tuple[Role, ...]:
    """The roles they have afterwards. With none named the first of all staff becomes admin. Taking one away ends their
    sessions, and with those what they proved and as whom they act; tokens of the marketplace go when they may make none
    any more. Raises Invalid when nobody signs in with this address, or no role is named or known.
    """
    given, taken = set(give), set(take)
    unknown = (given | taken) - set(Role)
    if unknown:
        raise Invalid(f"There is no role {sorted(unknown)[0]}. The roles are {', '.join(Role)}.")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(email__iexact=email.strip()).first()
        if user is None:
            raise Invalid(f"Nobody signs in as {email.strip()}. They sign up on the site first.")
        before = roles_of(user)
        if not given and not taken and not before:
            if not no_admin():
                raise Invalid(f"Name a role: --role {', --role '.join(Role)}. `crossdock staff` shows who has which.")
            given = {Role.ADMIN}
        after = tuple(role for role in Role if role in (set(before) | given) - taken)
        if after == before and user.is_staff == bool(after):
            return after
        user.roles, user.is_staff = " ".join(after), bool(after)
        user.is_superuser = user.is_superuser and Role.ADMIN in after
        user.save(update_fields=["roles", "is_staff", "is_superuser"])
        detail = {"roles": " ".join(after) or "none", "before": " ".join(before) or "none"}
        note(actor=None, action=_deed(before, after), subject=f"account {user.pk}", now=now, detail=detail, person=user)
        if set(before) - set(after):
            end_sessions_of(user=user, actor=None, now=now)
            if not set(after) & set(roles_with(Right.TOKENS)):
                for token in ApiToken.objects.filter(made_by=user, seller=None, revoked_at=None):
                    revoke_token_of(token=token, now=now)
    return after


def _deed(before: tuple[Role, ...], after: tuple[Role, ...]) -> str:
    if not before:
        return "made staff"
    return "roles changed" if after else "no staff any more"
