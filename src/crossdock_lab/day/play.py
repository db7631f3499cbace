"""What the scenes of the day share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from crossdock.cli.trouble import Trouble
from crossdock_lab.bench.installed import Installed
from crossdock_lab.bench.order import Till
from crossdock_lab.day.alarms import Watch
from crossdock_lab.day.machine import Machines
from crossdock_lab.facts import Facts
from crossdock_lab.patience import patient


@dataclass
class Day:
    """`new` is the version that is upgraded to; `till` places orders from the seed on."""

    facts: Facts
    machines: Machines
    watch: Watch
    new: Installed
    rows: int
    orders: int
    platform: str
    till: Till | None = None
    placed: int = field(default=0)

    def see(self, true: bool, rule: str, scene: str, seen: str) -> bool:
        return self.facts.see(true, rule, "day", scene, seen)

    def buy(self, many: int = 8) -> None:
        """Orders by the API, sent and mailed."""
        assert self.till is not None
        self.till.round(many, counts=False)
        self.placed += many

    def soon(self, done: Callable[[], bool], seconds: float) -> float | None:
        """How many seconds it took; None where it did not come in time. `seconds` are those of a quiet machine."""
        begun, most = time.monotonic(), patient(seconds)
        while not done():
            if time.monotonic() - begun > most:
                return None
            time.sleep(0.5)
        return time.monotonic() - begun

    def holds(self, alert: str, seconds: float) -> float | None:
        """Until the alert's condition is read from /metrics."""
        return self.soon(lambda: alert in self.watch.since, seconds)

    def fires(self, alert: str, seconds: float) -> float | None:
        return self.soon(lambda: self.watch.fires(alert), seconds)

    def quiet(self, alert: str, seconds: float) -> float | None:
        return self.soon(lambda: alert not in self.watch.since, seconds)


def said(took: float | None) -> str:
    return "not in time" if took is None else f"after {took:.0f} s"


def first_line(text: str) -> str:
    """Of what a command said. Raises Trouble when it said nothing."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        raise Trouble("The command said nothing.")
    return lines[-1].strip()
