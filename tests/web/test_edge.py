"""The edge of the web server, tried on a real uvicorn: what a test client would not show."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import enable_socket

from crossdock_lab.patience import patient

HERE = Path(__file__).parent
SERVE = f"""
import sys
sys.path[:0] = [{str(HERE.parents[1] / "src")!r}]
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "crossdock.settings"
import uvicorn
from crossdock.web import slow
class Quick(slow.Impatient):
    head_seconds, body_seconds, read_seconds, most_body = 1.0, 1.0, 1.0, 1_000_000
uvicorn.run("crossdock.web.asgi:application", host="127.0.0.1", port=int(sys.argv[1]), http=Quick, ws="none",
            lifespan="on", log_level="warning")
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A web server whose database is gone: nothing listens there."""
    enable_socket()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CROSSDOCK_", "DJANGO_"))},
        "CROSSDOCK_DATA": str(tmp_path_factory.mktemp("edge")),
        "CROSSDOCK_DATABASE_POOL": "10",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    }
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(number)], env=environment)
    try:
        end = time.monotonic() + patient(60)
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            assert server.poll() is None and time.monotonic() < end, "the server did not start"
            time.sleep(0.05)
        yield number
    finally:
        server.terminate()
        server.wait(patient(30))


def _said(port: int, sent: bytes) -> bytes:
    """Everything until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=patient(30)) as line:
        line.sendall(sent)
        parts = []
        while part := line.recv(65536):
            parts.append(part)
    return b"".join(parts)


def _ask(port: int, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent = {"host": "localhost", "connection": "close", **{n.replace("_", "-"): value for n, value in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    said = _said(port, "\r\n".join(lines).encode())
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines}, body


@pytest.mark.parametrize("path", ["/", "/l/abc/", "/s/abc/"])
def test_a_page_without_a_database_is_503_with_a_time_to_come_back(port: int, path: str) -> None:
    status, headers, body = _ask(port, "GET", path)
    assert (status, headers.get("retry-after")) == (503, "5")
    assert b"Back in a moment" in body


def test_the_api_without_a_database_is_503_with_a_time_to_come_back(port: int) -> None:
    status, headers, body = _ask(port, "GET", "/api/v1/orders", authorization="Bearer cd_1234567890")
    assert (status, headers.get("retry-after")) == (503, "5")
    assert b"urn:crossdock:problem:away" in body


def test_health_says_that_the_database_is_gone(port: int) -> None:
    status, _, body = _ask(port, "GET", "/healthz")
    assert (status, b'"unreachable"' in body) == (503, True)


def test_a_wrong_method_has_its_whole_page(port: int) -> None:
    status, headers, body = _ask(port, "GET", "/cart/add/")
    assert status == 405
    assert int(headers["content-length"]) == len(body)
    assert b"Nothing was done" in body
    status, headers, body = _ask(port, "HEAD", "/cart/add/")
    assert (status, body) == (405, b"")


def test_a_head_has_no_body(port: int) -> None:
    for path in ("/healthz", "/static/crossdock.css"):
        _, _, body = _ask(port, "HEAD", path)
        assert body == b""


def test_what_has_not_changed_has_no_body(port: int) -> None:
    _, headers, _ = _ask(port, "GET", "/static/crossdock.css")
    status, _, body = _ask(port, "GET", "/static/crossdock.css", if_modified_since=headers["last-modified"])
    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
        b"POST /accounts/login/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf",
        b"POST /hooks/shop/none/x HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello",
    ],
)
def test_what_is_never_finished_is_hung_up(port: int, begun: bytes) -> None:
    """`_said` returns when the server hangs up; without a time-out of ours it never would."""
    said = _said(port, begun)
    assert said == b"" or said.split(b" ")[1] in (b"408", b"404")


def test_four_hundred_slow_ones_are_hung_up_and_the_next_is_answered(port: int) -> None:
    lines = [socket.create_connection(("127.0.0.1", port), timeout=patient(30)) for _ in range(400)]
    for line in lines:
        line.sendall(b"GET / HTTP/1.1\r\nhost: ")
    assert _ask(port, "GET", "/healthz")[0] == 503
    for line in lines:
        with contextlib.suppress(ConnectionResetError):
            while line.recv(4096):
                pass
        line.close()


def test_a_body_without_end_is_refused(port: int) -> None:
    head = b"POST /accounts/login/ HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    with contextlib.suppress(ConnectionError):
        assert _said(port, head + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20).split(b" ")[1] == b"413"


def test_requests_one_after_the_other_on_one_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=patient(30)) as line:
        for _ in range(3):
            line.sendall(b"HEAD /static/crossdock.css HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert line.recv(65536).startswith(b"HTTP/1.1 200")
