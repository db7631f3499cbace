"""`crossdock staff EMAIL`: somebody who signed up becomes staff, or with --off is staff no more.

It stands in the audit log.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.trouble import Trouble


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address that they sign in with")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--off", action="store_true", help="take it away again")
    what.add_argument("--end-sessions", action="store_true", help="sign anybody out everywhere")
    what.add_argument(
        "--remove-second-factor",
        action="store_true",
        help="for anybody who lost phone and recovery codes: remove it and end their sessions; make sure first that it"
        " is really them who asks",
    )


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.usecases.accounts.sessions import end_all_sessions, remove_second_factor
    from crossdock.usecases.accounts.staffing import set_staff
    from crossdock.usecases.errors import Problem

    try:
        if args.end_sessions:
            end_all_sessions(email=args.email, now=datetime.now(UTC))
            print(f"{args.email} is signed out everywhere. Tokens go on; the person can sign in again.")
            return 0
        if args.remove_second_factor:
            remove_second_factor(email=args.email, now=datetime.now(UTC))
            print(f"{args.email} has no second factor any more and is signed out everywhere.")
            return 0
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
