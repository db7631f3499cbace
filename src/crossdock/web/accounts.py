"""Accounts as this site has them: after signing in people are where they work, and account mails carry the site's name
and address instead of the host that a request came in with.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from crossdock.store.models import Seller, User
from crossdock.web.signin.factor import remember_sign_in


@dataclass(frozen=True, slots=True)
class Site:
    """What allauth's templates read of a site (`current_site`)."""

    name: str
    domain: str


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where no page was asked for (`?next=` wins, and only to this site: allauth sees to both)."""
        user = request.user
        if getattr(user, "is_staff", False):
            return reverse("staff_home")
        if Seller.objects.filter(owner_id=user.pk).exists():
            return reverse("seller_home")
        return settings.LOGIN_REDIRECT_URL

    def post_login(self, request: HttpRequest, user: User, *, signup: bool, **more: Any) -> HttpResponse:
        remember_sign_in(request, user, signed_up=signup)
        answer: HttpResponse = super().post_login(request, user, signup=signup, **more)
        return answer

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        site = Site(settings.SITE_NAME, urlsplit(settings.BASE_URL).netloc)
        ours = {name: _ours(value) if name.endswith("_url") else value for name, value in context.items()}
        super().send_mail(template_prefix, email, {**ours, "current_site": site, "site_url": settings.BASE_URL})


def _ours(url: Any) -> Any:
    """The same page at the public address, whichever host the request named."""
    if not settings.PUBLIC_URL or not isinstance(url, str) or "://" not in url:
        return url
    parts = urlsplit(url)
    return f"{settings.PUBLIC_URL}{parts.path}{f'?{parts.query}' if parts.query else ''}"
