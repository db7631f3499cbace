"""`crossdock attributes [FILE --by STAFF]`: the marketplace's attributes and categories as a JSON document, printed or
replaced. docs/finding.md describes it.
"""

import argparse
import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff
from crossdock.cli.trouble import Trouble, refusals


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", help="a JSON document; without one, what is in force is printed")
    parser.add_argument("--by", metavar="STAFF", help="whose deed it is, by their address")
    parser.add_argument("--dry", action="store_true", help="say what would change, and change nothing")
    parser.add_argument("--example", action="store_true", help="print a document for trading cards")


def run(args: argparse.Namespace) -> int:
    if args.example:
        print(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"), end="")
        return 0
    if args.file and not args.dry and not args.by:
        raise Trouble("Say whose deed it is: --by and the address of a member of staff.")
    document = _read(args.file) if args.file else None
    database.ready()
    from crossdock.usecases.catalogue.taxonomy import changes, checked, define, document_in_force, in_force

    if document is None:
        print(json.dumps(document_in_force(), ensure_ascii=False, indent=2))
        return 0
    with refusals():
        found = changes(in_force(), checked(document))
        for change in found:
            had = (
                f" {change.listings if change.listings <= 1000 else '1,000+'} live listings have it."
                if change.listings
                else ""
            )
            print(f"{change.sentence}{had}")
        if args.dry:
            print("Nothing was changed.")
            return 0
        fresh = define(document=document, actor=member_of_staff(args.by), now=datetime.now(UTC))
    print("In force. Workers fill the listings again." if fresh else "That is in force already.")
    return 0


def _read(name: str) -> object:
    """Raises Trouble."""
    try:
        return json.loads(Path(name).read_text("utf-8-sig"))
    except OSError as error:
        raise Trouble(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Trouble(f"{name} is no text in UTF-8.") from None
    except ValueError as error:
        raise Trouble(f"{name} is no JSON: {error}.") from None
