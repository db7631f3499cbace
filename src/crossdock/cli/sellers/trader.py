"""`crossdock trader EMAIL business|private --by STAFF`: whether a seller sells as a business, from whom buyers may
withdraw, or as a private person. A seller is a business until somebody says otherwise.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff, seller_named
from crossdock.cli.trouble import refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address that the seller signs in with")
    parser.add_argument("trade", choices=["business", "private"])
    parser.add_argument("--by", metavar="STAFF", required=True, help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.usecases.accounts.sellers import set_trade

    seller = seller_named(args.email)
    private = args.trade == "private"
    with refusals():
        changed = set_trade(seller=seller, private=private, actor=member_of_staff(args.by), now=datetime.now(UTC))
    how = "as a private person" if private else "as a business"
    print(f"{seller.name} sells {how} from now on." if changed else f"{seller.name} sells {how} already.")
    return 0
