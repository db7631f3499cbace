"""`crossdock risk report | fit`: how well the rules tell fraud from honest orders, and learning from labelled orders.

`report` judges in a throw-away marketplace: made-up histories, or a file of somebody's payments. `fit` learns from the
marketplace's own.
"""

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.cli.scratch import scratch
from crossdock.cli.trouble import Trouble
from crossdock.domain.risk import RuleSet
from crossdock.domain.risk.report import Judged, judged, report

if TYPE_CHECKING:
    from crossdock.demo.fraud import Attempt
    from crossdock.store.models import RiskTrace


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["report", "fit"])
    parser.add_argument("--orders", type=int, default=0, help="report: size of the made-up history")
    parser.add_argument("--file", type=Path, help="report: judge the payments of this CSV file instead")
    parser.add_argument(
        "--delay", type=float, default=7, metavar="DAYS", help="report --file: a fraud is known so long after its order"
    )
    parser.add_argument("--kind", default="", help="report: only the made-up history of this kind (demo/histories.py)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shadow", action="store_true", help="fit: let the fitted rules run in shadow from now on")


def run(args: argparse.Namespace) -> int:
    match args.what:
        case "report" if args.file:
            return _report_file(args.file, args.delay)
        case "report":
            return _report(args.orders, args.seed, args.kind)
        case _:
            from crossdock.cli.risks.fitting import fit

            return fit(shadow=args.shadow)


def judged_since(
    attempts: "Sequence[Attempt]", traces: "Sequence[RiskTrace]", since: datetime, rules: RuleSet
) -> list[Judged]:
    """The paid ones from then on."""
    from crossdock.demo.traces import facts_of

    chosen = [(a, trace) for a, trace in zip(attempts, traces, strict=True) if a.paid and a.at >= since]
    facts = facts_of([a for a, _ in chosen], [trace for _, trace in chosen])
    rows = ((one, a.fraud if a.labelled else None) for one, (a, _) in zip(facts, chosen, strict=True))
    return judged(rules, rows)


def _report(orders: int, seed: int, kind: str) -> int:
    from crossdock.cli.risks.risk_report import over_kinds
    from crossdock.demo.histories import BY_NAME, KINDS

    if kind and kind not in BY_NAME:
        raise Trouble(f"There is no kind {kind}. There are: {', '.join(BY_NAME)}.")
    return over_kinds([BY_NAME[kind]] if kind else KINDS, seed=seed, orders=orders)


def _report_file(path: Path, delay: float) -> int:
    from crossdock.cli.risks.risk_file import rows_of
    from crossdock.demo.traces import write

    if not 0 <= delay <= 3650:
        raise Trouble("--delay is a number of days, 0 or more.")
    rows = rows_of(path, delay=timedelta(days=delay))
    print(*rows.words(), sep="\n")
    with scratch():
        print(*judged_file(rows.attempts, write(rows.attempts)), sep="\n")
    return 0


def judged_file(attempts: "Sequence[Attempt]", traces: "Sequence[RiskTrace]") -> list[str]:
    """The table over all rows and over the later part."""
    from crossdock.demo.traces import TEST_SHARE, split_at

    since = split_at([attempt.at for attempt in attempts])
    found = judged_since(attempts, traces, attempts[0].at, RuleSet())
    times = [attempt.at for attempt in attempts if attempt.paid]
    late = [row for row, at in zip(found, times, strict=True) if at >= since]
    return [
        "Each order judged by the shipped rules, with what was known at its moment.",
        *report(found).lines(),
        f"Of these the later {TEST_SHARE:.0%}, since {since:%Y-%m-%d}:",
        *report(late).lines(),
    ]
