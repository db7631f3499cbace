"""Breadth first through every state of a configuration, remembered by hash; a broken sentence comes with the shortest
way to it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from crossdock_lab.proof.moves import Moves, Untold
from crossdock_lab.proof.state import Config, State, begin
from crossdock_lab.proof.truth import Truth

PROMISES = ("a buyer holds", "a buyer buys", "a buyer pays after the end")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken` is "" when every state was visited and all held; `steps` lead to what broke."""

    config: Config
    states: int
    seconds: float
    broken: str = ""
    steps: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        rate = f"{self.states:>9,} states  {self.seconds:7.1f} s"
        return f"{'ok  ' if not self.broken else 'FAIL'} {self.config.name:<6} {rate}  {self.config.about}"


def explore(config: Config, make: Callable[[Config], Moves] = Moves, *, most: int = 0) -> Verdict:
    """All of it, or until something breaks.

    `most` bounds the states; reaching it is a failure, since then nothing is proven.
    """
    begun = time.monotonic()
    found, states = _search(config, make, most, None)
    if found is None:
        return Verdict(config, states, time.monotonic() - begun)
    broken, wrong = found
    # Once more, remembering the way: remembering it always would cost a multiple of the memory.
    way: dict[int, tuple[int, str]] = {}
    _search(config, make, most, way)
    steps: list[str] = []
    at = wrong
    while at in way:
        at, step = way[at]
        steps.append(step)
    return Verdict(config, states, time.monotonic() - begun, broken, tuple(reversed(steps)))


def _search(
    config: Config, make: Callable[[Config], Moves], most: int, way: dict[int, tuple[int, str]] | None
) -> tuple[tuple[str, int] | None, int]:
    """(what broke and the hash of the state where, states visited)."""
    moves = make(config)
    truth = Truth(config, moves)
    first = begin(config)
    seen = {hash(first)}
    frontier = [first]
    while frontier:
        following: list[State] = []
        for state in frontier:
            here = hash(state)
            busy = False
            try:
                for step, idle, after in moves(state):
                    busy = busy or not idle
                    there = hash(after)
                    if there in seen:
                        continue
                    seen.add(there)
                    if way is not None:
                        way[there] = (here, step)
                    broken = truth.always(after) or (truth.promised(state, after) if step in PROMISES else "")
                    if broken:
                        return (broken, there), len(seen)
                    following.append(after)
                broken = "" if busy else truth.at_rest(state)
            except Untold as untold:
                broken = str(untold)
            if broken:
                return (broken, here), len(seen)
            if most and len(seen) > most:
                return (f"not finished after {most:,} states", here), len(seen)
        frontier = following
    return None, len(seen)
