"""What people and programs get while the database is gone or takes nothing: 503 with the time to come back, at once."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error

RETRY_SECONDS = 5
AWAY = (OperationalError, InterfaceError)


@requires_csrf_token
def broken(request: HttpRequest) -> HttpResponse:
    """The page for what a view raised: a database that is away is no mistake of ours, and it comes back."""
    if not isinstance(sys.exc_info()[1], AWAY):
        return server_error(request)
    response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
