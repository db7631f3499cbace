"""An id for each request, whom to believe about the client's address, no blank page, personal pages that nobody keeps,
a Content-Security-Policy without any inline script or style, and the static files.

All of them pass sync and async requests through unchanged, so they cost no thread switch.
"""

import contextlib
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response

from crossdock.logs import ABOUT, REQUEST

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
_Response = TypeVar("_Response", bound=HttpResponseBase)
# Whether anything says that a proxy brought the request.
PASSED_ON = "crossdock.passed_on"
_ORDER = re.compile(r"/orders/([\w-]{1,60})")
_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
)


class Around:
    """Calls `before` and `after` around the view, in either world."""

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        self.before(request)
        response = self.get_response(request)
        return (
            self.after(request, response) if isinstance(response, HttpResponseBase) else self._later(request, response)
        )

    async def _later(self, request: HttpRequest, response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return self.after(request, await response)

    def before(self, request: HttpRequest) -> None:
        """Look at the request first."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response


class RequestIds(Around):
    """Each request has an id of its own, told in a header and in the log lines written for it, so that a person who
    reports an error names the lines. What a visitor sends as one is not taken over.
    """

    def before(self, request: HttpRequest) -> None:
        request.META["crossdock.request"] = number = secrets.token_hex(8)
        REQUEST.set(number)
        about = _ORDER.search(request.path_info)
        ABOUT.set(about[1] if about else "")

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response["X-Request-ID"] = request.META["crossdock.request"]
        return response


class TrustedProxies(Around):
    """Believes X-Forwarded-For and -Proto only from TRUSTED_PROXIES; from everybody else the headers are removed
    before anyone reads them.
    """

    def before(self, request: HttpRequest) -> None:
        meta = request.META
        chain = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        scheme = meta.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
        # Whoever answers this machine alone asks for it.
        meta[PASSED_ON] = any(name in meta for name in _FORWARDED)
        for name in _FORWARDED:
            meta.pop(name, None)
        if not _trusted(_address(meta.get("REMOTE_ADDR", ""))):
            return
        if scheme in ("http", "https"):
            meta["HTTP_X_FORWARDED_PROTO"] = scheme
        # From the right: the first address that is not one of our proxies is the client; what stands further left is
        # hearsay.
        for part in reversed(chain):
            address = _address(part)
            if address is None:
                return
            meta["REMOTE_ADDR"] = str(address)
            if not _trusted(address):
                return


class NoBlankPages(Around):
    """An address that only takes a button's press is opened by a person who was signed out in between, or by "back":
    they read so.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            response.content = render_to_string("405.html")
            if response.has_header("Content-Length"):
                # It was measured while there was nothing; a real server would refuse to send more.
                response["Content-Length"] = str(len(response.content))
        return response


class PersonalPages(Around):
    """What was answered to somebody signed in is kept by no browser and no proxy: after signing out, "back" shows
    nothing. What was answered with a visitor's cart is kept by the visitor's browser alone. A view that set
    Cache-Control knows better. The API's answers and the panels' set it themselves.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        session = request.session
        if session.accessed and not session.is_empty() and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store" if SESSION_KEY in session else "private"
        return response


class ContentSecurityPolicy(Around):
    """Sets the header unless the view did. A view widens single directives with `allow`."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = policy(getattr(response, "csp_also", {}))
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        return response


def policy(also: dict[str, tuple[str, ...]]) -> str:
    """The header's value.

    Pictures may come from any https address, since shops host their own; forms post to us alone.
    """
    directives: dict[str, tuple[str, ...]] = {
        "default-src": ("'none'",),
        "script-src": ("'self'",),
        "style-src": ("'self'",),
        "font-src": ("'self'",),
        "connect-src": ("'self'",),
        "img-src": (
            "'self'",
            "data:",
            "https:",
            *(("http://127.0.0.1:*", "http://localhost:*") if settings.CSP_LOCAL_IMAGES else ()),
        ),
        "form-action": ("'self'",),
        "frame-ancestors": ("'none'",),
        "base-uri": ("'none'",),
        "manifest-src": ("'self'",),
    }
    directives |= {name: () for name in also if name not in directives}
    return "; ".join(f"{name} {' '.join((*sources, *also.get(name, ())))}" for name, sources in directives.items())


def allow(response: _Response, **also: Iterable[str]) -> _Response:
    """Widen this response's policy: `allow(response, form_action=["https:"])`.

    A page whose form ends in a redirect to a shop needs that: Chromium applies form-action to the redirect too.
    """
    widened = {name.replace("_", "-"): tuple(sources) for name, sources in also.items()}
    response.csp_also = {**getattr(response, "csp_also", {}), **widened}  # type: ignore[attr-defined]
    return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise for both worlds: it is made for WSGI, and its file responses make Django complain under ASGI.

    Ours are small and answered whole.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        found = self.files.get(request.path_info)
        if found is None:
            answer: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
            return answer
        response = _whole(found.get_response(request.method, request.META))
        return _soon(response) if iscoroutinefunction(self) else response


def _whole(answer: Response) -> HttpResponse:
    with answer.file or contextlib.nullcontext() as file:
        response = HttpResponse(file.read() if file else b"", status=int(answer.status))
    del response["Content-Type"]
    for name, value in answer.headers:
        response[name] = value
    return response


async def _soon(response: HttpResponseBase) -> HttpResponseBase:
    return response


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


def _trusted(address: IPv4Address | IPv6Address | None) -> bool:
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)
