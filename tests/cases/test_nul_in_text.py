"""A NUL character, or half of an emoji, in a shop's text: JSON may carry it, PostgreSQL not (airbytehq/airbyte #3476,
craftcms/shopify #107). It is made harmless where it enters; what comes in another way stands by itself.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync

import market
from crossdock.domain.events import OrderLine, Refund, ShopOrder, ShopOrderState, ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.kit.conformance.bent import bent
from crossdock.kit.conformance.stage import staged
from crossdock.store.models import Listing, ShopCopy
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.orders.snapshots import receive_orders
from crossdock.usecases.stock import counts

pytestmark = pytest.mark.django_db
UNFIT = [("Gem\x00 Turtle", "Gem Turtle"), ("Gem Turtle \ud83d", "Gem Turtle \ufffd")]


@pytest.mark.parametrize("platform", ["shopify", "vendure", "woocommerce"])
@pytest.mark.parametrize(("title", "right"), UNFIT)
def test_it_is_taken_out_where_it_enters(platform: str, title: str, right: str) -> None:
    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced(inner) for inner in value]
        return title if value == "Gem Turtle" else value

    async def read() -> Any:
        async with staged(discover.connectors()[platform], discover.sandbox(platform)) as stage:
            for name in ("Ember Fox", "Gem Turtle", "River Otter"):
                await stage.hand.add_product(name, [(name, "9.90", 5)])
            return (await stage.connector.products(bent(stage.shop, lambda m, u, d, s: replaced(d)), "")).items

    shop = market.connection(market.seller(), platform)
    import_products.receive_products(
        connection_id=shop.pk, products=async_to_sync(read)(), read_no=counts.draw_read_no(), now=datetime.now(UTC)
    )
    titles = set(Listing.objects.filter(connection=shop).values_list("title", flat=True))
    assert titles == {"Ember Fox", right, "River Otter"}


@pytest.mark.parametrize("title", [unfit for unfit, _ in UNFIT])
def test_what_a_connector_hands_over_all_the_same_stands_by_itself(title: str) -> None:
    shop = market.connection(market.seller())
    products = [
        ShopProduct(f"p{n}", name, (ShopVariant(f"v{n}", f"V{n}", "", Money(1000, "USD"), 5),))
        for n, name in enumerate(("Ember Fox", title, "River Otter"))
    ]
    import_products.receive_products(
        connection_id=shop.pk, products=products, read_no=counts.draw_read_no(), now=datetime.now(UTC)
    )
    assert set(Listing.objects.filter(connection=shop).values_list("shop_product_id", flat=True)) == {"p0", "p2"}


def test_half_an_emoji_in_a_refund_s_note_stops_no_other_order() -> None:
    world = market.World(units=2)
    orders = [world.buy(1), world.buy(1)]
    for claimed, order in zip(world.claim(), orders, strict=True):
        world.settle(claimed, world.create_there(order))
    seen = [
        ShopOrder(
            ShopCopy.objects.get(order=order).shop_order_id,
            "#1",
            order.reference,
            ShopOrderState.OPEN,
            (OrderLine(f"L{n}", "p1", "v1", "FOX", 1),),
            order.total,
            refunds=(Refund(f"r{n}", Money(100, "USD"), note),),
            stock_taken=True,
        )
        for n, (order, note) in enumerate(zip(orders, ("sorry \ud83d", "fine"), strict=True))
    ]
    manifest = discover.connectors()["shopify"].manifest
    receive_orders(connection_id=world.shop.pk, orders=seen, manifest=manifest, now=world.later())
    assert orders[1].shop_refunds.count() == 1
