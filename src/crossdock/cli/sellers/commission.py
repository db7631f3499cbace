"""`crossdock commission EMAIL PERCENT --by STAFF`: what the marketplace keeps of a seller's orders from now on. Orders
placed before keep theirs, also when they are credited later.
"""

import argparse
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff
from crossdock.cli.trouble import Trouble, refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address that the seller signs in with")
    parser.add_argument("percent", help="as 8 or 7.25; without tax")
    parser.add_argument("--by", metavar="STAFF", required=True, help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    try:
        points = Decimal(args.percent.strip().removesuffix("%").strip()) * 100
    except InvalidOperation:
        points = Decimal("NaN")
    if not points.is_finite() or points != points.to_integral_value():
        raise Trouble(f"{args.percent} is no commission. Type per cent with at most two decimals, as 7.25.")
    database.ready()
    from crossdock.store.models import Seller
    from crossdock.usecases.accounts.commission import set_commission

    seller = Seller.objects.filter(owner__email__iexact=args.email.strip()).first()
    if seller is None:
        raise Trouble(f"No seller signs in as {args.email.strip()}.")
    with refusals():
        before = set_commission(
            seller=seller, basis_points=int(points), actor=member_of_staff(args.by), now=datetime.now(UTC)
        )
    said = f"{(points / 100).normalize():f} %"
    print(
        f"The commission of {seller.name} is {said} for orders from now on; it was {before}."
        if before != said
        else f"The commission of {seller.name} is {said} already."
    )
    return 0
