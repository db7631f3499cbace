"""Which of many cases one run plays.

`make test-crash` and `make soak` play every kill point, CI a third of them, another one with each commit. Neighbours in
the list lie on one way, so a third takes a point of each way rather than one way whole.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
NAME = "CROSSDOCK_TEST_THIRD"


def third(cases: Sequence[T], number: int) -> list[T]:
    """Three numbers that follow each other play every case, each once."""
    return [case for at, case in enumerate(cases) if at % 3 == number % 3]


def picked(cases: Sequence[T]) -> list[T]:
    """What this run plays: all of them, unless the environment names a third."""
    number = os.environ.get(NAME)
    return third(cases, int(number)) if number else [*cases]
