"""`crossdock check payments`: whether what this marketplace is joined with is set up, and what is missing.

`crossdock check connector WHAT`: whether a connector, or a shop behind one, does what it claims.
"""

import argparse

from crossdock.cli import payments
from crossdock.cli.checks import connector


def words(parser: argparse.ArgumentParser) -> None:
    checks = parser.add_subparsers(dest="what", required=True, metavar="what")
    checks.add_parser("payments", help="what is missing before buyers can pay")
    does = "whether a connector, a shop at an address or a recorded tape does what it claims"
    connector.words(checks.add_parser("connector", help=does))


def run(args: argparse.Namespace) -> int:
    return payments.check() if args.what == "payments" else connector.run(args)
