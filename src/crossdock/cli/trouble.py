"""What ends a command early: one sentence for the operator, no traceback, a non-zero exit."""

from collections.abc import Iterator
from contextlib import contextmanager


class Trouble(Exception):
    """The sentence, ending in a full stop, saying what is wrong and what to do."""


@contextmanager
def refusals() -> Iterator[None]:
    """What a use-case refuses within is the operator's sentence. Raises Trouble."""
    from crossdock.usecases.errors import Problem

    try:
        yield
    except Problem as problem:
        raise Trouble(str(problem)) from None
