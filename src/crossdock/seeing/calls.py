"""A span for each call that the transport makes: its method, whom it is for, the status. Neither address nor body, and
nothing of a trace is sent along: what a shop has to know of us is in its platform's documentation.
"""

from types import SimpleNamespace
from typing import Any

import aiohttp
from opentelemetry.trace import SpanKind

from crossdock.seeing.spans import PARTY, Spans, failed


def watch(spans: Spans) -> aiohttp.TraceConfig:
    """From when it is our turn until the answer's headers are here."""

    async def begin(_: aiohttp.ClientSession, call: SimpleNamespace, about: aiohttp.TraceRequestStartParams) -> None:
        # The transport's name of the party that is called: shop:12.
        called = str(call.trace_request_ctx or "")
        said = {"http.request.method": about.method, "crossdock.called": called, "crossdock.platform": PARTY.get()}
        call.span = spans.begin(f"call {about.method}", said, kind=SpanKind.CLIENT)

    async def end(_: aiohttp.ClientSession, call: SimpleNamespace, about: aiohttp.TraceRequestEndParams) -> None:
        status = about.response.status
        call.span.set_attribute("http.response.status_code", status)
        if status >= 400:
            failed(call.span, str(status))
        call.span.end()

    async def broken(_: aiohttp.ClientSession, call: SimpleNamespace, about: Any) -> None:
        failed(call.span, type(about.exception).__name__)
        call.span.end()

    watching = aiohttp.TraceConfig()
    watching.on_request_start.append(begin)
    watching.on_request_end.append(end)
    watching.on_request_exception.append(broken)
    return watching
