"""Whether anything listens where the database should be. Asked only when no connection came in time."""

import socket

_SECONDS = 1.0


def listens(host: str, port: str) -> bool:
    """True where that cannot be told: several hosts, or a service's name."""
    if not host or "," in host or "," in port or not port.isdecimal():
        return True
    try:
        if host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_SECONDS)
                probe.connect(f"{host}/.s.PGSQL.{port}")
        else:
            socket.create_connection((host, int(port)), timeout=_SECONDS).close()
    except OSError:
        return False
    return True
