"""Who sends what a thief would send first proves again who they are: `@fresh` on the view.

The form that was sent is neither lost nor kept by us. It comes back in the page as hidden fields and goes on its way,
through every guard once more, with the password or a code beside it. (allauth would keep it in the session, where the
credentials of a shop would lie in plain text, and would resume it past the middleware.)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, overload

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, reauthenticate_by_password
from allauth.account.signals import authentication_step_completed
from allauth.core.internal import ratelimit
from allauth.mfa.base.forms import ReauthenticateForm
from allauth.mfa.signals import authentication_failed
from django import forms
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from crossdock.store.models import User
from crossdock.usecases.accounts.account_log import second_factor_failed
from crossdock.usecases.accounts.queries import codes_of, passkeys_of
from crossdock.usecases.accounts.sessions import rename_session
from crossdock.web.middleware import allow
from crossdock.web.signin.device import place_of
from crossdock.web.signin.identity.proved import way_there

View = Callable[..., HttpResponseBase]
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
PASSWORD, CODE = "again_password", "again_code"
_NOT_CARRIED = ("csrfmiddlewaretoken",)


class AgainForm(forms.Form):
    """The fields that this person can fill in: a password, a code, or either of them."""

    again_password = forms.CharField(
        label="Your password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    again_code = forms.CharField(
        label="Code of your authenticator app, or a recovery code",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, data: dict[str, str] | None, *, user: User) -> None:
        super().__init__(data)
        codes = codes_of(user).exists()
        if not user.has_usable_password():
            del self.fields[PASSWORD]
        if not codes:
            del self.fields[CODE]
        for field in self.fields.values():
            field.perhaps = True  # type: ignore[attr-defined]


@overload
def fresh(view: View) -> View: ...
@overload
def fresh(*, form_action: Callable[[], tuple[str, ...]]) -> Callable[[View], View]: ...
def fresh(
    view: View | None = None, *, form_action: Callable[[], tuple[str, ...]] = tuple
) -> View | Callable[[View], View]:
    """Reading needs nothing; nobody who is signed out is asked, since the view sends them away itself.

    `form_action`: where the view's own answer sends the browser, which browsers ask of the page before it.
    """
    if view is None:
        return lambda view: _guard(view, form_action)
    return _guard(view, form_action)


def _guard(view: View, form_action: Callable[[], tuple[str, ...]]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if request.method not in SAFE and isinstance(user, User):
            answer = _asked(request, user)
            if answer is not None:
                return allow(answer, form_action=form_action())
        return view(request, *args, **kwargs)

    guarded.asks_again = True  # type: ignore[attr-defined]
    return guarded


def _asked(request: HttpRequest, user: User) -> HttpResponse | None:
    """None: it is them, go on."""
    posted = request.POST.copy()
    given = {name: str(posted.pop(name, [""])[-1]) for name in (PASSWORD, CODE)}
    # No view sees them, and nothing that keeps what was posted keeps them.
    request.POST = posted  # type: ignore[assignment]
    if did_recently_reauthenticate(request):
        return None
    form = AgainForm(given if any(given.values()) else None, user=user)
    if form.is_valid():
        wrong = _wrong(request, user, form)
        if not wrong:
            return None
        form.add_error(None, wrong)
    for name in _NOT_CARRIED:
        posted.pop(name, None)
    carried = [(name, value) for name, values in posted.lists() for value in values]
    context = {
        "form": form,
        "carried": carried,
        "files": bool(request.FILES),
        "action": request.get_full_path(),
        "identity_url": way_there("/accounts/2fa/") if settings.OIDC and user.identity else "",
        "passkey": passkeys_of(user).exists(),
    }
    response = render(request, "account/again.html", context, status=403)
    add_never_cache_headers(response)
    return response


@receiver(authentication_step_completed)
def _renew(sender: object, request: HttpRequest, reauthenticated: bool = False, **more: object) -> None:
    """The session goes on under a new name: a copy of the old one opens nothing of what was just proved."""
    before = request.session.session_key
    if reauthenticated and before:
        request.session.cycle_key()
        rename_session(before, request.session.session_key or "")


@receiver(authentication_failed)
def _wrong_code(sender: object, request: HttpRequest, user: User, **more: object) -> None:
    second_factor_failed(person=user, place=place_of(request), now=timezone.now())


def _wrong(request: HttpRequest, user: User, form: AgainForm) -> str:
    """Why it is not them; empty when it is, and the session knows it then."""
    if not ratelimit.consume(request, app="allauth.account", action="reauthenticate", user=user):
        return "That was tried too often. Wait a minute, then press the button again."
    password, code = form.cleaned_data.get(PASSWORD), form.cleaned_data.get(CODE)
    try:
        if password:
            if not get_adapter(request).reauthenticate(user, password):
                return "That is not your password."
            reauthenticate_by_password(request)
            return ""
    except forms.ValidationError as error:
        return " ".join(error.messages)
    second = ReauthenticateForm({"code": code}, user=user)
    if not second.is_valid():
        return " ".join(str(said) for errors in second.errors.values() for said in errors)
    second.save()
    return ""
