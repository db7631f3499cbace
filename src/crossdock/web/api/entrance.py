"""What stands before and behind every operation: requests that no operation could read are refused, and whatever comes
out is problem+json.

Ninja answers a wrong method in plain text by itself, and text with a NUL character reaches the database's driver,
which raises.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt

from crossdock.web.api.problems import CONTENT_TYPE, answer

View = Callable[..., HttpResponse]


def guarded(view: View) -> View:
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = _refused(request) or view(request, *args, **kwargs)
        if response.status_code == 405 and response["Content-Type"] != CONTENT_TYPE:
            allowed = response["Allow"]
            response = answer("method", f"This address answers to {allowed}.")
            response["Allow"] = allowed
        response["Cache-Control"] = "no-store"
        return response

    return answered


def _refused(request: HttpRequest) -> HttpResponse | None:
    found = unreadable(request)
    return answer(*found) if found else None


def unreadable(request: HttpRequest) -> tuple[Literal["too-large", "invalid"], str] | None:
    """Why no operation could read this request, for every door of programs."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if not length.isdecimal() or int(length) > most:
        return "too-large", f"A request may have {most // 1024 // 1024} MB."
    if "\x00" in unquote(request.get_full_path()):
        return "invalid", "The address has a NUL character in it."
    return None


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    return answer("not-found", "There is no such address in this version of the API.")


def entrance(patterns: list[URLResolver | URLPattern]) -> list[URLResolver | URLPattern]:
    """The same addresses, guarded, and an answer for all others."""
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        pattern.callback = guarded(pattern.callback)
    return [*patterns, re_path("", guarded(nowhere))]
