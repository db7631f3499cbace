"""`crossdock check connector WHAT`: the numbered scenarios against a connector's simulator (its name), a shop that
sells (its name with --live), a test copy of a shop behind the open door (its address), or a recorded tape (a file).

A table by capability; the evidence is kept in a file when all that was claimed passed. See docs/open-door.md.
"""

import argparse
import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from crossdock.cli import replay as tape
from crossdock.cli.checks import live
from crossdock.cli.trouble import Trouble
from crossdock.domain.capability import Capability, EvidenceKind, Manifest
from crossdock.kit import discover, replay
from crossdock.kit.conformance import cost, record, scenarios
from crossdock.kit.conformance.front import NoTestCopy, find_copy
from crossdock.kit.conformance.suite import Result, Verdict, play_all, run_all
from crossdock.kit.connector import Connector
from crossdock.kit.errors import Outside
from crossdock.kit.hand import TestCopies
from crossdock.kit.http import Transport


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="NAME|ADDRESS|TAPE")
    parser.add_argument("--key", default="", help="of the shop at ADDRESS")
    parser.add_argument("--only", type=int, action="append", default=[], help="only this scenario; several times")
    parser.add_argument("--evidence", type=Path, help="the file that keeps what was proven")
    parser.add_argument(
        "--record", action="store_true", help="keep it beside the connector, where documentation and panel read it"
    )
    parser.add_argument("--against", default="", help="what was proven against, in words for the evidence")
    live.words(parser)


def run(args: argparse.Namespace) -> int:
    """0 when something passed and nothing failed."""
    if args.live:
        return asyncio.run(_live(args))
    if args.account or args.place:
        raise Trouble("--account and --place are for a shop that sells: add --live.")
    if "://" in args.subject:
        return asyncio.run(_address(args))
    if Path(args.subject).is_file():
        return _tape(Path(args.subject))
    connector = _named(args.subject)
    sandbox = discover.sandbox(args.subject)
    results = asyncio.run(run_all(connector, sandbox, only=args.only, on_result=_seen))
    code = _end(args, connector.manifest, results, "its simulator")
    if code == 0 and not args.only:
        _cost(connector.manifest, asyncio.run(cost.measured(connector, sandbox)), keep=args.record)
    return code


def _named(name: str) -> Connector:
    try:
        return discover.connector(name)
    except (discover.NoSuchFolder, discover.BrokenFolder) as error:
        raise Trouble(f"{error} An address begins with https://, and a tape is a file.") from None


async def _live(args: argparse.Namespace) -> int:
    connector = _named(args.subject)
    played = await live.played(connector, args, on_result=_seen)
    return 1 if played is None else _end(args, *played, live.AGAINST, kind=EvidenceKind.LIVE_ACCOUNT)


def _cost(manifest: Manifest, calls: cost.Cost, *, keep: bool) -> None:
    rest, proven = (calls.an_hour_at_rest(manifest, proven=each) for each in (False, True))
    print(
        f"Calls: {calls.order} for an order until it is read back, {calls.products} for {cost.PRODUCTS:,} products,"
        f" {rest} an hour at rest" + (f" ({proven} once its webhooks are proven)." if _tells(manifest) else ".")
    )
    if keep:
        cost.write(manifest.name, calls)


def _tells(manifest: Manifest) -> bool:
    return manifest.can(Capability.WEBHOOKS)


async def _address(args: argparse.Namespace) -> int:
    connector = _speaks_with_copies()
    if not args.key:
        raise Trouble("Give the shop's key with --key.")
    async with Transport(allow_local=True) as transport:
        try:
            copy = await find_copy(connector, {"address": args.subject, "key": args.key}, transport)
        except (NoTestCopy, Outside) as error:
            raise Trouble(str(error)) from None
    for check in copy.proof.checks:
        print(f"{'note' if check.limited else 'ok':<5} {check.title}{': ' if check.sentence else ''}{check.sentence}")
    results = await play_all(copy.manifest, lambda: copy.opened(connector), only=args.only, on_result=_seen)
    return _end(args, copy.manifest, results, copy.proof.name or copy.address)


def _speaks_with_copies() -> Connector:
    for connector in discover.connectors().values():
        if isinstance(connector, TestCopies):
            return connector
    raise Trouble("No connector here can be checked at an address.")


def _tape(path: Path) -> int:
    try:
        document = replay.read(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, replay.NotACase) as error:
        raise Trouble(f"{path} is no tape: {error}") from None
    return tape.tell(document)


def _seen(result: Result) -> None:
    """A failure is said at once; what passes is counted."""
    if result.verdict is Verdict.FAILED:
        print(f"FAILED {result.number} {result.title}\n       {result.sentence}", flush=True)


def _end(args: argparse.Namespace, manifest: Manifest, results: list[Result], against: str, kind: str = "") -> int:
    _show(manifest, results)
    counts = {verdict: sum(result.verdict is verdict for result in results) for verdict in Verdict}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    print(f"{manifest.label}: {said}, of {len(scenarios())} scenarios.")
    if counts[Verdict.FAILED] or not counts[Verdict.PASSED]:
        return 1
    if args.only:
        return 0
    path = record.file_of(manifest.name) if args.record else args.evidence
    if path is not None:
        today = datetime.now(UTC).date()
        new = record.proven(manifest, results, against=args.against or against, on=today, kind=kind)
        record.write(path, new)
        print(f"Kept in {path}: {new.sentence}")
    return 0


def _show(manifest: Manifest, results: Collection[Result]) -> None:
    print(f"\n{'capability':<28} {'claimed':<8} {'passed':>6} {'failed':>6}")
    for row in record.table(manifest, results):
        name = str(row.capability).replace("_", " ") if row.capability else "every shop"
        said = "yes" if row.claimed else "no"
        numbers = f"{row.passed:>6} {row.failed:>6}" if row.passed + row.failed else f"{'-':>6} {'-':>6}"
        more = f"  {row.not_played} need a simulator" if row.not_played else f"  {row.sentence}" if row.sentence else ""
        print(f"{name:<28} {said:<8} {numbers}{more}")
    print()
