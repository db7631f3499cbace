"""Where the audit log is sent: syslog over TCP or TLS (RFC 5424, framed by RFC 6587's octet counts as RFC 5425 has it),
a file, or this process's output. Each takes a batch of lines whole, or raises OSError.
"""

import os
import socket
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

SECONDS = 10.0
# Facility 13 is the audit log, severity 5 a notice (RFC 5424, 6.2.1).
_PRIORITY = 13 * 8 + 5
_ANSWER = 1024


@dataclass(frozen=True, slots=True)
class Line:
    """`text` is one line of JSON in ASCII, so that no byte-order mark is owed (RFC 5424, 6.4)."""

    at: datetime
    topic: str
    text: str


def message(line: Line, host: str) -> bytes:
    """<109>1 2026-12-01T03:12:00.000000Z market.example crossdock - staff - {...}, with its length before it."""
    at = f"{line.at:%Y-%m-%dT%H:%M:%S.%f}Z"
    whole = f"<{_PRIORITY}>1 {at} {host or '-'} crossdock - {line.topic} - {line.text}".encode("ascii")
    return b"%d %s" % (len(whole), whole)


def deliver(target: str, lines: Sequence[Line], *, host: str, stopped: float = SECONDS) -> None:
    """Returns when the receiver has all of them; where that is not sure it raises OSError, and all are sent again."""
    parts = urlsplit(target)
    if parts.scheme == "stdout":
        sys.stdout.write("".join(f"{line.text}\n" for line in lines))
        sys.stdout.flush()
    elif parts.scheme == "file":
        _append(parts.path, lines)
    else:
        _syslog(parts.scheme == "tls", parts.hostname or "", parts.port or 6514, lines, host, stopped)


def _append(path: str, lines: Sequence[Line]) -> None:
    """Opened anew each time, so that a file that was moved away is made again."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="ascii") as file:
        file.write("".join(f"{line.text}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def _syslog(tls: bool, name: str, port: int, lines: Sequence[Line], host: str, stopped: float) -> None:
    """Syslog has no receipt. What was sent may lie in a buffer when the receiver dies, so we say that we are done and
    wait until it closes its side as well: it does after the last byte.
    """
    with socket.create_connection((name, port), timeout=stopped) as plain:
        plain.settimeout(stopped)
        connection: socket.socket = plain
        if tls:
            connection = ssl.create_default_context().wrap_socket(plain, server_hostname=name)
        try:
            connection.sendall(b"".join(message(line, host) for line in lines))
            if isinstance(connection, ssl.SSLSocket):
                # Our close_notify is answered by theirs, or by the end of the connection.
                try:
                    connection = connection.unwrap()
                except ssl.SSLEOFError:
                    return
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(_ANSWER):
                pass
        finally:
            connection.close()
