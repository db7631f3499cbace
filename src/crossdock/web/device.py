"""A random name for a browser, kept in a cookie for a year and used for nothing but the risk analysis: it says that
two orders came from one device.
"""

import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

COOKIE = "device"
_YEAR = 365 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")


def device_of(request: HttpRequest) -> str:
    """Empty for a browser that did not keep the cookie: nothing is known then."""
    found = request.COOKIES.get(COOKIE, "")
    return found if _NAME.fullmatch(found) else ""


def with_device(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Gives the cookie on the pages before the payment, and nowhere else."""

    def named(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not device_of(request) and hasattr(response, "set_cookie"):
            response.set_cookie(
                COOKIE,
                secrets.token_urlsafe(16),
                max_age=_YEAR,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response

    return named
