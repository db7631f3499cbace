"""WooCommerce rows without a usable date: null (pending products of marketplace vendors, woocommerce-ios #11486) and
zero dates (imported orders, woocommerce/woocommerce #68783). They are read; they stop no page and move no cursor.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.sandbox import Sandbox
from crossdock.domain.commands import Found
from crossdock.kit.conformance.bent import Bend, bent
from crossdock.kit.conformance.stage import Stage, staged

ODD_DATES = [None, "", 0, "-0001-11-30T00:00:00", "0000-00-00T00:00:00", "9999-12-31T23:59:59", "0001-01-01T00:00:00"]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as stage:
        yield stage


def with_date(date: Any, what: str, rows: slice) -> Bend:
    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        if method == "GET" and f"/{what}?" in url and isinstance(document, list):
            odd = document[rows]
            return [row | {"date_modified_gmt": date, "date_modified": date} if row in odd else row for row in document]
        return None

    return bend


@pytest.mark.parametrize("date", ODD_DATES)
async def test_a_page_with_such_a_row_is_taken_whole(stage: Stage, date: Any) -> None:
    refs = [(await stage.product(5))[0] for _ in range(3)]
    cursor = await stage.order_cursor()
    await stage.hand.sell(refs[0], 1)
    ours = await stage.placed(stage.order((refs[1], 1)))
    first = slice(0, 1)
    products = (await stage.connector.products(bent(stage.shop, with_date(date, "products", first)), "")).items
    assert len(products) == 3
    orders = (await stage.connector.orders(bent(stage.shop, with_date(date, "orders", first)), cursor)).items
    assert ours.shop_id in [getattr(order, "shop_id", "") for order in orders] and len(orders) == 2


@pytest.mark.parametrize("date", ODD_DATES)
async def test_a_shop_full_of_them_is_read_to_its_end_and_later_changes_are_seen(stage: Stage, date: Any) -> None:
    refs = [(await stage.product(5))[0] for _ in range(35)]
    shop, cursor, seen, more, pages = bent(stage.shop, with_date(date, "products", slice(None))), "", set(), True, 0
    while more:
        page = await stage.connector.products(shop, cursor)
        cursor, more, pages = page.cursor, page.more, pages + 1
        seen |= {getattr(item, "product_id", "") for item in page.items}
        assert pages < 20
    assert {ref.product_id for ref in refs} <= seen
    await stage.hand.reprice(refs[0], "77.00")
    news = (await stage.connector.products(stage.shop, cursor)).items
    assert refs[0].product_id in [getattr(item, "product_id", "") for item in news]


async def test_pictures_with_zero_dates_and_a_number_for_a_text_are_pictures(stage: Stage) -> None:
    """woocommerce-ios #7293."""
    await stage.product(5)
    dates = dict.fromkeys(("date_created", "date_created_gmt", "date_modified"), "-0001-11-30T00:00:00")
    image = {"id": 1, **dates, "src": "https://shop.example/a.jpg", "name": "", "alt": 7}

    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        return [row | {"images": [image, {}, None]} for row in document] if "/products?" in url else None

    (product,) = (await stage.connector.products(bent(stage.shop, bend), "")).items
    assert getattr(product, "images", ()) == ("https://shop.example/a.jpg",)


async def test_a_look_up_goes_on_where_an_imported_order_has_no_date(stage: Stage) -> None:
    (ref,) = await stage.product(500)
    for _ in range(100):
        await stage.hand.sell(ref, 1)

    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        if "/orders?" in url and isinstance(document, list) and len(document) == 100:
            return [*document[:-1], document[-1] | {"date_created_gmt": None, "date_created": None}]
        return None

    assert await stage.connector.find(bent(stage.shop, bend), "XD-NONE", since=datetime.now(UTC)) == Found(())
