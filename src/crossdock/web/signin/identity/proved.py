"""What a session proved at the identity provider, and who may not come in without it."""

from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from crossdock.store.models import User

METHOD = "identity"


def proof(request: HttpRequest, user: User, *, oldest: float) -> bool | None:
    """None: nothing was proved there since; otherwise whether the provider says that it asked for two factors."""
    if settings.OIDC is None or not user.identity:
        return None
    found = [
        record
        for record in get_authentication_records(request, user)
        if record.get("method") == METHOD and record.get("identity") == user.identity and record["at"] > oldest
    ]
    return any(record.get("two_factors") is True for record in found) if found else None


def name_there() -> str:
    """What people call the provider; empty while it is off."""
    return settings.OIDC.name if settings.OIDC else ""


def bound_by_it(user: User) -> bool:
    """Whether this member of staff comes in by the provider alone."""
    oidc = settings.OIDC
    return oidc is not None and oidc.only and user.is_staff and user.email.lower() not in oidc.password_for


def way_there(back: str) -> str:
    """`back`: the page to come back to."""
    return f"{reverse('account_identity')}?{urlencode({'next': back})}"


def by_it(request: HttpRequest, user: User) -> bool:
    """Whether this very sign-in came by the provider."""
    records = get_authentication_records(request, user)
    return bool(records) and records[-1].get("method") == METHOD


def stages(request: HttpRequest | None, known: list[str]) -> list[str]:
    """Without the second factor of this house where the provider has just asked for it."""
    asked = request is not None and two_factors_now(request)
    return [stage for stage in known if not (asked and stage.startswith("allauth.mfa."))]


def two_factors_now(request: HttpRequest) -> bool:
    """Set by the page that just believed the provider; a browser cannot."""
    return getattr(request, "two_factors_there", False) is True
