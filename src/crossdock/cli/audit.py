"""`crossdock audit verify | export`: whether the audit log is whole, with the first row that is not; and all of it as
JSON lines.
"""

import argparse
import json
import sys
from datetime import UTC, datetime

from crossdock.cli import database
from crossdock.cli.trouble import Trouble


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["verify", "export"])
    parser.add_argument(
        "--known",
        default="",
        metavar="HASH",
        help="verify: the last hash of an earlier check, which has to be in the chain still; without it nobody can tell"
        " whether all of it was written anew by somebody who owns the database",
    )
    parser.add_argument("--since", default="", metavar="DAY", help="export: only from this day on, as 2026-11-29 (UTC)")


def run(args: argparse.Namespace) -> int:
    database.ready()
    return _verify(args.known) if args.what == "verify" else _export(args.since)


def _verify(known: str) -> int:
    from crossdock.usecases.record.audit_chain import verify

    found = verify(known=known)
    if found.broken:
        raise Trouble(f"The audit log is not whole. {found.broken} The {found.rows} rows before it are.")
    if not found.found_known:
        raise Trouble(f"The chain is whole, but {known} is not in it: what was written then was taken out.")
    print(f"All {found.rows} rows are as they were written, and none is missing at either end or between them.")
    if found.rows:
        print(f"Keep the last hash elsewhere and give it to the next check: --known {found.head}")
    return 0


def _export(since: str) -> int:
    from crossdock.store.models import AuditTopic
    from crossdock.usecases.record.audit import note
    from crossdock.usecases.record.audit_chain import exported_rows

    day = None
    if since:
        try:
            day = datetime.strptime(since, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise Trouble(f"{since} is no day. Write it as 2026-11-29.") from None
    now = datetime.now(UTC)
    note(actor=None, action="exported", subject="audit log", now=now, detail={"since": since}, topic=AuditTopic.ACCESS)
    for row in exported_rows(since=day):
        print(json.dumps(row, ensure_ascii=False), file=sys.stdout)
    return 0
