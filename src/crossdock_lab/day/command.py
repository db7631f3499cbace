"""`make operators-day`: one operator's day, a line per fact, ok or FAIL, as in the story.

Everything runs as its own process on this machine: two installed versions, a database, web servers, workers, simulated
shops. A trouble counts as seen when /metrics shows it and the alert rule of deploy/prometheus holds; what has to hold
for minutes is waited for where they are few.
"""

import argparse
import tempfile
from pathlib import Path

from crossdock.cli.scratch import orderly
from crossdock_lab.day import beginning, copies, losses
from crossdock_lab.day.alarms import Watch
from crossdock_lab.day.machine import Machines
from crossdock_lab.day.play import Day
from crossdock_lab.day.wheel import before
from crossdock_lab.facts import Facts

STEPS = 15
SCENES = {scene.__name__: scene for scene in losses.SCENES}


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=10_000, metavar="N", help="so many listings (10,000)")
    parser.add_argument("--orders", type=int, default=64, metavar="N", help="and so many orders (64)")
    parser.add_argument(
        "--from", dest="commit", default="", help=f"upgrade from this commit; {STEPS} migrations ago unless you say so"
    )
    parser.add_argument(
        "--scene", action="append", default=[], choices=list(SCENES), help="of what is lost only this; several times"
    )
    parser.add_argument("--platform", default="", help="whose simulated shop is connected")


def run(args: argparse.Namespace) -> int:
    from crossdock.kit import discover

    lost = [scene for name, scene in SCENES.items() if name in args.scene or not args.scene]
    facts, platform = Facts(), args.platform or discover.simulated()[-1]
    with orderly(), tempfile.TemporaryDirectory(prefix="crossdock-day-") as place:
        folder = Path(place)
        # The database's own user has to enter it.
        folder.chmod(0o711)
        old, new = beginning.installed(folder, args.commit or before(STEPS), facts)
        with Machines(old) as machines, Watch(lambda: f"http://127.0.0.1:{machines.port}/metrics") as watch:
            day = Day(facts, machines, watch, new, rows=args.rows, orders=args.orders, platform=platform)
            for scene in (beginning.seed, beginning.upgrade, copies.backup, *lost, losses.afterwards):
                scene(day)
    return facts.end()
