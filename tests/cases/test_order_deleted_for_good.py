"""WooCommerce 11.0.1 sends no webhook for an order that is deleted for good, and no list of changed orders holds it:
it is found by asking, and the seller gets one alert.
"""

# ruff: noqa: F811

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.usecases.shops.test_pace import Rest, connected

import market
from crossdock.domain.orders import CopyState
from crossdock.engine.engine import Engine
from crossdock.kit import discover
from crossdock.kit.conformance.stage import staged
from crossdock.store.models import Alert, Order, ShopCopy, Variant
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.checkout.checkout import open_checkout, place_order
from stall import engine, no_jobs, rest, sync  # noqa: F401

HOUR = timedelta(hours=1)


def bought(shop: Rest) -> Order:
    variant = Variant.objects.get(connection=shop.shop)
    basket: Basket = {"lines": {variant.public_id: 1}}
    shown = priced(basket=basket, country="US", now=shop.now)
    intent = open_checkout(
        buyer=market.user(),
        basket=basket,
        ship_to=market.ADDRESS,
        key="checkout-1",
        fingerprint=shown.fingerprint,
        gateway="sandbox",
        now=shop.now,
    )
    return place_order(intent_id=intent.public_id, gateway_ref="ref", checks={}, now=shop.now)


async def later(shop: Rest, length: timedelta) -> None:
    """Nothing ran meanwhile; then some minutes as they are."""
    shop.now += length
    await shop.pass_time(timedelta(minutes=15), proven=True)


def alerts(order: Order) -> list[str]:
    return list(Alert.objects.filter(order=order).order_by("pk").values_list("sentence", flat=True))


async def test_it_is_found_by_asking_and_raises_its_alert(
    transactional_db: None, no_jobs: list[int], engine: Engine, settings: Any
) -> None:
    settings.POLL_SECONDS, settings.ALLOW_LOCAL_SHOPS = 0, True
    engine.random = Random(3)
    async with staged(discover.connector("woocommerce"), discover.sandbox("woocommerce")) as stage:
        await stage.product(5)
        shop = Rest(stage, await sync(connected, stage, "woocommerce"), engine, datetime.now(UTC))
        engine.clock = lambda: shop.now
        await shop.pass_time(HOUR, proven=False)
        order = await sync(bought, shop)
        engine.wake(shop.shop.party_id)
        await rest(engine)
        await shop.pass_time(HOUR, proven=False)
        copy = await sync(ShopCopy.objects.get, order=order)
        assert copy.state == CopyState.EQUAL
        assert await sync(alerts, order) == []

        books: Any = stage.sandbox.books  # type: ignore[attr-defined]
        books.bin_order(books.order(copy.shop_order_id), force=True)
        assert books.order(copy.shop_order_id) is None
        await shop.pass_time(timedelta(minutes=30), proven=True)
        assert await sync(alerts, order) == [], "nobody told it"

        await later(shop, 8 * HOUR)
        (sentence,) = await sync(alerts, order)
        assert "deleted" in sentence
        await later(shop, 8 * HOUR)
        assert len(await sync(alerts, order)) == 1, "told once"
