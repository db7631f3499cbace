"""Whether a port can be had, asked before anything is started."""

import errno
import socket

from crossdock.cli.trouble import Trouble


def free(host: str, port: int, *, what: str, setting: str) -> None:
    """Raises Trouble with what is in the way and the setting that helps."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Trouble(
                    f"Port {port} is taken, and {what} needs it; stop the other program, or choose another port with"
                    f" {setting}."
                ) from None
            if error.errno == errno.EACCES:
                raise Trouble(f"Port {port} may only be used by root; choose one above 1023 with {setting}.") from None
            raise Trouble(f"{what[:1].upper()}{what[1:]} cannot listen on {host}:{port} ({error.strerror}).") from None
