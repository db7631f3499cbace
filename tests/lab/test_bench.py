"""What `make bench` says: its figures, its page, and that it can begin with an older commit's modules."""

import json
import os
import sys
import time
from pathlib import Path
from typing import cast

import pytest

from crossdock_lab.bench import figures, finding, finding_inside, inside, market
from crossdock_lab.bench.command import BENCHES
from crossdock_lab.bench.figures import Figure, beside, bounded
from crossdock_lab.bench.installed import this
from market import World


def test_a_figure_beside_another_commit_has_its_ratio_and_its_goal() -> None:
    one = beside("order", "time", "ms", 30.0, 120.0, against="abc", at_most=0.25)
    assert json.loads(one.line) == {
        "bench": "order",
        "figure": "time",
        "value": 30.0,
        "unit": "ms",
        "ratio": 0.25,
        "against": "abc",
        "goal": "ratio at most 0.25",
        "ok": True,
    }
    assert beside("order", "time", "ms", 31.0, 120.0, against="abc", at_most=0.25).ok is False
    assert beside("order", "time", "ms", 30.0, None, at_most=0.25) == Figure("order", "time", 30.0, "ms")
    assert (bounded("x", "y", "", 20, at_most=20).ok, bounded("x", "y", "", 21, at_most=20).ok) == (True, False)


def test_a_run_takes_the_place_of_its_last_one_and_of_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PAGE", tmp_path / "benchmarks.md")
    for bench, value in (("order", 1.0), ("idle", 2.0), ("order", 3.0)):
        figures.keep(bench, [Figure(bench, "time", value, "ms")], server="18.6")
    page = figures.PAGE.read_text()
    assert page.index("## idle") < page.index("## order") and page.count("## ") == 2
    assert "| time | 3 ms |" in page and "| time | 2 ms |" in page and "| time | 1 ms |" not in page


def test_a_name_is_found_wherever_a_commit_keeps_it() -> None:
    assert inside.named("make_listing").__module__.startswith("crossdock.usecases")
    with pytest.raises(SystemExit):
        inside.named("no_such_function")


def test_processor_time_is_that_of_a_process_and_its_children() -> None:
    before, mine = market._of_tree(os.getpid()), time.process_time()
    while time.process_time() - mine < 0.05:
        pass
    assert market._of_tree(os.getpid()) - before >= 0.03
    assert market._megabytes(os.getpid()) > 10 and market._megabytes(0) == 0
    assert this().python == Path(sys.executable)


@pytest.mark.django_db
def test_what_is_left_to_do_is_counted() -> None:
    World().buy()
    assert inside.unsent() == 3


def test_every_bench_is_one_that_make_knows() -> None:
    line = next(line for line in (figures.ROOT / "Makefile").read_text().splitlines() if line.startswith("bench:"))
    assert all(name in line for name in BENCHES)


def test_a_page_of_many_listings_that_takes_too_long_is_named() -> None:
    class Filled:
        rows, asked = 2_000, list[tuple[object, ...]]()

        def stop_worker(self) -> None:
            self.asked.append(("stop",))

        def inside(self, *words: object, script: Path) -> dict[str, float]:
            self.asked.append(words)
            return {"a word": 299.0, "a range": 2414.5}

    filled = Filled()
    said = {figure.figure: figure.ok for figure in finding.bench([cast("market.Market", filled)])}
    assert said == {"2,000 listings: a word": True, "2,000 listings: a range": False}
    assert filled.asked == [("stop",), ("fill", 2_000), ("ask",)]


def test_the_words_of_titles_are_the_same_in_each_run() -> None:
    assert finding_inside._words() == finding_inside._words()
    assert len(set(finding_inside._words())) == finding_inside.NAMES
