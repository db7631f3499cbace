"""The one transport: every byte to a party outside goes through here.

It never repeats a request by itself; whether to repeat is decided with the order's books open.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

import aiohttp
from yarl import URL

from crossdock.domain.capability import Pace
from crossdock.kit import wire
from crossdock.kit.aside import SMALL, Aside
from crossdock.kit.budget import SHARE, Budget, Lane
from crossdock.kit.check import retry_after
from crossdock.kit.connector import Reply
from crossdock.kit.errors import NoAnswer, NotSent
from crossdock.kit.guard import Forbidden, check_url, guarded_socket
from crossdock.kit.held import HELD
from crossdock.kit.redact import LONGEST_READ, redact_body, redact_headers, redact_url

TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 8.0
# Common servers close an idle connection after 5 s. A request sent into a closing connection is Unknown, so we let go
# earlier.
KEEP_ALIVE_SECONDS = 4.0
BIGGEST_ANSWER = 20 * 1024 * 1024
MOST_REDIRECTS = 3
MOST_PARTIES = 10_000
DEFAULT_PAUSE_SECONDS = 2.0
USER_AGENT = "Crossdock/0.1"
# A recorded body that was cut cannot be played again; longer ones are hardly ever needed.
LONGEST_KEPT = 60_000
# What watches the calls of this process (seeing/calls.py), if anything does; each pool of connections asks once.
WATCHED_BY: list[aiohttp.TraceConfig] = []
# Signing in is needed by other calls, whatever came of the one that it was done for.
_SIGNS_IN = (b'"password"', b'"client_secret"')


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as evidence: redacted and cut.

    `headers` are the answer's; `status` is None when no answer came, then `trouble` says why.
    """

    party: str
    method: str
    url: str
    status: int | None
    milliseconds: int
    request: str
    answer: str
    trouble: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Recorder = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    kind: str
    timeout_seconds: float


class Transport:
    """All connections of one process and event loop. Use it as an async context manager, or `close()` it."""

    def __init__(
        self,
        *,
        allow_local: bool = False,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow_local = allow_local
        self.recorder = recorder
        self._clock = clock
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._budgets: dict[tuple[str, Lane], Budget] = {}
        self.aside = Aside()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        await self.aside.close()

    def party(
        self,
        key: str,
        pace: Pace,
        lane: Lane = "background",
        *,
        local: bool | None = None,
        recorder: Recorder | None = None,
    ) -> "Party":
        """The handle for one party.

        Handles of the same key and lane share one budget; `local` admits http and private addresses.
        """
        budget = self._budgets.get((key, lane))
        if budget is None or budget.pace != pace:
            self._forget_idle()
            budget = self._budgets[(key, lane)] = Budget(pace, lane, self._clock)
        return Party(self, key, budget, self._allow_local if local is None else local, recorder or self.recorder)

    def session(self, local: bool) -> aiohttp.ClientSession:
        """The pool of connections; the guarded one and the one for local addresses never share a connection."""
        if local not in self._sessions:
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, socket_factory=None if local else guarded_socket
            )
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
                headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
                trace_configs=WATCHED_BY or None,
            )
            # aiohttp would repeat a PUT or DELETE by itself when a kept connection breaks; a relative change would be
            # made twice.
            session._retry_connection = False
            self._sessions[local] = session
        return self._sessions[local]

    def sent(self, key: str) -> int:
        """How many calls to this party had their turn, as long as its budgets are kept."""
        return sum(budget.sent for budget in self.lanes(key))

    def lanes(self, key: str) -> list[Budget]:
        """The budgets of a party: what it says about its limits holds for both lanes."""
        return [budget for lane in SHARE if (budget := self._budgets.get((key, lane)))]

    def _forget_idle(self) -> None:
        if len(self._budgets) >= MOST_PARTIES:
            self._budgets = {key: budget for key, budget in self._budgets.items() if not budget.idle}

    def elapsed(self, since: float) -> int:
        """Milliseconds since a reading of the transport's clock."""
        return round((self._clock() - since) * 1000)

    def now(self) -> float:
        return self._clock()


class Party:
    """One party's handle (the Http protocol)."""

    def __init__(self, transport: Transport, key: str, budget: Budget, local: bool, recorder: Recorder | None) -> None:
        self._transport, self._key, self._budget, self._local, self._recorder = transport, key, budget, local, recorder

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        for budget in self._transport.lanes(self._key):
            budget.learn(left, per_second)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
        follow: bool = True,
    ) -> Reply:
        """One call; a GET or HEAD follows at most three redirects on the same host, none without `follow`. The time
        limit begins when it is our turn.

        `content` goes out as it is, under the Content-Type in `headers`: for whoever signs these very bytes.
        """
        request = _request(method, url, headers, query, json, form, content, timeout_seconds)
        reply = await self._one(request)
        for _ in range(MOST_REDIRECTS if follow else 0):
            onward = _onward(request, reply)
            if onward is None:
                return reply
            request = _Request(request.method, onward, request.headers, None, "", request.timeout_seconds)
            reply = await self._one(request)
        if not follow or _onward(request, reply) is None:
            return reply
        raise NoAnswer("The shop sends us in circles (too many redirects).")

    async def _one(self, request: _Request) -> Reply:
        check_url(request.url, local=self._local)
        async with self._budget.turn():
            start = self._transport.now()
            try:
                reply = await self._exchange(request)
            except (NoAnswer, NotSent) as error:
                self._record(request, start, None, str(error))
                raise
        if reply.status == 429:
            wish = retry_after(reply)
            for budget in self._transport.lanes(self._key):
                budget.pause(DEFAULT_PAUSE_SECONDS if wish is None else wish)
        self._record(request, start, reply, "")
        return reply

    async def _exchange(self, request: _Request) -> Reply:
        # Connecting ends before the whole does: a connection that never came up is surely not sent, and must not be
        # taken for unknown.
        connect = min(CONNECT_SECONDS, 0.75 * request.timeout_seconds)
        timeout = aiohttp.ClientTimeout(total=request.timeout_seconds, connect=connect)
        call = self._transport.session(self._local).request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body,
            timeout=timeout,
            allow_redirects=False,
            trace_request_ctx=self._key,
        )
        return await _answer(call, urlsplit(request.url).hostname or "the shop")

    def _record(self, request: _Request, start: float, reply: Reply | None, trouble: str) -> None:
        if self._recorder is None:
            return
        milliseconds = self._transport.elapsed(start)

        def exchange(longest: int) -> Exchange:
            kind = reply.headers.get("content-type", "") if reply else ""
            return Exchange(
                party=self._key,
                method=request.method,
                url=redact_url(request.url),
                status=reply.status if reply else None,
                milliseconds=milliseconds,
                request=redact_body(request.body or b"", request.kind, LONGEST_KEPT, longest),
                answer=redact_body(reply.body, kind, LONGEST_KEPT, longest) if reply else "",
                trouble=trouble,
                headers=redact_headers(reply.headers) if reply else {},
            )

        size = len(request.body or b"") + (len(reply.body) if reply else 0)
        record = partial(
            self._transport.aside.run,
            size,
            work=lambda: exchange(LONGEST_READ),
            then=self._recorder,
            instead=lambda: exchange(SMALL),
        )
        held = HELD.get()
        if (
            held is None
            or reply is None
            or reply.status >= 300
            or any(word in (request.body or b"") for word in _SIGNS_IN)
        ):
            record()
        else:
            held.add(record)


def _request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    query: Mapping[str, str] | None,
    json: Any,
    form: Mapping[str, str] | None,
    content: bytes | None,
    timeout_seconds: float | None,
) -> _Request:
    """The bytes that go out. The URL is used exactly as written here: signed platforms sign these very characters."""
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
    body, kind = content, ""
    if content is not None:
        kind = next((value for name, value in (headers or {}).items() if name.lower() == "content-type"), "")
    elif json is not None:
        body, kind = wire.dump(json), "application/json"
    elif form is not None:
        body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
    sent = dict(headers or {})
    if kind and not any(name.lower() == "content-type" for name in sent):
        sent["Content-Type"] = kind
    return _Request(
        method.upper(), url, sent, body, kind, TOTAL_SECONDS if timeout_seconds is None else timeout_seconds
    )


async def _answer(call: Awaitable[aiohttp.ClientResponse], host: str) -> Reply:
    """Await the answer and sort what can go wrong: before the request could leave, or after.

    A ServerDisconnectedError on a kept connection is "after": the bytes may have arrived before the door closed.
    """
    try:
        answer = await call
        try:
            body = await _read(answer)
        except BaseException:
            answer.close()
            raise
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
        raise NotSent(_why_not_sent(error, host)) from None
    except TimeoutError:
        raise NoAnswer(f"{host} did not answer in time.") from None
    except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError) as error:
        raise NoAnswer(
            f"The connection to {host} broke before the whole answer was here ({type(error).__name__})."
        ) from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The whole body, unpacked, with a limit that also holds for a small answer that unpacks to a huge one."""
    parts, size = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > BIGGEST_ANSWER:
            raise NoAnswer(f"The shop's answer is larger than {BIGGEST_ANSWER // 1024 // 1024} MB.")
        parts.append(part)
    answer.release()
    return b"".join(parts)


def _expired(error: aiohttp.ClientConnectorCertificateError) -> bool:
    # OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED.
    return getattr(error.certificate_error, "verify_code", 0) == 10


def _why_not_sent(error: Exception, host: str) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"There is no {host} on the internet (the name cannot be resolved)."
        case aiohttp.ClientConnectorCertificateError() if _expired(error):
            return (
                f"{host} has no valid certificate: it has expired, so the connection would not be safe. Renew it"
                " where the shop is hosted."
            )
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f"{host} has no valid certificate, so the connection would not be safe."
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, Forbidden):
            return (
                f"{host} is not on the public internet: its address is private, and we do not call private addresses."
            )
        case aiohttp.ClientConnectorError():
            return f"{host} does not accept connections."
        case aiohttp.ConnectionTimeoutError():
            return f"{host} did not accept a connection in time."
        case _:
            return f"{host} is no usable web address."


def _onward(request: _Request, reply: Reply) -> str | None:
    """Where a read goes on, when the shop redirects it on its own host; never from https back to http."""
    if (
        request.method not in ("GET", "HEAD")
        or reply.status not in (301, 302, 303, 307, 308)
        or "location" not in reply.headers
    ):
        return None
    onward = urljoin(request.url, reply.headers["location"])
    here, there = urlsplit(request.url), urlsplit(onward)
    same = here.hostname == there.hostname and (here.scheme, here.port) == (there.scheme, there.port)
    safer = here.hostname == there.hostname and (here.scheme, there.scheme) == ("http", "https")
    return onward if same or safer else None
