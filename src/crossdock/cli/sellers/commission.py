"""`crossdock commission EMAIL PERCENT --by STAFF`: what the marketplace keeps of a seller's orders from now on. Orders
placed before keep theirs, also when they are credited later.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff, seller_named
from crossdock.cli.trouble import refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address that the seller signs in with")
    parser.add_argument("percent", help="as 8 or 7.25; without tax")
    parser.add_argument("--by", metavar="STAFF", required=True, help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.domain.earnings.commission import in_percent
    from crossdock.usecases.accounts.commission import basis_points, set_commission

    seller = seller_named(args.email)
    with refusals():
        points = basis_points(args.percent)
        before = set_commission(
            seller=seller, basis_points=points, actor=member_of_staff(args.by), now=datetime.now(UTC)
        )
    said = in_percent(points)
    print(
        f"The commission of {seller.name} is {said} for orders from now on; it was {before}."
        if before != said
        else f"The commission of {seller.name} is {said} already."
    )
    return 0
