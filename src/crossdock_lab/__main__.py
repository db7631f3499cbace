"""`python -m crossdock_lab <proof>`: what `make story` and `make soak` play. A proof's module is imported only when it
is called.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from crossdock.cli.main import Command
from crossdock.cli.trouble import Trouble
from crossdock.config import WrongSetting

# proof -> (module below crossdock_lab, what it does)
PROOFS: dict[str, tuple[str, str]] = {
    "story": ("story", "play the rules on every platform, with faults, and print one line per fact"),
    "loop": ("loop", "many orders on every platform, with faults and a worker that is killed"),
    "model": ("proof.model", "the stock protocol explored state by state"),
    "stock": ("proof.stock", "the product itself under a seeded scheduler"),
    "rush": ("proof.rush", "many buyers for the last unit of each listing while the shops sell some of them"),
    "reconcile": ("proof.reconcile", "a big shop whose counts changed while the marketplace was off"),
    "labels": ("proof.labels", "many labels while the carrier loses answers, and the worker is killed"),
    "odd": ("proof.odd", "every value of each platform's answers replaced by each odd but legal one"),
    "bench": ("bench.command", "what work costs, alone or in turns with another commit"),
    "risk-bench": ("risk_bench", "what judging an order costs, over a long history"),
    "risk-weights": ("risk_weights", "learn the shipped weights again from the made-up histories"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code; 1 when a fact was wrong."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m crossdock_lab", description="The proofs of Crossdock.")
    commands = parser.add_subparsers(dest="proof", required=True, metavar="proof")
    module: Command | None = None
    for name, (place, does) in PROOFS.items():
        its = commands.add_parser(name, help=does, description=does[:1].upper() + does[1:] + ".")
        if given and given[0] == name:
            module = import_module(f"crossdock_lab.{place}")
            module.words(its)
    args = parser.parse_args(given)
    assert module is not None
    try:
        return module.run(args)
    except (Trouble, WrongSetting) as trouble:
        print(f"crossdock_lab: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
