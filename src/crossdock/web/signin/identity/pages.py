"""There and back: to the identity provider with a question of one use, and its answer (the code flow with PKCE)."""

import hashlib
import logging
import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crossdock.identity import Oidc
from crossdock.store.models import User
from crossdock.usecases.accounts.idp.binding import refused, who_is
from crossdock.usecases.errors import NotAllowed
from crossdock.web.signin.device import place_of
from crossdock.web.signin.identity.proved import METHOD
from crossdock.web.signin.identity.provider import Provider, ProviderTrouble, provider_of
from crossdock.web.signin.identity.tokens import Claims, WrongToken, believed

_log = logging.getLogger(__name__)
KEY = "identity_begun"
# Several tabs may be under way; a sign-in takes minutes at most.
MOST_BEGUN, SECONDS = 5, 600
_NOT_HERE = "This sign-in was not begun in this browser, or longer than ten minutes ago. Begin again."


def _oidc() -> Oidc:
    if settings.OIDC is None:
        raise Http404
    found: Oidc = settings.OIDC
    return found


@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponseBase:
    """Somebody who is signed in proves anew who they are."""
    provider = provider_of(_oidc())
    if not ratelimit.consume(request, app="allauth.account", action="login"):
        return _said(request, "That was tried too often. Wait a minute, then begin again.", 429)
    try:
        there = provider.endpoints().authorize
    except ProviderTrouble as trouble:
        return _away(request, trouble)
    again = request.user.is_authenticated
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    begun = {"nonce": nonce, "verifier": verifier, "again": again, "next": _next(request), "at": time.time()}
    kept = {**_begun(request), state: begun}
    request.session[KEY] = dict(sorted(kept.items(), key=lambda pair: pair[1]["at"])[-MOST_BEGUN:])
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    question = {
        "response_type": "code",
        "client_id": provider.oidc.client_id,
        "redirect_uri": _back(),
        "scope": "openid email",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if again:
        question |= {"prompt": "login", "max_age": "0"}
    return redirect(f"{there}{'&' if '?' in there else '?'}{urlencode(question)}")


def _begun(request: HttpRequest) -> dict[str, dict[str, Any]]:
    now = time.time()
    return {state: one for state, one in request.session.get(KEY, {}).items() if now - one["at"] < SECONDS}


def _back() -> str:
    return f"{settings.BASE_URL}{reverse('account_identity_back')}"


def _next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    here = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if here else ""


@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponseBase:
    """The browser comes back. Each question is good once."""
    provider = provider_of(_oidc())
    begun = _begun(request)
    mine = begun.pop(request.GET.get("state", ""), None)
    request.session[KEY] = begun
    if mine is None:
        return _said(request, _NOT_HERE)
    try:
        claims = _answer(request, provider, mine)
    except ProviderTrouble as trouble:
        return _away(request, trouble)
    except WrongToken as wrong:
        _log.warning("a sign-in by the identity provider was not believed: %s", wrong)
        refused(why=str(wrong), place=place_of(request), now=timezone.now())
        return _said(request, "What came back from there cannot be believed, so nobody was signed in. Begin again.")
    except NotAllowed as no:
        refused(why=str(no), place=place_of(request), now=timezone.now())
        return _said(request, str(no))
    if mine["again"]:
        return _proved(request, claims, mine["next"])
    return _signed_in(request, claims, mine["next"])


def _answer(request: HttpRequest, provider: Provider, mine: dict[str, Any]) -> Claims:
    if request.GET.get("iss", provider.oidc.issuer) != provider.oidc.issuer:
        # Another provider's answer to our question (RFC 9207).
        raise WrongToken("it is another provider's answer")
    code, error = request.GET.get("code", ""), request.GET.get("error", "")
    if error or not code:
        said = f" ({error})" if error.replace("_", "").isalnum() and len(error) <= 40 else ""
        raise NotAllowed(f"You were not signed in at {provider.oidc.name}{said}. Begin again, or ask whoever runs it.")
    token = provider.redeem(code=code, verifier=mine["verifier"], back=_back())
    return believed(token, provider=provider, nonce=mine["nonce"], again=mine["again"])


def _signed_in(request: HttpRequest, claims: Claims, then: str) -> HttpResponseBase:
    place, now = place_of(request), timezone.now()
    try:
        person = who_is(identity=claims.identity, email=claims.email, place=place, now=now)
    except NotAllowed as no:
        refused(why=str(no), place=place, now=now, identity=claims.identity)
        return _said(request, str(no))
    if request.user.is_authenticated and request.user != person:
        logout(request)
    request.two_factors_there = claims.two_factors  # type: ignore[attr-defined]
    _record(request, person, claims)
    # Whose address it is the provider has said; no letter of ours has to.
    answer: HttpResponse = perform_login(request, person, email_verification="none", redirect_url=then or None)
    return answer


def _proved(request: HttpRequest, claims: Claims, then: str) -> HttpResponseBase:
    """Who proves it anew is who is signed in, and nobody else; one who never came this way is bound now."""
    person, place, now = request.user, place_of(request), timezone.now()
    if not isinstance(person, User):
        return _said(request, _NOT_HERE)
    try:
        if who_is(identity=claims.identity, email=claims.email, place=place, now=now) != person:
            raise NotAllowed("You are somebody else there than here. Sign out here, then sign in again.")
    except NotAllowed as no:
        refused(why=str(no), place=place, now=now, identity=claims.identity)
        return _said(request, str(no))
    person.identity = claims.identity
    _record(request, person, claims, reauthenticated=True)
    messages.success(request, "It is you. Go back to the other tab and press “Go on”, if you came from one.")
    return redirect(then or "account_security")


def _record(request: HttpRequest, person: User, claims: Claims, **more: bool) -> None:
    record_authentication(request, person, METHOD, identity=claims.identity, two_factors=claims.two_factors, **more)


def _away(request: HttpRequest, trouble: ProviderTrouble) -> HttpResponse:
    """Told to the operator; the person reads that it is not them."""
    _log.error("the identity provider: %s", trouble)
    name = _oidc().name
    return _said(
        request, f"The sign-in of {name} does not work now; the operator sees why. Try again in a minute.", 502
    )


def _said(request: HttpRequest, sentence: str, status: int = 403) -> HttpResponse:
    return render(request, "account/identity.html", {"sentence": sentence}, status=status)
