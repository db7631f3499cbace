"""`crossdock platform NAME`: one switch for all shops of a platform. Paused, none of them is called, their listings
wait, and each seller reads why, on the shop's page and in a mail; resumed, everything is read again and what waited is
sent.
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
    from django.db import transaction

    from crossdock.store.models import Connection
    from crossdock.store.models.shops import ConnectionState
    from crossdock.usecases.shops.pausing import pause, resume

    actor, now = member_of_staff(args.by), datetime.now(UTC)
    of_it = Connection.objects.filter(platform=args.platform.strip().lower()).select_related("seller__owner")
    if not of_it.exists():
        raise Trouble(f"No shop of a platform named {args.platform} is connected.")
    # Each begins so; a shop that staff paused for a reason of its own does not, and stays paused.
    mark = "All shops of this platform are paused."
    with refusals(), transaction.atomic():
        if args.resume:
            shops = list(of_it.filter(paused_by_staff__contains=mark, seller__owner__is_active=True))
            for shop in shops:
                resume(connection=shop, actor=actor, now=now)
        else:
            if not args.pause.strip():
                raise Trouble("Say why: the sellers read it.")
            shops = list(of_it.filter(paused_by_staff="").exclude(state=ConnectionState.DISCONNECTED))
            for shop in shops:
                pause(connection=shop, actor=actor, why=f"{mark} {args.pause.strip()}", now=now)
    print(f"Shops {'resumed' if args.resume else 'paused'}: {len(shops)}.")
    return 0
