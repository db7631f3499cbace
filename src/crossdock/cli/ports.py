"""Whether a port can be had, asked before anything is started; and ports for a marketplace that lives for a moment."""

import errno
import socket
from contextlib import ExitStack, suppress
from random import SystemRandom

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


def free_ports(count: int = 1) -> int:
    """The first of so many free ports in a row, below those that the kernel gives to whoever asks for any: nobody takes
    one between the moment it is chosen and the moment it is used. Raises Trouble.
    """
    for first in SystemRandom().sample(range(20_000, 32_000, count), 99):
        with ExitStack() as held, suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise Trouble("No ports are free.")
