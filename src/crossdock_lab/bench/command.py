"""`make bench`: all benches or one, alone or in turns with another commit."""

import argparse
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from crossdock.cli.scratch import orderly
from crossdock_lab.bench import finding, growth, order, shops
from crossdock_lab.bench.figures import Figure, keep, machine
from crossdock_lab.bench.installed import at, this
from crossdock_lab.bench.market import Market

BENCHES: dict[str, Callable[[Sequence[Market]], list[Figure]]] = {
    "order": order.bench,
    "import": shops.imported,
    "idle": shops.idle,
    "growth": growth.bench,
    "finding": finding.bench,
}


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", choices=[*BENCHES], help="this one alone")
    parser.add_argument("--rows", type=int, default=0, help="so many listings in the bench of finding")
    parser.add_argument("--against", metavar="COMMIT", help="measure this commit too, in turns within the same run")


def run(args: argparse.Namespace) -> int:
    installed = [this(), *([at(args.against)] if args.against else [])]
    missed = False
    for name, bench in BENCHES.items():
        if args.only in (None, name):
            print(f"# {name}: load {os.getloadavg()[0]:.1f} at the beginning", flush=True)
            with orderly(), ExitStack() as ends:
                markets = [ends.enter_context(Market(one, rows=args.rows)) for one in installed]
                server = markets[0].inside("versions")["server"]
                figures = bench(markets)
            print(*(figure.line for figure in figures), sep="\n", flush=True)
            print(f"# {machine()}, PostgreSQL {server}", flush=True)
            keep(name, figures, server=server)
            missed |= any(figure.ok is False for figure in figures)
    return 1 if missed else 0
