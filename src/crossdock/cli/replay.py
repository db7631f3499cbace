"""`crossdock replay CASE.json`: a case played again against today's connector, offline.

Nothing is needed but the file: no database, no shop, no secrets.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from crossdock.cli.trouble import Trouble
from crossdock.kit import discover, replay
from crossdock.kit.replay import Document, Played


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", type=Path, help="the case file, as staff downloaded it")
    parser.add_argument("--all", action="store_true", help="also show what the connector made of what is the same")


def run(args: argparse.Namespace) -> int:
    """1 when something differs or is missing."""
    try:
        document = replay.read(args.case.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{args.case} cannot be read: {error}") from None
    except replay.NotACase as error:
        raise Trouble(str(error)) from None
    return tell(document, everything=args.all)


def tell(document: Document, *, everything: bool = False) -> int:
    """Play it and print it."""
    shop = document.shop
    if shop is None:
        raise Trouble("This case is about no connected shop, so there is nothing to play.")
    try:
        connector = discover.connector(shop.platform)
    except discover.NoSuchFolder as error:
        raise Trouble(str(error)) from None
    manifest = connector.manifest
    print(f"Case {document.case.get('id', '')}: {document.case.get('subject', 'without a subject')}")
    print(
        f"Recorded {document.taken_at:%Y-%m-%d %H:%M} UTC by Crossdock {document.crossdock or '?'}, {manifest.label}"
        f" {shop.api_version or '?'}; here it is {manifest.api_version}."
    )
    now = {str(name): manifest.can(name) for name in manifest.answers}
    for name in sorted(name for name in shop.capabilities if name in now and now[name] != shop.capabilities[name]):
        print(
            f"  note   {manifest.label} {'can' if now[name] else 'cannot'} {name.replace('_', ' ')} here; then it was"
            " the other way round"
        )
    if document.deliveries:
        print("  note   signatures of deliveries are not checked: they and the secrets behind them were blacked out")
    played = asyncio.run(replay.play(document, connector))
    for one in played:
        _print(one, everything)
    differ = sum(bool(one.differences) for one in played)
    gaps = sum(bool(one.missing) for one in played)
    print(f"{len(played)} played, {differ} differ, {gaps} with something missing")
    if not played:
        print("Nothing was recorded that could be played.", file=sys.stderr)
    return 1 if differ or gaps or not played else 0


def _print(one: Played, everything: bool) -> None:
    word = "same  " if one.same else "DIFFERS" if one.differences else "MISSING"
    print(f"{word:<8} {one.at:%H:%M:%S} {one.title}: then {_kind(one.then)}, now {_kind(one.now)}")
    for line in one.missing:
        print(f"    missing: {line}")
    for line in one.differences[:20]:
        print(f"    {line}")
    if len(one.differences) > 20:
        print(f"    and {len(one.differences) - 20} more")
    for line in one.notes:
        print(f"    note: {line}")
    if one.hidden and (everything or not one.same):
        print(f"    note: {one.hidden} values are blacked out and were not compared")
    if everything or not one.same:
        print(f"    then: {_short(one.then)}\n    now:  {_short(one.now)}")


def _kind(made: dict[str, object]) -> str:
    said = made.get("raised")
    return f"{made.get('type', 'nothing')}{f' ({said})' if said else ''}"


def _short(made: dict[str, object]) -> str:
    text = json.dumps(made, ensure_ascii=False)
    return text if len(text) <= 1200 else f"{text[:1200]}… ({len(text)} characters)"
