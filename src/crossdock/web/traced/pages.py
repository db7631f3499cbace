"""A span for each request.

A visitor's own trace headers are not taken over, and static files, pictures and health checks are not told.
"""

from collections.abc import Awaitable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind

from crossdock.logs import ABOUT, REQUEST
from crossdock.seeing import told
from crossdock.seeing.spans import Spans, failed
from crossdock.web.middleware import Around

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOT_TOLD = ("/healthz", "/metrics", "/favicon.ico")


class Traced(Around):
    """Named by the route: addresses hold ids, and some of them secrets."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        quiet = (*_NOT_TOLD, settings.STATIC_URL, settings.MEDIA_URL)
        if not isinstance(told.by, Spans) or request.path_info.startswith(quiet):
            return self.get_response(request)
        span = told.by.begin(_method(request.method), {"crossdock.request": REQUEST.get()}, kind=SpanKind.SERVER)
        token = context.attach(trace.set_span_in_context(span))
        try:
            response = self.get_response(request)
        except BaseException as error:
            failed(span, type(error).__name__)
            span.end()
            raise
        finally:
            # A task of its own keeps it until its answer is there.
            context.detach(token)
        if isinstance(response, HttpResponseBase):
            return _over(told.by, span, request, response)
        return self._answered(told.by, span, request, response)

    async def _answered(
        self, spans: Spans, span: Span, request: HttpRequest, response: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        token = context.attach(trace.set_span_in_context(span))
        try:
            return _over(spans, span, request, await response)
        except BaseException as error:
            failed(span, type(error).__name__)
            span.end()
            raise
        finally:
            context.detach(token)


def _method(given: str | None) -> str:
    """Whoever asks could invent names without end."""
    return given if given in _METHODS else "OTHER"


def _over(spans: Spans, span: Span, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    method, match = _method(request.method), request.resolver_match
    route = f"/{match.route}" if match else ""
    span.update_name(f"{method} {route}" if route else method)
    # What was not shown, but refused or sent to the sign-in, is whatever its visitor typed.
    order = ABOUT.get() if "orders/<" in route and response.status_code < 300 else ""
    about = {"http.request.method": method, "http.route": route, "crossdock.order": order}
    span.set_attributes(spans.said(about | {"http.response.status_code": response.status_code}))
    if response.status_code >= 500:
        failed(span, str(response.status_code))
    span.end()
    return response
