"""What is written for ever and for 30 days: per order in a connected shop, per listing, per day of a shop at rest."""

from collections.abc import Mapping, Sequence

from crossdock_lab.bench.figures import Figure, beside, bounded
from crossdock_lab.bench.market import Market
from crossdock_lab.bench.order import BUYERS, LISTINGS, Till
from crossdock_lab.bench.shops import WAIT_SECONDS, platforms

PRODUCTS, ORDERS, WARM, ROUNDS = 1000, 320, 32, 3
UNITS = 100_000
# Deleted after thirty days, or at once.
KEPT_SHORTLY = ("exchange", "call", "delivery", "idempotentreply", "newslag")
FOR_EVER, SHORTLY, ROWS = 8_192, 8_192, 100
# Polls of one shop at rest in a day: domain/pace.py.
ROUNDS_A_DAY = 86_400 / 360
Sizes = Mapping[str, int]


def bench(markets: Sequence[Market]) -> list[Figure]:
    found = [_grown(market) for market in markets]
    ours, name = found[0], markets[1].installed.name if len(markets) > 1 else ""
    bounds = {
        "bytes of an order, for ever": FOR_EVER,
        "bytes of an order, for 30 days": SHORTLY,
        "rows that a shop at rest leaves in a day": ROWS,
    }
    figures = [bounded("growth", what, _unit(what), ours[what], at_most=most) for what, most in bounds.items()]
    for what, value in ours.items():
        theirs = found[1][what] if name else None
        if what not in bounds or theirs is not None:
            words = f"{what}{', beside' * (what in bounds)}"
            figures.append(beside("growth", words, _unit(what), value, theirs, against=name))
    return figures


def _unit(what: str) -> str:
    return "B" if what.startswith("bytes") else ""


def _grown(market: Market) -> dict[str, float]:
    listing = market.simulate()
    platform = platforms(listing)[-1]
    market.inside("fill", listing, platform, PRODUCTS, UNITS)
    empty = market.inside("sizes")
    connection = market.inside("join", listing, platform, 1)
    market.inside("listed", connection, PRODUCTS, WAIT_SECONDS)
    listed = market.inside("sizes")
    till = Till(market, market.inside("till", connection, LISTINGS, BUYERS))
    till.round(WARM, counts=False)
    before = market.inside("sizes")
    till.round(ORDERS, counts=True)
    after = market.inside("sizes")
    rows = market.inside("polls", connection, ROUNDS)
    return {
        "bytes of an order, for ever": _more(before, after, shortly=False) / till.placed,
        "bytes of an order, for 30 days": _more(before, after, shortly=True) / till.placed,
        "rows that a shop at rest leaves in a day": rows["inserted"] / ROUNDS * ROUNDS_A_DAY,
        "rows that a shop at rest updates in a day": rows["updated"] / ROUNDS * ROUNDS_A_DAY,
        "bytes of a listing, for ever": _more(empty, listed, shortly=False) / PRODUCTS,
        "bytes of a listing, for 30 days": _more(empty, listed, shortly=True) / PRODUCTS,
    }


def _more(before: Sizes, after: Sizes, *, shortly: bool) -> float:
    """Of the tables whose rows stay, or of those whose rows go. The queue's own are empty again and again."""
    names = [name for name in after if name.startswith("store_")]
    chosen = [name for name in names if (name.removeprefix("store_") in KEPT_SHORTLY) is shortly]
    return float(sum(after[name] - before.get(name, 0) for name in chosen))
