"""The network between engine and simulated shops without sockets: their own HTTP handlers, called with delays, losses
and late executions drawn from the seed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from random import Random
from typing import Any
from unittest.mock import Mock

import aiohttp
from aiohttp import web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from crossdock.kit.http import Transport
from crossdock.kit.sandbox import Sandbox

_SLOW, _SLOW_SECONDS = 0.03, (1.0, 5.0)
# Longer than a call's time limit, shorter than what every manifest admits as the latest execution.
_LATE_SECONDS = (21.0, 50.0)


class _Parts:
    """What aiohttp's server would put around a request; a handler may cut its connection."""

    def __init__(self) -> None:
        self.cut = False
        self.transport = self
        self._reading_paused = False
        self.peername, self.sockname, self.ssl_context = ("127.0.0.1", 1), ("127.0.0.1", 2), None
        self.max_field_size, self.max_line_length, self.max_headers = 8190, 8190, 128

    def close(self) -> None:
        self.cut = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peername if name == "peername" else default

    def resume_reading(self, **_: Any) -> None:
        """Nothing was paused."""


class Answer:
    """As much of aiohttp's answer as the transport reads."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self._body = status, CIMultiDict(headers), body

    @property
    def content(self) -> "Answer":
        return self

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        yield self._body

    def release(self) -> None:
        """There is no connection."""

    def close(self) -> None:
        """There is no connection."""


class Wire:
    """`said(text)` is told of every call, for the trace.

    `late` is the chance that a writing call is carried out after everybody gave it up.
    """

    def __init__(self, random: Random, said: Callable[[str], None]) -> None:
        self.random, self.late, self._said = random, 0.0, said
        self._apps: dict[str, tuple[Sandbox, web.Application]] = {}
        self.under_way: set[asyncio.Task[None]] = set()

    def open(self, shop: Sandbox, address: str) -> None:
        app = web.Application(middlewares=[shop.faults], client_max_size=4 * 1024 * 1024)
        shop.routes(app)
        app.freeze()
        shop.address = address
        self._apps[address] = (shop, app)

    def transport(self) -> "WireTransport":
        return WireTransport(self)

    async def call(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer:
        """Raises what aiohttp would. The shop goes on, whatever happens to us."""
        _, app = self._apps[f"{url.scheme}://{url.host}:{url.port}"]
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        there, back = self._delay(), self._delay()
        if method not in ("GET", "HEAD") and self.random.random() < self.late:
            there = self.random.uniform(*_LATE_SECONDS)
        task = asyncio.create_task(self._serve(app, method, url, headers, body, done, there, back))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        async with asyncio.timeout(seconds):
            return await done

    def _delay(self) -> float:
        return self.random.uniform(*(_SLOW_SECONDS if self.random.random() < _SLOW else (0.005, 0.12)))

    async def _serve(
        self,
        app: web.Application,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        done: "asyncio.Future[Answer]",
        there: float,
        back: float,
    ) -> None:
        await asyncio.sleep(there)
        parts = _Parts()
        answer = await _handled(app, method, url, headers, body or b"", parts)
        self._said(f"{method} {url.raw_path} -> {'cut' if parts.cut else answer.status}")
        await asyncio.sleep(back)
        if done.done():
            return
        if parts.cut:
            done.set_exception(aiohttp.ServerDisconnectedError())
        else:
            done.set_result(answer)


async def _handled(
    app: web.Application, method: str, url: URL, headers: Mapping[str, str], body: bytes, parts: _Parts
) -> Answer:
    loop = asyncio.get_running_loop()
    given = CIMultiDict({"Host": f"{url.host}:{url.port}", **headers})
    raw = tuple((name.encode(), value.encode()) for name, value in given.items())
    message = RawRequestMessage(
        method,
        url.raw_path_qs,
        HttpVersion11,
        CIMultiDictProxy(given),
        raw,
        False,
        None,
        False,
        False,
        URL(url.raw_path_qs, encoded=True),
    )
    payload = StreamReader(parts, 2**16, loop=loop)  # type: ignore[arg-type]
    payload.feed_data(body)
    payload.feed_eof()
    request = web.Request(message, payload, parts, _WRITER, _TASK, loop, client_max_size=2**22)  # type: ignore[arg-type]
    try:
        response = await app._handle(request)
    except web.HTTPException as error:
        response = error
    assert isinstance(response, web.Response)
    content = response.body
    return Answer(response.status, dict(response.headers), content if isinstance(content, bytes) else b"")


_WRITER: Any = Mock()
_TASK: Any = Mock()


class WireTransport(Transport):
    """The product's transport with its budgets and its sorting of errors; only the connections are ours."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(allow_local=True, clock=asyncio.get_running_loop().time)
        self._wire = wire
        self.dead = False

    def session(self, local: bool) -> Any:
        return self

    def request(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        data: bytes | None,
        timeout: aiohttp.ClientTimeout,
        allow_redirects: bool,
        trace_request_ctx: object,
    ) -> Any:
        return self._request(method, url, headers, data, timeout.total or 20.0)

    async def _request(
        self, method: str, url: URL, headers: Mapping[str, str], data: bytes | None, seconds: float
    ) -> Answer:
        if self.dead:
            raise asyncio.CancelledError
        return await self._wire.call(method, url, headers, data, seconds)

    async def close(self) -> None:
        """There are no connections."""


@contextlib.contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Any:
    """(owner, name, value): other attributes for a while."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)
