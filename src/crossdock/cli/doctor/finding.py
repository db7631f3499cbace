"""One thing that the doctor looked at."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """FIX: something does not work, or is not safe. LOOK: it works, and the operator may want it otherwise."""

    OK = "ok"
    LOOK = "look"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Finding:
    state: State
    about: str
    said: str
    do: str = ""


def ok(about: str, said: str) -> Finding:
    return Finding(State.OK, about, said)


def look(about: str, said: str, do: str) -> Finding:
    return Finding(State.LOOK, about, said, do)


def fix(about: str, said: str, do: str) -> Finding:
    return Finding(State.FIX, about, said, do)
