"""What brought the change that is being written: a delivery, a command, a read.

Rows of the flight recorder take it from here, so that nothing has to carry it along.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

EVENT: ContextVar[str] = ContextVar("event", default="")


@contextmanager
def because(event: str) -> Iterator[None]:
    """For as long as this lasts, in this thread or task."""
    before = EVENT.set(event)
    try:
        yield
    finally:
        EVENT.reset(before)
