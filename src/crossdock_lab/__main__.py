"""`python -m crossdock_lab <proof>`: what `make story` and `make soak` play. A proof's module is imported only when it
is called.
"""

import argparse
import sys
from collections.abc import Sequence

from crossdock.cli.main import dispatch

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
    "api": ("proof.described", "made-up requests to every documented operation of the API, each answer as documented"),
    "day": (
        "day.command",
        "one operator's day: installed, upgraded, backed up and broken, all of it seen in the metrics",
    ),
    "bench": ("bench.command", "what work costs, alone or in turns with another commit"),
    "risk-bench": ("risk_bench", "what judging an order costs, over a long history"),
    "risk-weights": ("risk_weights", "learn the shipped weights again from the made-up histories"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code; 1 when a fact was wrong."""
    parser = argparse.ArgumentParser(prog="python -m crossdock_lab", description="The proofs of Crossdock.")
    return dispatch(parser, PROOFS, argv, package="crossdock_lab", kind="proof")


if __name__ == "__main__":
    sys.exit(main())
