"""Evidence that may turn out to be none: what was said while a page was read is looked through, blacked out and kept
only if something came of it.

Most pages of a shop say what is known already, and looking through them costs more than taking them in.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field


@dataclass(slots=True)
class Held:
    """What is recorded of one reading, as it came. Whoever reads says in `kept` whether something came of it."""

    kept: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def add(self, record: Callable[[], None]) -> None:
        """`record` is called in the context of now, or never."""
        context = copy_context()
        self.waiting.append(lambda: context.run(record))


# What is read now is held back here; tasks inherit it.
HELD: ContextVar[Held | None] = ContextVar("held", default=None)


@contextmanager
def held() -> Iterator[Held]:
    """Around one reading and what is done with it. What ends with an exception is kept."""
    reading = Held()
    before = HELD.set(reading)
    try:
        yield reading
    except BaseException:
        reading.kept = True
        raise
    finally:
        HELD.reset(before)
        if reading.kept:
            for record in reading.waiting:
                record()
