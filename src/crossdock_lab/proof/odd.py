"""`python -m crossdock_lab odd`: every value of each platform's answers replaced by each odd but legal one, one at a
time.

Every string, number, date, list and object in the simulators' answers: to readings (products, orders with refunds and
parcels, counts, the connection test), to commands (create, confirm, cancel, units, counts, risk, parcels), to the
renewal of an access and the care for webhooks, and in deliveries. What trips stands by itself, and nothing else is
lost. See kit/conformance/odd.py.
"""

import argparse
import asyncio
import logging
import time

from crossdock.cli.trouble import Trouble
from crossdock.domain.capability import Capability
from crossdock.kit import discover
from crossdock.kit.conformance import odd
from crossdock.kit.conformance.odd_readings import readings as readings_of
from crossdock.kit.conformance.stage import staged
from crossdock.kit.connector import Connector, Hook

SHOWN = 12
# Deliveries of the simulators are late by a moment; what has not come by then is not looked at.
QUIET_SECONDS = 0.5


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--platform", action="append", default=[], help="only this one; may be given several times")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th replacement, for a quick look")
    parser.add_argument("--first", type=int, default=0, help="of those, begin at another one")


def run(args: argparse.Namespace) -> int:
    connectors = discover.connectors()
    if unknown := set(args.platform) - connectors.keys():
        raise Trouble(f"There is no platform {min(unknown)!r}; there are: {', '.join(connectors)}.")
    # What a connector would log of fields that it does not know is no news here.
    logging.disable(logging.WARNING)
    worst = 0
    for name in args.platform or connectors:
        begun = time.monotonic()
        tally = asyncio.run(tried(connectors[name], every=args.every, first=args.first))
        seconds = time.monotonic() - begun
        print(
            f"{name}: {tally.tried:,} replacements in answers of {len(tally.kinds)} kinds in {seconds:.0f} s:"
            f" {tally.unread:,} pages with a row that stands by itself, {tally.refused:,} whole answers refused,"
            f" {len(tally.wrong)} wrong",
            flush=True,
        )
        for line in tally.wrong[:SHOWN]:
            print(f"  {line}", flush=True)
        worst = max(worst, int(bool(tally.wrong)))
    return worst


async def tried(connector: Connector, *, every: int = 1, first: int = 0, most_wrong: int = odd.MOST_WRONG) -> odd.Tally:
    """All of one platform, in this process; until so many are wrong."""
    tally = odd.Tally()
    async with staged(connector, discover.sandbox(connector.manifest.name)) as stage:
        hooks: list[Hook] = []
        if connector.manifest.can(Capability.WEBHOOKS):
            async with stage.listening():
                await connector.subscribe(stage.shop)
                readings = await readings_of(stage)
                await stage.sandbox.delivered()
                hooks, shop = list(stage.inbox), stage.shop
            odd.deliveries(connector, shop, hooks, tally, every=every)
        else:
            readings = await readings_of(stage)
        for reading in readings:
            if len(tally.wrong) < most_wrong:
                await odd.try_all(reading, tally, every=every, first=first, most_wrong=most_wrong)
    return tally
