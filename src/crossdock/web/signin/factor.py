"""The second factor: who has to have one, what its secrets look like at rest, and the words of its forms.

allauth does the work; its secrets lie under the vault's keys, as the shops' credentials do.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm as _AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as _ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from crossdock.store.models import User
from crossdock.store.vault import VaultLocked, seal, unseal
from crossdock.usecases.accounts.queries import addresses_of, factors_of
from crossdock.usecases.record.brand import site_name
from crossdock.web.signin.identity.proved import bound_by_it, proof, way_there

# So long a member of staff works before the second factor is asked for again.
STAFF_AGAIN = timedelta(hours=12)
View = Callable[..., HttpResponseBase]
_LOCKED = (
    "Your second factor was kept with a key that this marketplace no longer has. Ask its operator to remove it, then"
    " set up a new one."
)
_NUMERIC = {"autocomplete": "one-time-code", "inputmode": "numeric", "placeholder": ""}


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What allauth leaves to the house."""

    def encrypt(self, text: str) -> str:
        return seal({"secret": text}).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """A key that is gone is a sentence on the form."""
        try:
            return unseal(encrypted_text.encode("ascii"))["secret"]
        except VaultLocked:
            raise forms.ValidationError(_LOCKED) from None

    def _get_site_name(self) -> str:
        return site_name()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """A passkey belongs to the public name, whichever host the request named."""
        host = urlsplit(settings.PUBLIC_URL).hostname or context.request.get_host().partition(":")[0]
        return {"id": host, "name": site_name()}


class AuthenticateForm(_AuthenticateForm):  # type: ignore[misc]
    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(attrs={**_NUMERIC, "autofocus": True}),
        help_text="The six digits that your authenticator app shows now, or one of your recovery codes.",
    )


class ReauthenticateForm(_ReauthenticateForm):  # type: ignore[misc]
    code = AuthenticateForm.base_fields["code"]


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc]
    """allauth keeps the secret in the session until the first code proves it; here it is encrypted there too."""

    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(attrs=_NUMERIC),
        help_text="The six digits that the app shows.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret: str
        secret = self.secret
        # One that was made just now is still plain.
        with contextlib.suppress(VaultLocked):
            secret = unseal(secret.encode("ascii"))["secret"]
        self.secret = secret
        context.request.session[SECRET_SESSION_KEY] = Adapter().encrypt(self.secret)


def passkeys_work(request: HttpRequest) -> bool:
    """Browsers offer them to https pages and to `localhost`, never to an address made of numbers."""
    host = request.get_host().partition(":")[0]
    return host == "localhost" or (request.is_secure() and not host.replace(".", "").isdigit() and "[" not in host)


def _confirmed(user: User) -> bool:
    """Where letters are not sent nobody can confirm one, and nobody is asked to."""
    if settings.ACCOUNT_EMAIL_VERIFICATION == "none":
        return True
    return bool(addresses_of(user).filter(email__iexact=user.email, verified=True).exists())


def _mine(request: HttpRequest) -> set[Authenticator]:
    if request.method != "POST" or not isinstance(request.user, User):
        return set()
    rows = factors_of(request.user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return set(rows.select_related("user"))


def setting_up(view: View) -> View:
    """Who set one up has just used it. Nobody does for an address that is not proved to be theirs: its real owner
    could never get the account back.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and not _confirmed(user):
            messages.error(request, "Confirm your e-mail address first: follow the link in the letter we sent you.")
            return redirect("account_email")
        before = _mine(request)
        response = view(request, *args, **kwargs)
        for row in _mine(request) - before:
            record_authentication(request, row.user, "mfa", id=row.pk, type=row.type, reauthenticated=True)
        return response

    return guarded


def owed(request: HttpRequest) -> str:
    """Where a member of staff has to go first: to the identity provider, to set up a second factor, or to use it.
    Empty when nothing is owed.
    """
    user = request.user
    if not isinstance(user, User):
        return ""
    oldest = time.time() - STAFF_AGAIN.total_seconds()
    there = proof(request, user, oldest=oldest)
    back = request.get_full_path() if request.method == "GET" else reverse("staff_home")
    if there is None and bound_by_it(user):
        return way_there(back)
    if there or not settings.STAFF_SECOND_FACTOR:
        return ""
    mine = dict(factors_of(user).values_list("pk", "type"))
    for record in get_authentication_records(request, user):
        if record.get("method") == "mfa" and record.get("id") in mine and record["at"] > oldest:
            return ""
    kinds = set(mine.values())
    if not kinds & {Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN}:
        messages.info(request, "Staff need a second factor. Set one up here; the staff pages open then.")
        return reverse("mfa_index")
    page = "mfa_reauthenticate" if Authenticator.Type.TOTP in kinds else "mfa_reauthenticate_webauthn"
    return f"{reverse(page)}?{urlencode({'next': back})}"


def with_second_factor(view: View) -> View:
    """For pages of staff that are not ours to write (the admin's)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        first = owed(request)
        return redirect(first) if first else view(request, *args, **kwargs)

    return guarded


def remember_sign_in(request: HttpRequest, user: User, *, signed_up: bool) -> None:
    """Who signed in a moment ago typed all that proving it again would ask for."""
    records = get_authentication_records(request, user)
    last = {**records[-1]} if records else {"method": "password"} if signed_up else {}
    last.pop("at", None)
    if last:
        record_authentication(request, user, last.pop("method"), **{**last, "reauthenticated": True})
