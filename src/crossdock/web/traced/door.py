"""A span for each delivery at the door."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.trace import Span, SpanKind

from crossdock.seeing.spans import Spans, failed, running

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def at_the_door(door: Application) -> Application:
    """The door, each delivery within a span that says from which platform it came and how it was answered."""
    spans = running()

    async def traced(scope: Message, receive: Receive, send: Send) -> None:
        with spans.span("POST /hooks", {}, kind=SpanKind.SERVER) as span:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _said_at_the_door(spans, span, scope["path"], message["status"])
                await send(message)

            await door(scope, receive, answer)

    return traced


def _said_at_the_door(spans: Spans, span: Span, path: str, status: int) -> None:
    parts = path.split("/")
    # Of what is no address of ours nothing is repeated.
    known = status not in (404, 405) and len(parts) > 3
    about = {"crossdock.party": parts[2], "crossdock.platform": parts[3]} if known else {}
    span.set_attributes(spans.said(about | {"http.request.method": "POST"}))
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        failed(span, str(status))
