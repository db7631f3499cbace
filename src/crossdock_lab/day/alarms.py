"""The alert rules of deploy/prometheus over readings of /metrics, as Prometheus evaluates them.

Rules use one figure, perhaps its growth over some minutes, and a limit; more of the language is refused. As in
Prometheus, a series that appears within the window has no growth before its first value.
"""

import re
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from crossdock_lab.bench.figures import ROOT

RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
# (name, labels) -> value.
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
_EXPRESSION = re.compile(r"(increase\()?(\w+)(?:\{(.*)\})?(?:\[(\d+)m\]\))? (==|>|<) ([\d.]+)")
_FEWER = re.compile(r"(\w+) < max_over_time\(\1\[(\d+)m\]\)")
_HOW: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda value, limit: value == limit,
    ">": lambda value, limit: value > limit,
    "<": lambda value, limit: value < limit,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`window` is that of a growth, 0 for none; `patience` is how long it has to hold; both in seconds. Without a
    `limit` the figure has to be below its own most in the window.
    """

    name: str
    figure: str
    labels: frozenset[tuple[str, str]]
    window: float
    how: str
    limit: float | None
    patience: float

    def holds(self, *readings: Samples) -> bool:
        """Of its window, the oldest first."""
        return any(
            self._holds(value, [one[key] for one in readings if key in one])
            for key, value in readings[-1].items()
            if key[0] == self.figure and self.labels <= key[1]
        )

    def _holds(self, value: float, values: Sequence[float]) -> bool:
        if self.limit is None:
            return value < max(values)
        return _HOW[self.how](value - values[0] if self.window else value, self.limit)


def rules(file: Path = RULES) -> list[Rule]:
    """Raises ValueError for an expression that is not understood here."""
    told = [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    return [_rule(one) for one in told]


def _rule(told: Mapping[str, str]) -> Rule:
    patience = 60.0 * int(told.get("for", "0m").removesuffix("m"))
    if fewer := _FEWER.fullmatch(told["expr"]):
        return Rule(told["alert"], fewer[1], frozenset(), 60.0 * int(fewer[2]), "<", None, patience)
    found = _EXPRESSION.fullmatch(told["expr"])
    if found is None or bool(found[1]) != bool(found[4]):
        raise ValueError(f"{told['alert']}: {told['expr']}")
    _, figure, labels, minutes, how, limit = found.groups()
    wanted = frozenset(re.findall(r'(\w+)="([^"]+)"', labels or ""))
    return Rule(told["alert"], figure, wanted, 60.0 * int(minutes or 0), how, float(limit), patience)


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass
class Watch:
    """Reads /metrics again and again in a thread of its own, as Prometheus does. Use it as a context manager.

    `since` says of each rule that holds when it began to; times are of `time.monotonic`.
    """

    address: Callable[[], str]
    every: float = 5.0
    rules: Sequence[Rule] = field(default_factory=rules)
    readings: list[tuple[float, Samples]] = field(default_factory=list)
    since: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> "Watch":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prometheus", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(self.every + 15)

    def _run(self) -> None:
        while not self._stop.wait(self.every):
            try:
                with urllib.request.urlopen(self.address(), timeout=10) as answer:  # noqa: S310 - our own server
                    read = samples(answer.read().decode())
            except OSError:
                continue
            self._take(time.monotonic(), read)

    def _take(self, at: float, read: Samples) -> None:
        self.readings.append((at, read))
        for rule in self.rules:
            if rule.holds(*(old for when, old in self.readings if when >= at - rule.window)):
                self.since.setdefault(rule.name, at)
            else:
                self.since.pop(rule.name, None)

    def fires(self, name: str) -> bool:
        """It has held for as long as its rule asks."""
        (rule,) = (rule for rule in self.rules if rule.name == name)
        begun = self.since.get(name)
        return begun is not None and bool(self.readings) and self.readings[-1][0] - begun >= rule.patience

    def figure(self, name: str, **labels: str) -> float | None:
        """Of the newest reading, the first that fits."""
        if not self.readings:
            return None
        wanted = set(labels.items())
        return next(
            (value for (each, given), value in self.readings[-1][1].items() if each == name and wanted <= given), None
        )
