"""`crossdock resend`: what was given up, gathered by cause; with a part of the cause, all of that are sent again."""

import argparse
from collections import Counter
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff
from crossdock.cli.trouble import Trouble


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cause", nargs="?", help="a part of what stands behind the number in the list; none lists all")
    parser.add_argument("--by", metavar="STAFF", help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.store.models import Command
    from crossdock.store.models.work import CommandState
    from crossdock.usecases.errors import Problem
    from crossdock.usecases.orders.actions import resend_command

    dead = [(row, f"{row.kind}: {row.sentence}") for row in Command.objects.filter(state=CommandState.DEAD)]
    if args.cause is None:
        for cause, many in Counter(cause for _, cause in dead).most_common():
            print(f"{many:>6}  {cause}")
        if not dead:
            print("Nothing was given up.")
        return 0
    wanted = [row for row, cause in dead if args.cause.strip() and args.cause.strip().lower() in cause.lower()]
    if not wanted:
        raise Trouble("Nothing that was given up has this in its cause; `crossdock resend` lists the causes.")
    if not args.by:
        raise Trouble("Name with --by whose deed it is.")
    actor, sent = member_of_staff(args.by), 0
    # Each by itself: what is tried again already, or may not be, holds up no other.
    for row in sorted(wanted, key=lambda row: row.pk):
        try:
            resend_command(command=row, actor=actor, now=datetime.now(UTC))
            sent += 1
        except Problem as problem:
            print(f"{row}: {problem}")
    print(f"Sent again: {sent} of {len(wanted)}.")
    return 0 if sent == len(wanted) else 1
