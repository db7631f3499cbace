"""`crossdock staff EMAIL --role ROLE`: gives somebody who signed up a role of staff, --take takes it away; without
an address it lists who has which. The first of all becomes admin without a word more.

Every change stands in the audit log.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.trouble import refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", nargs="?", help="the address that they sign in with; nobody's lists all staff")
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="ROLE",
        help="give this role: support, risk, finance, operations or admin (docs/roles.md says what each may); may be"
        " repeated",
    )
    parser.add_argument(
        "--take", action="append", default=[], metavar="ROLE", help="take this role away, which ends their sessions"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--off", action="store_true", help="take every role away")
    what.add_argument("--end-sessions", action="store_true", help="sign anybody out everywhere")
    what.add_argument(
        "--unbind",
        action="store_true",
        help="the identity provider knows them anew: their next sign-in there binds by their address again",
    )
    what.add_argument(
        "--remove-second-factor",
        action="store_true",
        help="for anybody who lost phone and recovery codes: remove it and end their sessions; make sure first that it"
        " is really them who asks",
    )


def run(args: argparse.Namespace) -> int:
    database.ready()
    with refusals():
        return _do(args)


def _do(args: argparse.Namespace) -> int:
    from crossdock.domain.roles import Role
    from crossdock.usecases.accounts.idp.binding import unbind
    from crossdock.usecases.accounts.sessions import end_all_sessions, remove_second_factor
    from crossdock.usecases.accounts.staffing import no_admin, set_roles

    now = datetime.now(UTC)
    if args.email is None:
        return _list()
    if args.end_sessions:
        end_all_sessions(email=args.email, now=now)
        print(f"{args.email} is signed out everywhere. Tokens go on; the person can sign in again.")
        return 0
    if args.unbind:
        unbind(email=args.email, now=now)
        print(f"{args.email} is not bound to the identity provider any more and is signed out everywhere.")
        return 0
    if args.remove_second_factor:
        remove_second_factor(email=args.email, now=now)
        print(f"{args.email} has no second factor any more and is signed out everywhere.")
        return 0
    roles = set_roles(email=args.email, give=args.role, take=list(Role) if args.off else args.take, now=now)
    said = f"is staff as {', '.join(roles)}; their pages are at /staff/" if roles else "is staff no more"
    print(f"{args.email} {said}.")
    if no_admin():
        print("Nobody is admin now. `crossdock staff EMAIL --role admin` makes one.")
    return 0


def _list() -> int:
    from crossdock.usecases.accounts.staffing import staff_people
    from crossdock.usecases.record.rights import roles_of

    people = list(staff_people())
    for person in people:
        print(f"{person.email}  {', '.join(roles_of(person)) or 'no role: may nothing'}")
    if not people:
        print("Nobody is staff yet. `crossdock staff EMAIL` makes the first one, as admin.")
    return 0
