"""`crossdock work`: one worker. SIGTERM finishes what is in flight or gives it back."""

import argparse

from crossdock.cli import database, extras
from crossdock.config import load


def words(parser: argparse.ArgumentParser) -> None:
    """No words: everything comes from the environment."""


def run(args: argparse.Namespace) -> int:
    extras.there(load())
    database.ready()
    database.let_go()
    from crossdock.engine import worker

    return int(worker.main() or 0)
