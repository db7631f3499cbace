"""What a run of the scenarios showed, by capability, and the evidence file that keeps it beside the connector: what was
proven, against what, with which version and when. The documentation and the seller's panel show it.
"""

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from crossdock.domain.capability import Capability, Manifest, No
from crossdock.kit import discover
from crossdock.kit.conformance.suite import Result, Scenario, Verdict, scenarios

FILE = "evidence.json"


@dataclass(frozen=True, slots=True)
class Proven:
    """One run that failed nowhere. `not_claimed` are scenarios whose capability the manifest denies. `kind` is that of
    the evidence (`EvidenceKind`), where a run is one by itself.
    """

    against: str
    api_version: str
    crossdock: str
    on: str
    passed: int
    not_claimed: int
    not_played: int
    kind: str = ""

    @property
    def sentence(self) -> str:
        """As people read it."""
        whole = self.passed + self.not_claimed + self.not_played
        rest = [
            f"{count} {words}"
            for count, words in ((self.not_claimed, "not claimed"), (self.not_played, "not playable there"))
            if count
        ]
        left = f" ({', '.join(rest)})" if rest else ""
        return f"{self.passed} of {whole} scenarios passed against {self.against}{left}, {self.on}."


def group_of(item: Scenario) -> Capability | None:
    """The capability that a scenario is about: the last that it needs. What reads counts to see is not about counts."""
    named: list[Capability] = [need for need in item.needs if need is not Capability.COUNTS_READ]
    return named[-1] if named else item.needs[0] if item.needs else None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `capability` is None for what every connector has to do."""

    capability: Capability | None
    claimed: bool
    passed: int
    failed: int
    not_played: int
    sentence: str = ""


def table(manifest: Manifest, results: Collection[Result]) -> list[Row]:
    """By capability, in the manifest's order."""
    about = {item.number: group_of(item) for item in scenarios()}
    rows = []
    for capability in (None, *Capability):
        of = [result.verdict for result in results if about[result.number] is capability]
        answer = manifest.answers[capability] if capability else None
        rows.append(
            Row(
                capability,
                not isinstance(answer, No),
                of.count(Verdict.PASSED),
                of.count(Verdict.FAILED),
                of.count(Verdict.NOT_PLAYED),
                answer.sentence if isinstance(answer, No) else "",
            )
        )
    return rows


def proven(manifest: Manifest, results: Sequence[Result], *, against: str, on: date, kind: str = "") -> Proven:
    counts = [result.verdict for result in results]
    return Proven(
        against,
        manifest.api_version,
        version("crossdock"),
        on.isoformat(),
        counts.count(Verdict.PASSED),
        counts.count(Verdict.NOT_CALLED_FOR),
        counts.count(Verdict.NOT_PLAYED),
        kind,
    )


def file_of(platform: str) -> Path | None:
    """Beside the connector's own code; None where that is no file."""
    package = discover.packages().get(platform)
    module = sys.modules.get(package.module if package else f"crossdock.connectors.{platform}")
    place = getattr(module, "__file__", None)
    return Path(place).with_name(FILE) if place else None


def read(path: Path | None) -> tuple[Proven, ...]:
    """What stands in the file, newest first; nothing where there is none, or where it is damaged."""
    try:
        rows = json.loads(path.read_text("utf-8")) if path else []
        found = [Proven(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return ()
    return tuple(sorted(found, key=lambda one: one.on, reverse=True))


def of(platform: str) -> tuple[Proven, ...]:
    return read(file_of(platform))


def write(path: Path, new: Proven) -> None:
    """In place of what stood there against the same thing."""
    kept: Iterable[Proven] = (one for one in read(path) if one.against != new.against)
    rows = sorted([new, *kept], key=lambda one: one.against)
    said = [{name: value for name, value in asdict(one).items() if value != ""} for one in rows]
    path.write_text(json.dumps(said, indent=2) + "\n")
