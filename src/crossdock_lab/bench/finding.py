"""Finding among many listings: what a buyer's page takes, with the counts beside its filters."""

from collections.abc import Sequence
from pathlib import Path

from crossdock_lab.bench.figures import Figure, bounded
from crossdock_lab.bench.market import Market

LISTINGS = 1_000_000
# In which a page is made.
AT_MOST_MS = 300.0
_INSIDE = Path(__file__).with_name("finding_inside.py")


def bench(markets: Sequence[Market]) -> list[Figure]:
    """Of this commit alone: an older one has other pages. The worker would fill attributes again meanwhile."""
    market = markets[0]
    listings = market.rows or LISTINGS
    market.stop_worker()
    market.inside("fill", listings, script=_INSIDE)
    asked = market.inside("ask", script=_INSIDE)
    return [
        bounded("finding", f"{listings:,} listings: {what}", "ms", ms, at_most=AT_MOST_MS) for what, ms in asked.items()
    ]
