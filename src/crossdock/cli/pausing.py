"""`crossdock platform NAME`: one switch for all shops of a platform. Paused, none of them is called, their listings
wait, and each seller reads why, on the shop's page and in a mail; one that is connected meanwhile is paused too.
Resumed, everything is read again and what waited is sent.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff
from crossdock.cli.trouble import Trouble, refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("platform", help="its name, as docs/platforms.md has it in lower case")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--pause", metavar="WHY", help="what the sellers read")
    what.add_argument("--resume", action="store_true", help="resume what --pause paused, and no other shop")
    parser.add_argument("--by", metavar="STAFF", required=True, help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.kit import discover
    from crossdock.store.models import Connection
    from crossdock.usecases.shops.pausing import pause_platform, resume_platform

    actor, now, platform = member_of_staff(args.by), datetime.now(UTC), args.platform.strip().lower()
    if platform not in discover.connectors() and not Connection.objects.filter(platform=platform).exists():
        raise Trouble(f"There is no platform named {args.platform}.")
    with refusals():
        if args.resume:
            many = resume_platform(platform=platform, actor=actor, now=now)
        else:
            many = pause_platform(platform=platform, why=args.pause, actor=actor, now=now)
    print(f"Shops {'resumed' if args.resume else 'paused'}: {many}.")
    return 0
