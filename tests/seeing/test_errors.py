"""Reports of errors: what leaves, read at the server that gets it, and what never does."""

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crossdock.logs import ABOUT, REQUEST
from crossdock.seeing.errors import Reporter
from crossdock_lab.patience import patient
from masked import LOOK_SECRET

SECRET = "correct horse battery"


class Post(BaseHTTPRequestHandler):
    heard: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.heard.append((self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def heard() -> Iterator[list[tuple[str, bytes]]]:
    Post.heard = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Post.port = server.server_address[1]  # type: ignore[attr-defined]
    yield Post.heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def log(heard: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    reporter = Reporter(f"http://public{'a' * 20}@127.0.0.1:{Post.port}/7", [SECRET])  # type: ignore[attr-defined]
    logger = logging.Logger("crossdock.tried")
    logger.addHandler(reporter)
    yield logger
    reporter._client.close(timeout=5)


def failing(log: logging.Logger, text: str, said: str = "it stumbled") -> None:
    local_name = "geheim in a variable"  # noqa: F841
    try:
        raise ValueError(text)
    except ValueError:
        log.exception(said)


def events(log: logging.Logger, heard: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    log.handlers[0]._client.flush(timeout=10)  # type: ignore[attr-defined]
    found = []
    for path, body in heard:
        assert path == "/api/7/envelope/"
        _, kind, event = body.split(b"\n")[:3]
        assert json.loads(kind)["type"] == "event"
        found.append(json.loads(event))
    return found


def test_an_exception_that_was_logged_is_told_with_its_ids(log: logging.Logger, heard: Any) -> None:
    request, about = REQUEST.set("0123456789abcdef"), ABOUT.set("CD-7")
    try:
        failing(log, "the shop said no")
    finally:
        REQUEST.reset(request)
        ABOUT.reset(about)
    log.error("without an exception nothing is told")
    (event,) = events(log, heard)
    assert event["tags"] == {"request": "0123456789abcdef", "order": "CD-7"}
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"], event["message"]) == ("ValueError", "the shop said no", "it stumbled")
    assert error["stacktrace"]["frames"][-1]["function"] == "failing"
    assert not {"server_name", "modules", "user", "request", "breadcrumbs", "extra"} & set(event)


@pytest.mark.parametrize("text", LOOK_SECRET)
def test_nothing_secret_and_nothing_personal_leaves(log: logging.Logger, heard: Any, text: str) -> None:
    failing(log, f"{text}\nDETAIL: Key (name)=(Zoe Geheim) exists", f"{text} {SECRET} zoe@example.test")
    (event,) = events(log, heard)
    sent = json.dumps(event)
    for word in ("geheim", "Geheim", "correct horse", "zoe@", "DETAIL", "local_name"):
        assert word not in sent


def test_an_address_that_is_somebodys_link_does_not_leave(log: logging.Logger, heard: Any) -> None:
    try:
        raise ValueError("it stumbled")
    except ValueError:
        log.exception("%s: %s, party %s", "Internal Server Error", "/returns/opens-it-without-a-sign-in/", 7)
    (event,) = events(log, heard)
    assert event["message"] == "…: …, party 7" and "opens-it" not in json.dumps(event)


def test_what_ends_a_process_is_told_and_ctrl_c_is_not(log: logging.Logger, heard: Any) -> None:
    for error in (KeyError("gone"), KeyboardInterrupt()):
        sys.excepthook(type(error), error, None)
    (event,) = events(log, heard)
    assert event["exception"]["values"][0]["type"] == "KeyError"


def test_a_process_with_the_setting_reports_what_ended_it(heard: Any, tmp_path: Path) -> None:
    dsn = f"http://public{'a' * 20}@127.0.0.1:{Post.port}/7"  # type: ignore[attr-defined]
    environment = {**os.environ, "CROSSDOCK_ERROR_DSN": dsn, "CROSSDOCK_DATA": str(tmp_path)}
    code = "import django; django.setup(); raise ValueError('token=geheim')"
    words = [sys.executable, "-c", code]
    settings = {**environment, "DJANGO_SETTINGS_MODULE": "crossdock.settings"}
    done = subprocess.run(words, env=settings, capture_output=True, text=True, timeout=patient(60), check=False)
    assert done.returncode == 1 and "ValueError" in done.stderr
    ((_, body),) = heard
    assert b'"ValueError"' in body and b"geheim" not in body
