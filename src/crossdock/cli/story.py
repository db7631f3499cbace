"""`crossdock story`: a fresh world, the loop on every platform with the faults on, one line per fact. `--break NAME` plants a bug and must end in FAIL."""

import argparse
from collections.abc import Iterable

from crossdock.cli import scenes
from crossdock.cli.facts import Facts
from crossdock.cli.stage import stages
from crossdock.cli.trial import Trial, Waited


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--break", dest="bug", default="", help="plant a bug: " + ", ".join(scenes.BUGS))
    parser.add_argument(
        "--platform", action="append", default=[], help="only these platforms; may be given several times"
    )


def run(args: argparse.Namespace) -> int:
    facts = Facts()
    with Trial(environment={"CROSSDOCK_BREAK": args.bug} if args.bug else {}) as trial:
        trial.start_web()
        trial.worker.start()
        for stage in stages(trial, facts, args.platform):
            for scene in _chosen(args.bug):
                try:
                    scene(stage)
                except Waited as late:
                    facts.see(
                        False, "-", stage.platform, "as-described", f"{scene.__name__}: {str(late).splitlines()[0]}"
                    )
                    if not args.bug:
                        print(late)
                finally:
                    stage.calm()
    return facts.end()


def _chosen(bug: str) -> Iterable[scenes.Scene]:
    """All of them; with a planted bug only those that are there to notice it, so that it is noticed for the right reason."""
    return scenes.BUGS.get(bug, scenes.SCENES)
