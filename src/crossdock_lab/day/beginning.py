"""The morning: installed from the wheel, filled with rows, brought to the new version while people read."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from crossdock_lab.bench.figures import ROOT
from crossdock_lab.bench.installed import Installed
from crossdock_lab.bench.order import Till
from crossdock_lab.day import wheel
from crossdock_lab.day.machine import Machines
from crossdock_lab.day.play import Day
from crossdock_lab.facts import Facts

# What a reader waits for a page at the most while the database is brought to the new version.
LONGEST_READ = 5.0
# The metrics' package is an extra.
_EXTRA = ("prometheus-client",)
_PAGES = ("/", "/?q=ba", "/category/singles/", "/s/bench-0/")


def installed(folder: Path, commit: str, facts: Facts) -> tuple[Installed, Installed]:
    """The old version and this one, each as a wheel in an environment of its own."""
    begun = time.monotonic()
    past = wheel.tree(commit, folder / "past")
    made = []
    for name, source in (("old", past), ("new", ROOT)):
        built = wheel.build(source, folder / f"built-{name}")
        packages = [*wheel.locked(source), *_EXTRA]
        made.append(Installed(name, wheel.installed(built, folder / name, packages)))
    took = time.monotonic() - begun
    facts.see(True, "D1", "day", "install", f"two wheels built and installed alone ({commit} and this), {took:.0f} s")
    return made[0], made[1]


def seed(day: Day) -> None:
    """The old version, its database empty and then full."""
    machines = day.machines
    findings = machines.doctor()
    wrong = [one for one in findings if one["state"] == "fix"]
    day.see(
        any("crossdock migrate" in one["do"] for one in wrong),
        "D1",
        "doctor",
        f"before anything it says what to do: {wrong[0]['do'] if wrong else 'nothing'}",
    )
    machines.run("migrate", "--quiet")
    machines.begin()
    begun = time.monotonic()
    machines.within("fill", day.rows)
    known = machines.within("till")
    day.till = Till(machines, known)
    took = time.monotonic() - begun
    day.buy(day.orders)
    rows = sum(machines.within("rows").values())
    day.see(
        rows >= 3 * day.rows, "D2", "seed", f"{rows:,} rows of {day.rows:,} listings, {took:.0f} s; {day.placed} orders"
    )
    day.see(
        not [one for one in machines.doctor() if one["state"] == "fix"],
        "D1",
        "doctor",
        "with a worker nothing is to mend",
    )


def upgrade(day: Day) -> None:
    """`crossdock migrate` of the new version while the old servers work and people read; then the servers in turn."""
    machines = day.machines
    rows = machines.within("rows")
    with Readers(machines) as readers:
        begun = time.monotonic()
        done = machines.upgrade(day.new)
        took = time.monotonic() - begun
    day.see(done.returncode == 0, "D3", "upgrade", f"{(done.stdout or done.stderr).strip()[-300:]} {took:.1f} s")
    day.see(
        readers.answered > 0 and not readers.wrong and readers.slowest < LONGEST_READ,
        "D3",
        "upgrade",
        f"{readers.answered} pages read meanwhile from the old servers, the slowest in {readers.slowest:.2f} s,"
        f" {len(readers.wrong)} wrong {readers.wrong[:3] if readers.wrong else ''}",
    )
    old = (machines.web, machines.worker)
    for child in old:
        machines.stop(child)
    machines.begin()
    now = machines.within("rows")
    lost = {name: (many, now.get(name)) for name, many in rows.items() if (now.get(name) or 0) < many}
    day.see(not lost, "D3", "upgrade", f"every table has its rows, {sum(now.values()):,} in all {lost or ''}")
    day.buy()
    day.see(True, "D3", "upgrade", "orders go on with the new servers")
    day.see(
        not [one for one in machines.doctor() if one["state"] == "fix"], "D1", "doctor", "after it nothing is to mend"
    )


@dataclass
class Readers:
    """People who read pages all the time. Use it as a context manager."""

    machines: Machines
    answered: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __enter__(self) -> "Readers":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(90)

    def _run(self) -> None:
        while not self._stop.is_set():
            for path in _PAGES:
                begun = time.monotonic()
                page = self.machines.get(path, timeout=60)
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.answered += 1
                if page.status != 200:
                    self.wrong.append(f"{path}: {page.status}")
