"""A sample of `python -m crossdock_lab odd`: odd but legal values in the platforms' answers stop no reading and lose no
other row; and the same through the real tables, where what trips stands in quarantine with its cause.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync

import market
import picking
from crossdock.domain.capability import Capability
from crossdock.domain.events import ShopProduct, Unreadable
from crossdock.kit import discover
from crossdock.kit.conformance import odd
from crossdock.kit.conformance.bent import Bent, bent
from crossdock.kit.conformance.stage import staged
from crossdock.kit.connector import Looks
from crossdock.store.models import Listing, Quarantined
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.stock import counts
from crossdock_lab.proof.odd import tried

pytestmark = pytest.mark.long
PLATFORMS = picking.platforms()
READ = ("products", "product", "variants", "counts", "orders", "order", "look-up", "connection test")
WRITTEN = ("create",)
BESIDES = {
    Capability.ORDER_CANCEL: ("cancel",),
    Capability.LINES_CANCEL: ("cancel units",),
    Capability.COUNTS_ADJUST: ("adjust",),
    Capability.RISK_WRITE: ("risk",),
    Capability.FULFILMENT_WRITE: ("parcel",),
    Capability.FULFILMENT_UNDO: ("another number", "parcel undone"),
    Capability.WEBHOOKS: ("audit of the webhooks", "end of the webhooks", "delivery"),
}


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_sample_of_all_odd_values(platform: str) -> None:
    every = {"woocommerce": 307}.get(platform, 61)
    tally = await tried(discover.connectors()[platform], every=every)
    assert tally.wrong == []
    assert tally.tried > 200 and tally.unread > 0
    manifest = discover.connectors()[platform].manifest
    wanted = {*READ, *WRITTEN} | {kind for need, kinds in BESIDES.items() if manifest.can(need) for kind in kinds}
    assert wanted <= tally.kinds.keys()
    assert ("hourly look" in tally.kinds) is isinstance(discover.connectors()[platform], Looks)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_the_check_sees_a_reading_that_an_odd_row_stops(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant the bug: rows are no longer read on their own."""

    def stops(kind: Any, entity_id: str, error: Exception) -> Unreadable:
        raise error

    monkeypatch.setattr("crossdock.kit.rows.unread", stops)
    tally = await tried(discover.connectors()[platform], every=61, most_wrong=1)
    assert any("stopped" in line or "raised" in line for line in tally.wrong)


async def pages(platform: str, title: str) -> list[tuple[str, tuple[Any, ...]]]:
    """The first page of three products with one value of the middle one replaced, for some of the odd values."""
    connector, found = discover.connectors()[platform], []
    async with staged(connector, discover.sandbox(platform)) as stage:
        for name in ("Ember Fox", title, "River Otter"):
            await stage.hand.add_product(name, [(f"S-{name}", "9.90", 5)])
        for word in ("null", "a list", "NUL", "half of a pair", "100 kB", "1e400"):
            text = odd.ODD[word]
            for field in ("price", "priceWithTax", "id", "title", "name", "sku"):

                def bend(method: str, url: str, document: Any, _: Any, field: str = field, text: str = text) -> Any:
                    spot = next(
                        (p for p in odd.places(document) if p[-1] == field and title in str(_row(document, p))), None
                    )
                    if spot is None:
                        return None
                    inner = document
                    for step in spot[:-1]:
                        inner = inner[step]
                    inner[spot[-1]] = json.loads(text)
                    return document

                page = await connector.products(shop := bent(stage.shop, bend), "")
                if isinstance(shop.http, Bent) and shop.http.changed:
                    found.append((f"{field} = {word}", page.items))
    return found


def _row(document: Any, path: odd.Path) -> Any:
    """What the innermost list of the path holds there."""
    for step in path[: max((n + 1 for n, step in enumerate(path) if isinstance(step, int)), default=0)]:
        document = document[step]
    return document


@pytest.mark.django_db
@pytest.mark.parametrize("platform", PLATFORMS)
def test_through_the_real_tables(platform: str) -> None:
    seller = market.seller()
    for number, (what, items) in enumerate(async_to_sync(pages)(platform, "Gem Turtle")):
        shop = market.connection(seller, platform)
        read_no = counts.draw_read_no()
        import_products.receive_products(
            connection_id=shop.pk, products=items, read_no=read_no, now=datetime.now(UTC), page=True
        )
        listed = set(Listing.objects.filter(connection=shop).values_list("title", flat=True))
        assert {"Ember Fox", "River Otter"} <= listed, f"{number} {what}"
        odd_rows = [item for item in items if isinstance(item, Unreadable)]
        there = Quarantined.objects.filter(connection=shop)
        assert there.count() == len(odd_rows) and all(row.cause for row in there), what
        assert len(listed) + len(odd_rows) == sum(isinstance(item, ShopProduct | Unreadable) for item in items), what
