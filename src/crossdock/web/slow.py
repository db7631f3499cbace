"""uvicorn's HTTP protocol with time-outs of our own: it waits for ever for a request that is never finished, and for a
client that never reads its answer.

uvicorn/protocols/http/httptools_impl.py (0.54) sets a timer only between two requests of a kept connection.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
READ_SECONDS = 60.0
# Pictures of a listing are the largest that anybody sends.
MOST_BODY = 32 * 1024 * 1024


class Impatient(HttpToolsProtocol):
    """The head of a request is here within 10 s, the body within 60 s; an answer is read on within 60 s."""

    head_seconds, body_seconds, read_seconds, most_body = HEAD_SECONDS, BODY_SECONDS, READ_SECONDS, MOST_BODY
    _receiving: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _body_size = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_request(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._received()
        self._read_on()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._body_size = 0
        self._wait_for_request(self.head_seconds)

    def on_headers_complete(self) -> None:
        self._wait_for_request(self.body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > self.most_body:
            self._give_up(413, b"The request is too large.")
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._received()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._read_on()
        super().resume_writing()

    def _wait_for_request(self, seconds: float) -> None:
        self._received()
        self._receiving = self.loop.call_later(seconds, self._give_up, 408, b"The request took too long.")

    def _received(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def _read_on(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self, status: int, sentence: bytes) -> None:
        """Says so where no answer has begun, and hangs up."""
        self._received()
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started:
            head = b"HTTP/1.1 %d \r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % (
                status,
                len(sentence),
            )
            self.transport.write(head + b"connection: close\r\n\r\n" + sentence)
        self.transport.close()
