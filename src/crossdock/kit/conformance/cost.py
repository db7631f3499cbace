"""How many calls a shop gets for what happens most, counted at its simulator. Kept beside the connector and compared
in docs/platforms.md.
"""

import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crossdock.domain.capability import Manifest
from crossdock.domain.pace import seconds_until_next
from crossdock.kit.conformance import record
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.connector import Connector
from crossdock.kit.sandbox import Sandbox

FILE = "cost.json"
PRODUCTS = 1000
_LONG_AGO, _STALE_SECONDS = 1e9, 3600.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls: `order` to create one order and read it back, `products` to read 1,000 products for the first time,
    `poll` to ask once for changed products and orders where nothing happened.
    """

    order: int
    products: int
    poll: int

    def an_hour_at_rest(self, manifest: Manifest, *, proven: bool) -> int:
        """Calls that ask for news in an hour in which nothing happens; `proven` where webhooks were seen to work."""
        wait = seconds_until_next(base=manifest.poll_seconds, quiet=_LONG_AGO, proven=proven, stale=_STALE_SECONDS)
        return math.ceil(3600 / wait * self.poll)


async def measured(connector: Connector, sandbox_class: type[Sandbox]) -> Cost:
    """At a fresh simulated shop whose faults are off; the same each time."""
    async with staged(connector, sandbox_class) as stage:
        (variant,) = await stage.product(5)
        begun = _calls(stage)
        done = await stage.placed(stage.order((variant, 1)))
        await connector.order(stage.shop, done.shop_id)
        order = _calls(stage) - begun
        await stage.sandbox.fill(PRODUCTS - 1, count=3, since=datetime.now(UTC) - timedelta(days=1))
        begun = _calls(stage)
        found, products_cursor = await stage.all_products()
        # Pages overlap, so that nothing is missed.
        if (many := len({item.product_id for item in found})) != PRODUCTS:
            raise ValueError(f"{PRODUCTS} products were to be read, not {many}.")
        products = _calls(stage) - begun
        orders_cursor = await stage.order_cursor()
        begun = _calls(stage)
        await connector.products(stage.shop, products_cursor)
        await connector.orders(stage.shop, orders_cursor)
        return Cost(order, products, _calls(stage) - begun)


def _calls(stage: Stage) -> int:
    return stage.dial.counts["calls"]


def of(platform: str) -> Cost | None:
    """What is kept beside the connector; None where nothing is, or where it is damaged."""
    path = _file(platform)
    try:
        return Cost(**json.loads(path.read_text("utf-8"))) if path else None
    except (OSError, ValueError, TypeError):
        return None


def write(platform: str, cost: Cost) -> None:
    if path := _file(platform):
        path.write_text(json.dumps(asdict(cost), indent=2) + "\n")


def _file(platform: str) -> Path | None:
    evidence = record.file_of(platform)
    return evidence.with_name(FILE) if evidence else None
