"""`crossdock world FILE`: the demo world, filled once.

FILE lists the simulated shops, as `crossdock sandbox --list FILE` writes it.
"""

import argparse
import json
from pathlib import Path

from crossdock.cli import database
from crossdock.cli.trouble import Trouble


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)


def run(args: argparse.Namespace) -> int:
    database.ready()
    from django.conf import settings

    if not settings.DEMO:
        raise Trouble("The demo world goes only into a demo; set CROSSDOCK_DEMO=true if this is one.")
    from crossdock.demo.world import ensure

    for sentence in ensure(shops=json.loads(args.file.read_text())):
        print(sentence)
    return 0
