"""`crossdock check payments`: whether what this marketplace is joined with is set up, and what is missing."""

import argparse

from crossdock.cli import payments


def words(parser: argparse.ArgumentParser) -> None:
    checks = parser.add_subparsers(dest="what", required=True, metavar="what")
    checks.add_parser("payments", help="what is missing before buyers can pay")


def run(args: argparse.Namespace) -> int:
    return payments.check()
