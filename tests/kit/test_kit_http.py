"""The one transport against real servers on loopback: what was sent, what was not, and what nobody may ever repeat."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crossdock.domain.capability import Pace
from crossdock.kit import http
from crossdock.kit.errors import NoAnswer, NotSent, Throttled
from crossdock.kit.http import Exchange, Transport
from crossdock_lab.patience import patient

PACE = Pace(per_second=1000, burst=1000, parallel=10)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server that speaks bytes. `requests` are the heads and bodies that arrived."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        self.requests.append(head + await reader.readexactly(length))
        return self.requests[-1]


@asynccontextmanager
async def serving(talk: Callable[[Server], Talk], context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            await talk(server)(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def answer(status: str = "200 OK", body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def always(*answers: bytes) -> Callable[[Server], Talk]:
    """Answer every request with the next of `answers`, the last one for ever."""

    def talk(server: Server) -> Talk:
        async def on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await server.read(reader)
                writer.write(answers[min(len(server.requests), len(answers)) - 1])
                await writer.drain()

        return on

    return talk


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport(allow_local=True) as transport:
        yield transport


# What goes out


async def test_json_form_query_and_headers_arrive_as_given(transport: Transport) -> None:
    async with serving(always(answer(body=b'{"a":1}'))) as server:
        party = transport.party("x", PACE)
        reply = await party.send(
            "post", server.url + "/a?b=1", query={"q": "a b&ü/"}, json={"n": [1]}, headers={"X-One": "1"}
        )
        await party.send("PUT", server.url, form={"a": "1 2", "b": "&"})
    assert reply.json() == {"a": 1}
    first, second = (request.decode() for request in server.requests)
    assert first.startswith("POST /a?b=1&q=a%20b%26%C3%BC%2F HTTP/1.1\r\n")
    assert "X-One: 1" in first
    assert "Content-Type: application/json" in first
    assert first.endswith('{"n":[1]}')
    assert "Content-Type: application/x-www-form-urlencoded" in second
    assert second.endswith("a=1+2&b=%26")


async def test_the_answer_has_lower_case_headers_and_any_status_is_an_answer(transport: Transport) -> None:
    async with serving(always(answer("418 Teapot", b"no", "X-Left: 7"))) as server:
        reply = await transport.party("x", PACE).send("GET", server.url)
    assert (reply.status, reply.headers["x-left"], reply.body) == (418, "7", b"no")


async def test_connections_are_kept_and_cookies_are_not(transport: Transport) -> None:
    async with serving(always(answer("200 OK", b"", "Set-Cookie: a=1"))) as server:
        for _ in range(3):
            await transport.party("x", PACE).send("GET", server.url)
    assert server.connections == 1
    assert len(server.requests) == 3
    assert not any(b"Cookie" in request for request in server.requests)


# What was surely not sent


async def test_a_refused_connection_was_not_sent(transport: Transport) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="does not accept connections"):
        await transport.party("x", PACE).send("POST", f"http://127.0.0.1:{port}")


async def test_an_unknown_name_was_not_sent(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, None)
    with pytest.raises(NotSent, match=r"There is no shop\.example"):
        await transport.party("x", PACE).send("POST", "https://shop.example/")


async def test_a_handshake_that_never_ends_was_not_sent(transport: Transport) -> None:
    async with serving(lambda server: silent) as server:
        with pytest.raises(NotSent, match="in time"):
            await transport.party("x", PACE).send("POST", f"https://127.0.0.1:{server.port}", timeout_seconds=0.3)


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(transport: Transport, tmp_path: Path) -> None:
    async with serving(always(answer()), own_certificate(tmp_path)) as server:
        with pytest.raises(NotSent, match="no valid certificate"):
            await transport.party("x", PACE).send("POST", f"https://127.0.0.1:{server.port}")
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example",
        "javascript:alert(1)",
        "https://",
        "https://[::1",
        "https://a:b@shop.example",
    ],
)
async def test_what_is_no_address_was_not_sent(transport: Transport, url: str) -> None:
    with pytest.raises(NotSent):
        await transport.party("x", PACE).send("GET", url)


# What may have been carried out


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"what?\r\n\r\n")
    await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(3600)


@pytest.mark.parametrize("talk", [hang_up, half, no_http, silent, slow_body])
async def test_no_whole_answer_is_unknown(transport: Transport, talk: Talk) -> None:
    async with serving(lambda server: talk) as server:
        start = time.monotonic()
        with pytest.raises(NoAnswer):
            await transport.party("x", PACE).send("POST", server.url, timeout_seconds=0.3)
    assert time.monotonic() - start < patient(15)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
async def test_nothing_is_ever_repeated_when_a_kept_connection_breaks(transport: Transport, method: str) -> None:
    def once_then_hang_up(server: Server) -> Talk:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            if len(server.requests) == 1:
                writer.write(answer())
                await writer.drain()
                await server.read(reader)

        return talk

    async with serving(once_then_hang_up) as server:
        party = transport.party("x", PACE)
        await party.send(method, server.url)
        with pytest.raises(NoAnswer):
            await party.send(method, server.url)
    assert len(server.requests) == 2
    assert server.connections == 1


async def test_an_answer_without_end_is_cut_off(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BIGGEST_ANSWER", 100_000)
    bomb = gzip.compress(b"0" * 5_000_000)
    assert len(bomb) < 100_000
    async with serving(always(answer("200 OK", bomb, "Content-Encoding: gzip"))) as server:
        with pytest.raises(NoAnswer, match="larger than"):
            await transport.party("x", PACE).send("GET", server.url)
    async with serving(always(answer(body=b"0" * 99_999))) as server:
        assert len((await transport.party("x", PACE).send("GET", server.url)).body) == 99_999


# Redirects


async def test_a_read_follows_redirects_on_its_own_host_only(transport: Transport) -> None:
    async with serving(always(answer("301 Moved", b"", "Location: /b"), answer(body=b"there"))) as server:
        reply = await transport.party("x", PACE).send("GET", server.url + "/a")
        assert reply.body == b"there"
        assert server.requests[1].startswith(b"GET /b ")
    async with (
        serving(always(answer())) as elsewhere,
        serving(always(answer("302 Found", b"", f"Location: {elsewhere.url}/"))) as server,
    ):
        assert (await transport.party("x", PACE).send("GET", server.url)).status == 302
        assert elsewhere.requests == []


async def test_a_write_follows_no_redirect(transport: Transport) -> None:
    async with serving(always(answer("307 Temporary Redirect", b"", "Location: /b"))) as server:
        assert (await transport.party("x", PACE).send("POST", server.url, json={})).status == 307
    assert len(server.requests) == 1


async def test_redirects_in_a_circle_end(transport: Transport) -> None:
    async with serving(always(answer("302 Found", b"", "Location: /again"))) as server:
        with pytest.raises(NoAnswer, match="circles"):
            await transport.party("x", PACE).send("GET", server.url)
    assert len(server.requests) == 4


# The guard


async def test_private_addresses_are_refused_before_a_byte_leaves() -> None:
    async with Transport() as guarded, serving(always(answer())) as server:
        for host in (
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0.0.0.0",
        ):
            with pytest.raises(NotSent):
                await guarded.party("x", PACE).send("GET", f"https://{host}:{server.port}/")
        with pytest.raises(NotSent, match="https"):
            await guarded.party("x", PACE).send("GET", f"http://127.0.0.1:{server.port}/")
    assert server.connections == 0


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0"]
)
async def test_a_name_that_points_to_a_private_address_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, address)
    async with Transport() as guarded:
        with pytest.raises(NotSent, match="not on the public internet"):
            await guarded.party("x", PACE).send("GET", "https://shop.example/", timeout_seconds=2)


async def test_one_party_may_be_local_and_the_others_stay_guarded() -> None:
    async with Transport() as mixed, serving(always(answer())) as server:
        assert (await mixed.party("demo", PACE, local=True).send("GET", server.url)).status == 200
        with pytest.raises(NotSent):
            await mixed.party("other", PACE).send("GET", f"https://127.0.0.1:{server.port}")
    assert server.connections == 1


# The budget


async def test_retry_after_is_obeyed_in_both_lanes(transport: Transport) -> None:
    async with serving(always(answer("429 Slow Down", b"", "Retry-After: 1"), answer())) as server:
        background, person = transport.party("x", PACE), transport.party("x", PACE, "interactive")
        start = time.monotonic()
        assert (await background.send("GET", server.url)).status == 429
        waits = asyncio.create_task(person.send("GET", server.url))
        await transport.party("y", PACE).send("GET", server.url)
        assert not waits.done(), "another party's pause holds up nobody else"
        await waits
        assert time.monotonic() - start >= 0.99


async def test_a_long_pause_is_an_answer_not_a_wait(transport: Transport) -> None:
    async with serving(always(answer("429 Slow Down", b"", "Retry-After: 60"), answer())) as server:
        party = transport.party("x", PACE)
        await party.send("GET", server.url)
        with pytest.raises(Throttled) as caught:
            await party.send("GET", server.url)
    assert caught.value.after_seconds == pytest.approx(60, abs=2)
    assert len(server.requests) == 1


async def test_no_more_than_the_parallel_calls_are_in_flight(transport: Transport) -> None:
    in_flight, most = 0, 0

    def counting(server: Server) -> Talk:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal in_flight, most
            while True:
                await server.read(reader)
                in_flight += 1
                most = max(most, in_flight)
                await asyncio.sleep(0.02)
                in_flight -= 1
                writer.write(answer())
                await writer.drain()

        return talk

    async with serving(counting) as server:
        party = transport.party("x", Pace(1000, 1000, 5))
        await asyncio.gather(*(party.send("GET", server.url) for _ in range(20)))
    assert most == 4
    assert len(server.requests) == 20


# The evidence


async def test_the_evidence_is_complete_and_shows_no_secret_and_no_buyer() -> None:
    seen: list[Exchange] = []
    body = b'{"id": 7, "billing": {"email": "ada@buyer.example", "address_1": "17 Cormorant Lane"}}'
    async with (
        Transport(allow_local=True, recorder=seen.append) as transport,
        serving(always(answer("201 Created", body))) as server,
    ):
        party = transport.party("shop:1", PACE)
        await party.send(
            "POST",
            server.url + "/orders",
            query={"consumer_secret": "cs_123", "page": "2"},
            json={"access_token": "abc", "sku": "A-1"},
        )
        listener = server.url
    async with Transport(allow_local=True, recorder=seen.append) as transport:
        with pytest.raises(NotSent):
            await transport.party("shop:1", PACE).send("GET", listener)
    first, second = seen
    assert (first.party, first.method, first.status, first.trouble) == ("shop:1", "POST", 201, "")
    assert first.milliseconds < 2000
    assert "page=2" in first.url
    assert '"sku": "A-1"' in first.request
    assert '"id": 7' in first.answer
    assert not [text for text in ("cs_123", "abc", "ada@", "Cormorant") if text in str(first)]
    assert (second.status, second.answer) == (None, "")
    assert "does not accept connections" in second.trouble


def resolve_to(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    """Every name has this address from now on, or none."""

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_one_that_ran_out_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever vouches for it is believed; its last day is over."""
    context = own_certificate(tmp_path, left=timedelta(hours=-1))
    trusting = ssl.create_default_context(cafile=tmp_path / "pem")
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
    transport = Transport(allow_local=True)
    try:
        async with serving(always(answer()), context) as server:
            with pytest.raises(NotSent, match=r"it has expired.*Renew it"):
                await transport.party("x", PACE).send("POST", f"https://127.0.0.1:{server.port}")
    finally:
        await transport.close()


def own_certificate(folder: Path, left: timedelta = timedelta(days=1)) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now + left)
    made = builder.add_extension(here, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "pem").write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    return context
