"""`crossdock staff EMAIL`: somebody who signed up becomes staff, or with --off is staff no more.

It stands in the audit log.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.trouble import Trouble


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address that they sign in with")
    parser.add_argument("--off", action="store_true", help="take it away again")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.usecases.accounts.staffing import set_staff
    from crossdock.usecases.errors import Problem

    try:
        fresh = set_staff(email=args.email, staff=not args.off, now=datetime.now(UTC))
    except Problem as problem:
        raise Trouble(str(problem)) from None
    word = "is staff no more" if args.off else "is staff; their pages are at /staff/"
    print(
        f"{args.email} {word}."
        if fresh
        else f"{args.email} was {'no ' if args.off else ''}staff before; nothing was changed."
    )
    return 0
