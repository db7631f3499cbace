"""Accounts as this site has them: after signing in people are where they work, and account mails carry the site's name
and address instead of the host that a request came in with.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import email_changed
from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from crossdock.store.models import User
from crossdock.usecases.accounts.account_log import account_note, sign_in_failed
from crossdock.usecases.accounts.approving import address_moved
from crossdock.usecases.accounts.notices import tell_owner
from crossdock.usecases.accounts.queries import sells
from crossdock.usecases.accounts.tries import Source, begin_try, end_well, sources, wait_in_words
from crossdock.usecases.record.brand import sender, site_name
from crossdock.web.languages.choosing import keep_of
from crossdock.web.signin.device import PROVED, is_known, known_as, place_of, remember
from crossdock.web.signin.factor import remember_sign_in
from crossdock.web.signin.identity.proved import bound_by_it, by_it, name_there, stages

# What allauth calls it: what we do.
_NOTICES = {
    "password_changed": "password",
    "password_set": "password",
    "password_reset": "password",
    "email_changed": "address",
    "totp_activated": "app_on",
    "totp_deactivated": "app_off",
    "webauthn_added": "passkey_on",
    "webauthn_removed": "passkey_off",
    "recovery_codes_generated": "codes",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What allauth's templates read of a site (`current_site`)."""

    name: str
    domain: str


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    _tried: list[Source]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where no page was asked for (`?next=` wins, and only to this site: allauth sees to both)."""
        user = request.user
        if getattr(user, "is_staff", False):
            return reverse("staff_home")
        if sells(user):
            return reverse("seller_home")
        return settings.LOGIN_REDIRECT_URL

    def get_login_stages(self) -> list[str]:
        return stages(self.request, super().get_login_stages())

    def pre_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse | None:
        """Whatever else was right: who of staff comes in by the identity provider alone."""
        if bound_by_it(user) and not by_it(request, user):
            account_note(person=user, action="sign-in refused", how="not by the identity provider", now=timezone.now())
            sentence = f"Staff sign in by {name_there()} here. Your password is right, and opens nothing."
            return render(request, "account/identity.html", {"sentence": sentence}, status=403)
        answer: HttpResponse | None = super().pre_login(request, user, **more)
        return answer

    def post_login(self, request: HttpRequest, user: User, *, signup: bool, **more: Any) -> HttpResponse:
        remember_sign_in(request, user, signed_up=signup)
        answer: HttpResponse = super().post_login(request, user, signup=signup, **more)
        account_note(
            person=user,
            action="signed up" if signup else "signed in",
            now=timezone.now(),
            place=place_of(request),
            how="identity provider" if by_it(request, user) else "",
        )
        if not signup and not is_known(request, user):
            tell_owner(user=user, what="sign_in", place=place_of(request), now=timezone.now())
        remember(request, answer, user)
        keep_of(request, answer, user)
        return answer

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Instead of allauth's count by account, with which a stranger locks anybody out."""
        email = str(credentials.get("email", ""))
        self._tried = sources(email=email, address=get_ip(request), known_as=known_as(request, email))
        seconds = begin_try(self._tried, now=timezone.now())
        if seconds:
            raise ValidationError(
                f"Too many wrong tries from here. Wait {wait_in_words(seconds)}, or set a new password: “Forgot your"
                " password?” works at once."
            )

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email", ""))
        sign_in_failed(email=email, place=place_of(request), tried=self._tried, now=timezone.now())

    def _rollback_login_failed_rl_usage(self) -> None:
        """allauth calls it when the password was right."""
        end_well(self._tried, now=timezone.now())

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """A new password was set through the owner's mailbox: this browser is theirs."""
        request.session[PROVED] = str(credentials.get("email", "")).lower()

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """In our words and through our own outbox, so that a mail server that is away loses none."""
        what, about = _NOTICES.get(template_prefix.rpartition("/")[2]), (context or {}).get("to_email", "")
        if what is None:
            return
        place = place_of(self.request) if self.request else ""
        tell_owner(user=user, what=what, about=about, place=place, to=email or "", now=timezone.now())

    def format_email_subject(self, subject: str) -> str:
        return f"{site_name()}: {subject}"

    def get_from_email(self) -> str:
        return sender()

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        site = Site(site_name(), urlsplit(settings.BASE_URL).netloc)
        ours = {name: _ours(value) if name.endswith("_url") else value for name, value in context.items()}
        # Mails are English, whichever language the page is in that asks for one.
        with override("en"):
            super().send_mail(template_prefix, email, {**ours, "current_site": site, "site_url": settings.BASE_URL})


@receiver(email_changed)
def _moved(sender: object, user: User, **more: object) -> None:
    address_moved(person=user, now=timezone.now())


def _ours(url: Any) -> Any:
    """The same page at the public address, whichever host the request named."""
    if not settings.PUBLIC_URL or not isinstance(url, str) or "://" not in url:
        return url
    parts = urlsplit(url)
    return f"{settings.PUBLIC_URL}{parts.path}{f'?{parts.query}' if parts.query else ''}"
