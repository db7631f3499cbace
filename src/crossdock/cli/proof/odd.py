"""`crossdock check odd`: every value of each platform's answers replaced by each odd but legal one, one at a time.

Every string, number, date, list and object in the simulators' answers (products, orders with refunds and parcels,
counts, settings, deliveries): what trips stands by itself, and nothing else is lost. See kit/conformance/odd.py.
"""

import argparse
import asyncio
import logging
import time

from crossdock.cli.trouble import Trouble
from crossdock.domain.capability import Capability
from crossdock.kit import discover
from crossdock.kit.conformance import odd
from crossdock.kit.conformance.stage import staged
from crossdock.kit.connector import Connector, Hook

SHOWN = 12
# Deliveries of the simulators are late by a moment; what has not come by then is not looked at.
QUIET_SECONDS = 0.5


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--platform", action="append", default=[], help="only this one; may be given several times")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th replacement, for a quick look")


def run(args: argparse.Namespace) -> int:
    connectors = discover.connectors()
    if unknown := set(args.platform) - connectors.keys():
        raise Trouble(f"There is no platform {min(unknown)!r}; there are: {', '.join(connectors)}.")
    # What a connector would log of fields that it does not know is no news here.
    logging.disable(logging.WARNING)
    worst = 0
    for name in args.platform or connectors:
        begun = time.monotonic()
        tally = asyncio.run(tried(connectors[name], every=args.every))
        seconds = time.monotonic() - begun
        print(
            f"{name}: {tally.tried:,} replacements in {seconds:.0f} s: {tally.unread:,} pages with a row that stands by"
            f" itself, {tally.refused:,} whole answers refused, {len(tally.wrong)} wrong",
            flush=True,
        )
        for line in tally.wrong[:SHOWN]:
            print(f"  {line}", flush=True)
        worst = max(worst, int(bool(tally.wrong)))
    return worst


async def tried(connector: Connector, *, every: int = 1, first: int = 0) -> odd.Tally:
    """All of one platform, in this process."""
    tally = odd.Tally()
    async with staged(connector, discover.sandbox(connector.manifest.name)) as stage:
        hooks: list[Hook] = []
        if connector.manifest.can(Capability.WEBHOOKS):
            async with stage.listening():
                await connector.subscribe(stage.shop)
                readings = await odd.readings(stage)
                await stage.sandbox.delivered()
                hooks, shop = list(stage.inbox), stage.shop
            odd.deliveries(connector, shop, hooks, tally, every=every)
        else:
            readings = await odd.readings(stage)
        for reading in readings:
            await odd.try_all(reading, tally, every=every, first=first)
    return tally
