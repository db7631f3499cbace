"""The first import of a shop, per product; and what it takes while nothing happens in three shops."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from crossdock_lab.bench.figures import Figure, beside, bounded
from crossdock_lab.bench.market import Market, Spent

PRODUCTS = 1000
WAIT_SECONDS = 240
# Of the build that is measured beside it.
IMPORT_AT_MOST = 0.2
SETTLE_SECONDS, SECONDS, ROUNDS = 20.0, 20.0, 2
MEGABYTES, SHARE, SHOPS = 180.0, 0.5, 3


def platforms(listing: Path) -> list[str]:
    return sorted({row["platform"] for row in json.loads(listing.read_text())})


def _common(listings: Sequence[Path]) -> list[str]:
    """The platforms that each of the measured commits has."""
    return sorted(set.intersection(*(set(platforms(listing)) for listing in listings)))


def imported(markets: Sequence[Market]) -> list[Figure]:
    listings = [market.simulate() for market in markets]
    common = _common(listings)
    figures = []
    for number, platform in enumerate(common):
        taken = [_import(*place, platform, number) for place in zip(markets, listings, strict=True)]
        name = markets[1].installed.name if len(taken) > 1 else ""
        for nth, what in enumerate(("first import, connecting included", "read again, nothing changed")):
            theirs = taken[1][nth] if name else None
            words = f"{what}: processor time per product of {PRODUCTS}, {platform}"
            figures.append(beside("import", words, "ms", taken[0][nth], theirs, against=name, at_most=IMPORT_AT_MOST))
    return figures


def _import(market: Market, listing: Path, platform: str, number: int) -> tuple[float, float]:
    """Milliseconds of worker and PostgreSQL for each product: from joining to the last count, and to read all of them
    again. What looking after the shop costs meanwhile is among it.
    """
    market.inside("fill", listing, platform, PRODUCTS)
    begun = market.spent()
    connection = market.inside("join", listing, platform, number)
    market.inside("listed", connection, PRODUCTS, WAIT_SECONDS)
    first = market.spent()
    market.inside("again", connection, WAIT_SECONDS)
    return _per_product(first - begun), _per_product(market.spent() - first)


def _per_product(used: Spent) -> float:
    return (used.worker + used.database) / PRODUCTS * 1000


def idle(markets: Sequence[Market]) -> list[Figure]:
    listings = [market.simulate() for market in markets]
    for market, listing in zip(markets, listings, strict=True):
        for number, platform in enumerate(_common(listings)[:SHOPS]):
            market.inside("fill", listing, platform, 3)
            market.inside("join", listing, platform, number)
    time.sleep(SETTLE_SECONDS)
    shares: list[list[float]] = [[] for _ in markets]
    for _ in range(ROUNDS):
        for market, share in zip(markets, shares, strict=True):
            before, begun = market.spent(), time.monotonic()
            time.sleep(SECONDS)
            used = market.spent() - before
            share.append(used.worker / (time.monotonic() - begun) * 100)
    memory = [sum(market.memory().values()) for market in markets]
    mean = [sum(share) / len(share) for share in shares]
    figures = [
        bounded("idle", "memory of web, worker and PostgreSQL (PSS)", "MB", memory[0], at_most=MEGABYTES),
        bounded("idle", "the worker with its shops", "% of a processor", mean[0], at_most=SHARE),
    ]
    if len(markets) > 1:
        name = markets[1].installed.name
        figures.append(beside("idle", "memory, beside", "MB", memory[0], memory[1], against=name))
        figures.append(beside("idle", "the worker, beside", "% of a processor", mean[0], mean[1], against=name))
    return figures
