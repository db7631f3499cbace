"""`crossdock agent-keys`: the keys that UCP order updates are signed with, as the profile publishes them. --rotate
makes a new one and goes on with the one before until every agent can know it; --drop takes one that others may know out
of the profile at once.
"""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff
from crossdock.cli.trouble import Trouble, refusals

if TYPE_CHECKING:
    from crossdock.store.models import SigningKey


def words(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rotate", action="store_true", help="make a new key; the one before stays published a while")
    what.add_argument("--drop", metavar="KID", help="unpublish one at once that others may know")
    parser.add_argument("--by", metavar="STAFF", help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.usecases.outcomes import signing_keys

    now = datetime.now(UTC)
    if not (args.rotate or args.drop):
        return _listed(now)
    if not args.by:
        raise Trouble("Name with --by whose deed it is.")
    actor = member_of_staff(args.by)
    with refusals():
        if args.rotate:
            row = signing_keys.rotate(actor=actor, now=now)
            print(f"{row.kid} is published now and signs from {_at(row.signs_from)}.")
        else:
            row = signing_keys.drop(kid=args.drop, actor=actor, now=now)
            print(f"{args.drop} is published no longer; {row.kid} is the newest now.")
    return 0


def _listed(now: datetime) -> int:
    from crossdock.usecases.outcomes.signing_keys import all_keys

    rows = all_keys()
    for row in rows:
        print(f"{row.kid}  made {_at(row.created_at)}, {_state(row, now)}")
    if not rows:
        print("There is none yet; the first is made when an agent reads the profile.")
    return 0


def _state(row: "SigningKey", now: datetime) -> str:
    if row.ends_at is None:
        return "in force" if row.signs_from <= now else f"published, signs from {_at(row.signs_from)}"
    return f"published until {_at(row.ends_at)}" if row.ends_at > now else f"ended {_at(row.ends_at)}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
