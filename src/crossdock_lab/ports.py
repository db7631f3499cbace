"""Ports for a marketplace that lives for a moment."""

import socket
from contextlib import ExitStack, suppress
from random import SystemRandom

from crossdock.cli.trouble import Trouble


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
