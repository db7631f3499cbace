"""A figure, and the page that keeps the newest of each."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench` (`make bench ONLY=order` for one of them, `AGAINST=<commit>` to measure that commit in turns
with this one). A ratio is this commit's figure divided by the other's, both of the same run; figures of different runs
say little, since a machine's own speed changes.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is to what `against` names, `goal` a bound of the ratio, or of the value where nothing is beside it."""

    bench: str
    figure: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    goal: str = ""
    ok: bool | None = None

    @property
    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def beside(
    bench: str, figure: str, unit: str, ours: float, theirs: float | None, *, against: str = "", at_most: float = 0.0
) -> Figure:
    """With the ratio to the other commit, whose goal is at most `at_most`, if it has one."""
    ratio = round(ours / theirs, 3) if theirs else None
    goal = f"ratio at most {at_most:g}" if at_most and ratio is not None else ""
    ok = ratio <= at_most if goal and ratio is not None else None
    return Figure(bench, figure, round(ours, 3), unit, ratio, against if ratio is not None else "", goal, ok)


def bounded(bench: str, figure: str, unit: str, value: float, *, at_most: float) -> Figure:
    return Figure(bench, figure, round(value, 3), unit, goal=f"at most {at_most:g}", ok=value <= at_most)


def machine() -> str:
    """What it ran on, with what else the machine had to do."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    return f"{os.cpu_count()} processors, {memory:.0f} GB, {load}; Python {platform.python_version()}"


def commit() -> str:
    said = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def keep(bench: str, figures: Sequence[Figure], *, server: str) -> None:
    """The newest run of this bench takes the place of its last one."""
    parts = PAGE.read_text().split("\n## ")[1:] if PAGE.exists() else []
    kept = {part.partition("\n")[0]: part for part in parts}
    rows = "\n".join(
        f"| {one.figure} | {one.value:g} {one.unit} | {'' if one.ratio is None else f'{one.ratio:g} of {one.against}'}"
        f" | {one.goal} | {'' if one.ok is None else 'yes' if one.ok else 'no'} |"
        for one in figures
    )
    kept[bench] = (
        f"{bench}\n\n{datetime.now(UTC):%Y-%m-%d}, commit {commit()}; {machine()}, PostgreSQL {server}.\n\n"
        f"| figure | value | ratio | goal | reached |\n|---|---|---|---|---|\n{rows}\n"
    )
    PAGE.write_text(_HEAD + "".join(f"\n## {part.rstrip()}\n" for _, part in sorted(kept.items())))
