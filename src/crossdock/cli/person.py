"""`crossdock person EMAIL`: suspends somebody, lets them in again, ends every session and token that they hold, or
writes a copy of their data.

Every change stands in the audit log.
"""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from crossdock.cli import database
from crossdock.cli.trouble import Trouble, refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address that they sign in with")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--suspend", metavar="WHY", help="they cannot sign in, and read why in a mail")
    what.add_argument("--restore", action="store_true", help="they can sign in again")
    what.add_argument("--copy-data", metavar="FILE", help="write all that is kept of them into a new ZIP file")
    what.add_argument("--end-access", action="store_true", help="end all their sessions and API tokens")
    parser.add_argument(
        "--by", metavar="STAFF", help="with --suspend: whose deed it is that the person's shops are paused too"
    )


def run(args: argparse.Namespace) -> int:
    database.ready()
    with refusals():
        return _do(args)


def _do(args: argparse.Namespace) -> int:
    from django.db import transaction

    from crossdock.usecases.accounts import suspending

    now = datetime.now(UTC)
    if args.restore:
        suspending.restore(email=args.email, now=now)
        print(f"{args.email} can sign in again. Tokens stay ended; shops that were paused are resumed by staff.")
        return 0
    if args.copy_data:
        return _copy(args.email, Path(args.copy_data), now)
    if args.end_access:
        ended = suspending.end_access(email=args.email, now=now)
        print(f"{args.email} is signed out everywhere; API tokens ended: {ended}. The person can sign in again.")
        return 0
    with transaction.atomic():
        ended = suspending.suspend(email=args.email, why=args.suspend, now=now)
        paused = _pause_shops(args, now)
    print(f"{args.email} is suspended and signed out everywhere. API tokens ended: {ended}. Shops paused: {paused}.")
    return 0


def _copy(email: str, path: Path, now: datetime) -> int:
    """For somebody who cannot sign in. Readable by whoever runs this alone; a file that is there is left alone."""
    from crossdock.usecases.privacy.runs import write_copy

    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            rows = write_copy(email=email, take=lambda piece: file.write(piece), now=now)
    except FileExistsError:
        raise Trouble(f"{path} is there already. Name another file.") from None
    except OSError as error:
        raise Trouble(f"{path} cannot be written: {error.strerror}.") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    print(f"{path} has {rows} rows. Give it to nobody but the person, and delete it afterwards.")
    return 0


def _pause_shops(args: argparse.Namespace, now: datetime) -> int:
    from crossdock.cli.deeds import member_of_staff
    from crossdock.store.models import Connection
    from crossdock.store.models.shops import ConnectionState
    from crossdock.usecases.shops.pausing import pause

    theirs = Connection.objects.filter(seller__owner__email__iexact=args.email.strip())
    shops = list(theirs.exclude(state=ConnectionState.DISCONNECTED).select_related("seller__owner"))
    if shops and not args.by:
        raise Trouble(
            f"{args.email} sells from {len(shops)} connected shop{'s' if len(shops) > 1 else ''}; name with --by who of"
            " staff pauses them. Nothing was changed."
        )
    for shop in shops:
        pause(connection=shop, actor=member_of_staff(args.by), why=args.suspend, anew=True, now=now)
    return len(shops)
