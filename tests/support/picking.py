"""Which of many cases one run plays.

`make test-crash` and `make soak` play every kill point, CI a third of them, another one with each commit. Neighbours in
the list lie on one way, so a third takes a point of each way rather than one way whole. `make test` plays what is
played on every platform on all of them, in CI on the half that the story leaves out.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
THIRD, HALF = "CROSSDOCK_TEST_THIRD", "CROSSDOCK_TEST_HALF"
PARTS = {THIRD: 3, HALF: 2}


def part(cases: Sequence[T], number: int, parts: int) -> list[T]:
    """As many numbers as there are parts, one after the other, play every case, each once."""
    return [case for at, case in enumerate(cases) if at % parts == number % parts]


def picked(cases: Sequence[T], name: str = THIRD) -> list[T]:
    """What this run plays: all of them, unless the environment names a third (or a half)."""
    number = os.environ.get(name)
    return part(cases, int(number), PARTS[name]) if number else [*cases]


def platforms() -> list[str]:
    """Those on which this run plays what is played on every platform, by name in their order."""
    from crossdock.kit import discover

    return picked(list(discover.connectors()), HALF)
