"""`crossdock retention`: how long everything is kept, why, and what happens then; `--now` does what is due, as the
worker does every night.
"""

import argparse
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.domain.retention import PICTURES, POLICY, Then


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--now", action="store_true", help="delete and black out what is due now")


def run(args: argparse.Namespace) -> int:
    if args.now:
        return _now()
    for rule in (*POLICY, PICTURES):
        days = f" after {rule.days} {'day' if rule.days == 1 else 'days'}" if rule.days else " at once"
        for_long = "" if rule.then is Then.KEEP else days
        print(f"{rule.table:<32} {rule.then}{for_long}: {rule.what}. {rule.why}")
    return 0


def _now() -> int:
    database.ready()
    from crossdock.store.models import AuditTopic
    from crossdock.usecases.record.audit import note
    from crossdock.usecases.support.retention import run as carry_out

    now = datetime.now(UTC)
    gone = carry_out(now=now)
    note(actor=None, action="retention carried out", subject="by hand", now=now, detail=gone, topic=AuditTopic.SYSTEM)
    for key, many in gone.items():
        print(f"{key}: {many}")
    if not gone:
        print("Nothing was due.")
    return 0
