"""“Sign-in and security”: what guards the account, and where it is signed in, with the buttons that end that."""

from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from crossdock.usecases.accounts.account_log import account_note
from crossdock.usecases.accounts.queries import addresses_of, factors_of, living_sessions_of, sessions_of
from crossdock.usecases.accounts.sessions import end_sessions_of, forget_sessions, keep_session
from crossdock.web.people import signed_in
from crossdock.web.signin.again import fresh
from crossdock.web.signin.device import browser_of
from crossdock.web.signin.factor import passkeys_work


@never_cache
@login_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    mine = list(factors_of(user))
    codes = next((row for row in mine if row.type == Authenticator.Type.RECOVERY_CODES), None)
    here = request.session.session_key
    sessions = living_sessions_of(user)
    sessions.sort(key=lambda row: (row.session_key != here, -row.created_at.timestamp()))
    context = {
        "address": addresses_of(user).filter(primary=True).first(),
        "app": next((row for row in mine if row.type == Authenticator.Type.TOTP), None),
        "passkeys": [row for row in mine if row.type == Authenticator.Type.WEBAUTHN],
        "passkeys_work": passkeys_work(request),
        "codes": codes,
        # From the mask alone: the codes are not opened to count them.
        "codes_left": mfa_settings.RECOVERY_CODE_COUNT - codes.data["used_mask"].bit_count() if codes else 0,
        "sessions": [(row, browser_of(row.user_agent), row.session_key == here) for row in sessions],
        "must": user.is_staff and settings.STAFF_SECOND_FACTOR,
    }
    return render(request, "account/security.html", context)


@login_required
@fresh
@require_POST
def end_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Ended by somebody else meanwhile is ended too."""
    row = sessions_of(signed_in(request)).filter(pk=pk).first()
    if row is not None and row.session_key == request.session.session_key:
        messages.info(request, "That is this browser. Press “Sign out” instead.")
        return redirect("account_security")
    if row is not None:
        row.end()
        account_note(person=signed_in(request), action="ended a session", now=timezone.now())
    messages.success(request, "That browser is signed out.")
    return redirect("account_security")


@login_required
@fresh
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    end_sessions_of(user=user, actor=user, now=timezone.now())
    forget_sessions(user)
    update_session_auth_hash(request, user)
    keep_session(request)
    messages.success(request, "Every other browser is signed out.")
    return redirect("account_security")
