"""The fault dial of a simulated shop.

Faults come by chance (0..1), or exactly once at the n-th call from now, which finds more.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CHANCES = ("throttle", "broken", "lost_reply", "garbled", "duplicate", "drop", "out_of_order")
SECONDS = ("latency_seconds", "late_seconds")
SWITCHES = ("down", "walled", "revoked")
ON_CALLS = ("throttle", "broken", "lost_reply", "garbled")


class BadDial(ValueError):
    """The dial has no such setting; the message is a sentence."""


@dataclass
class FaultDial:
    """`throttle` and `broken` (5xx) happen before the work; `lost_reply` and `garbled` (a page instead of data) after
    it.

    `duplicate`, `drop`, `out_of_order` and `late_seconds` are for deliveries. `down` answers 503 to every call,
    `walled` the host's own password page (a 401 that is no word of the platform's), `revoked` ends the credentials.
    `counts` says how often each fault was really injected, and how many calls there were (`calls`).
    """

    throttle: float = 0.0
    broken: float = 0.0
    lost_reply: float = 0.0
    garbled: float = 0.0
    duplicate: float = 0.0
    drop: float = 0.0
    out_of_order: float = 0.0
    latency_seconds: float = 0.0
    late_seconds: float = 0.0
    down: bool = False
    walled: bool = False
    revoked: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=lambda: random.Random(0), repr=False)
    planned: list[tuple[str, int]] = field(default_factory=list)

    def strike(self, fault: str) -> bool:
        """Whether `fault` happens now, by its chance; counted when it does."""
        chance: float = getattr(self, fault)
        if chance <= 0 or self.dice.random() >= chance:
            return False
        self.counts[fault] += 1
        return True

    def once(self, fault: str, *, skip: int = 0) -> None:
        """Plan `fault` for one call: the next one, or the one after `skip` others."""
        if fault not in ON_CALLS:
            raise BadDial(f"{fault!r} is no fault of a call; there are {', '.join(ON_CALLS)}.")
        self.planned.append((fault, skip))

    def call(self) -> str:
        """Called once per API call: the planned fault that falls on it, or one by chance, or ""."""
        self.counts["calls"] += 1
        due = next((fault for fault, skip in self.planned if skip == 0), "")
        self.planned = [(fault, skip - 1) for fault, skip in self.planned if skip > 0]
        if due:
            self.counts[due] += 1
            return due
        return next((fault for fault in ON_CALLS if self.strike(fault)), "")

    def calm(self) -> None:
        """Everything off; the counts stay."""
        self.planned = []
        self.set(dict.fromkeys(CHANCES + SECONDS, 0.0) | dict.fromkeys(SWITCHES, False))

    def set(self, values: Mapping[str, Any]) -> None:
        """Turn the named settings. Raises BadDial, with nothing changed."""
        for name, value in values.items():
            if name in SWITCHES:
                fits = isinstance(value, bool)
            elif name in CHANCES + SECONDS:
                highest = 1 if name in CHANCES else 3600
                fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest
            else:
                raise BadDial(f"The dial has no {name!r}; it has {', '.join(CHANCES + SECONDS + SWITCHES)}.")
            if not fits:
                raise BadDial(
                    f"{value!r} does not fit {name}: a chance is 0 to 1, seconds are 0 to 3600, a switch is true or"
                    " false."
                )
        for name, value in values.items():
            setattr(self, name, value)

    def read(self) -> dict[str, Any]:
        """The settings and the counts, for JSON."""
        return {name: getattr(self, name) for name in CHANCES + SECONDS + SWITCHES} | {"counts": dict(self.counts)}
