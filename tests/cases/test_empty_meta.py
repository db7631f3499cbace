"""WooCommerce answers `meta_data: [{}, {}]` for some orders (woocommerce/woocommerce #24148, #17223, #19626): it hides
nobody else's news, our look-ups find what they looked for, and nothing is asked for again for ever.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.sandbox import Sandbox
from crossdock.domain.commands import Done, Found
from crossdock.domain.events import ShopOrder
from crossdock.kit.conformance.bent import Bend, bent
from crossdock.kit.conformance.stage import Stage, staged

NOW = datetime.now(UTC)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as stage:
        yield stage


def with_metas(metas: Any, *, everywhere: bool = False) -> Bend:
    """Orders of the shop's own carry `metas`: in lists only (#19626), or on the order itself too (#24148)."""

    def emptied(row: dict[str, Any]) -> dict[str, Any]:
        ours = any(entry.get("key") == "_crossdock_reference" for entry in row["meta_data"])
        return row if ours else row | {"meta_data": metas}

    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        if method == "GET" and "/orders?" in url and isinstance(document, list):
            return [emptied(row) for row in document]
        if everywhere and method == "GET" and re.search(r"/orders/\d+(\?|$)", url) and "meta_data" in document:
            return emptied(document)
        return None

    return bend


ODD_METAS: list[Any] = [[{}, {}], [[], None, "x"], {}, None, [{"key": None, "value": 1}], [{"key": ["a"]}], "text"]


@pytest.mark.parametrize("metas", ODD_METAS, ids=repr)
async def test_a_look_up_is_answered_beside_an_order_with_odd_metas(stage: Stage, metas: Any) -> None:
    (ref,) = await stage.product(50)
    await stage.hand.sell(ref, 1)
    ours = await stage.placed(command := stage.order((ref, 1)))
    shop = bent(stage.shop, with_metas(metas))
    assert await stage.connector.find(shop, "XD-NONE", since=NOW) == Found(())
    assert await stage.connector.find(shop, command.reference, since=NOW) == Found((ours.shop_id,))


async def test_an_empty_meta_beside_ours_is_no_reason_to_doubt_the_create(stage: Stage) -> None:
    (ref,) = await stage.product(50)

    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        if method == "POST" and "/orders?" in url:
            return document | {"meta_data": [*document["meta_data"], {}, []]}
        return None

    outcome = await stage.connector.create(bent(stage.shop, bend), stage.order((ref, 1)))
    assert isinstance(outcome, Done) and outcome.stock_taken


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("metas", ODD_METAS[:3], ids=repr)
async def test_the_poll_sees_what_is_behind_them_and_asks_for_nothing_twice(
    stage: Stage, metas: Any, everywhere: bool
) -> None:
    (ref,) = await stage.product(500)
    cursor = await stage.order_cursor()
    for _ in range(103):
        await stage.hand.sell(ref, 1)
    ours = await stage.placed(stage.order((ref, 1)))
    shop, seen, pages = bent(stage.shop, with_metas(metas, everywhere=everywhere)), set(), 0
    more = True
    while more:
        page = await stage.connector.orders(shop, cursor)
        cursor, more, pages = page.cursor, page.more, pages + 1
        seen |= {order.shop_id for order in page.items if isinstance(order, ShopOrder)}
        assert pages < 8 and cursor.split(";")[2] == ""
    assert ours.shop_id in seen and len(seen) == 104
