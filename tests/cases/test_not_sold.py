"""What a shop itself does not sell is not sold here, and says why; what it sells below zero on purpose is no oversell;
a refund of nothing is no alarm.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import market
from crossdock.connectors.shopify import mapper as shopify
from crossdock.connectors.shopify.tests import test_mapper as of_shopify
from crossdock.connectors.vendure import mapper as vendure
from crossdock.connectors.vendure.tests import test_mapper as of_vendure
from crossdock.connectors.woocommerce.tests.test_mapper import child, goods, product
from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import Refund, ShopOrder, ShopOrderState, ShopProduct, ShopVariant
from crossdock.domain.for_sale import for_sale
from crossdock.domain.orders import Known, RefundSeen, news
from crossdock.domain.payments import DisputeState
from crossdock.domain.values import Money
from crossdock.kit.json_node import node_of
from crossdock.payments.stripe.reading import _DISPUTES
from crossdock.store.models import Alert, Listing
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.listings import why_not_live
from crossdock.usecases.stock import counts


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"catalog_visibility": "hidden"}, "hidden"),
        ({"post_password": "s3cret"}, "password"),
        ({"purchasable": False}, "purchase"),
        ({"price": ""}, "no price"),
        ({"price": None}, "no price"),
        ({"status": "draft"}, "not published"),
        ({"type": "external"}, "external"),
        ({"type": "grouped"}, "grouped"),
        ({"type": "subscription"}, "“subscription”"),
        ({"type": "variable"}, "no variation"),
    ],
)
def test_woocommerce_says_why(fields: dict[str, Any], word: str) -> None:
    got = product(goods() | fields)
    assert not got.active
    assert word in " ".join(got.reasons)


@pytest.mark.parametrize("written", [[], [{"id": 0, "name": "Size", "option": ""}]])
def test_a_variation_whose_buyer_would_have_to_choose_is_left_out(written: list[Any]) -> None:
    colour = {"id": 0, "name": "Colour", "option": "Red"}
    options = [{"id": 0, "name": name, "variation": True, "options": []} for name in ("Colour", "Size")]
    parent = goods(type="variable", manage=False) | {"attributes": options}
    size = {"id": 0, "name": "Size", "option": "S"}
    got = product(parent, child(11) | {"attributes": [colour, *written]}, child(12) | {"attributes": [colour, size]})
    assert [(each.variant_id, each.title) for each in got.variants] == [("12", "Red / S")]
    assert got.active
    assert got.reasons == ("“Red” is not sold: its buyer would have to choose Size in your shop.",)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": "UNLISTED"}, "unlisted"),
        ({"status": "DRAFT"}, "draft"),
        ({"isGiftCard": True}, "gift card"),
        ({"requiresSellingPlan": True}, "subscription"),
    ],
)
def test_shopify_says_why(fields: dict[str, Any], word: str) -> None:
    node = of_shopify.a_product(**fields)
    got = shopify.product(node, [of_shopify.a_variant()], currency="USD", address="https://x.example")
    assert not got.active
    assert word in " ".join(got.reasons)


def test_vendure_says_why() -> None:
    got = vendure.product(node_of(of_vendure.product(enabled=False), "product"), of_vendure.BOOKS, of_vendure.SHOP)
    assert (got.active, got.reasons) == (False, ("The product is switched off in your shop.",))


def a_product(*prices: int, count: int = 5, backorders: bool = False) -> ShopProduct:
    rows = tuple(
        ShopVariant(f"v{n}", f"S{n}", f"Size {n}", Money(price, "USD"), count, backorders=backorders)
        for n, price in enumerate(prices)
    )
    return ShopProduct("p1", "Ember Fox", rows)


def test_a_price_of_nothing_is_no_price() -> None:
    assert for_sale(a_product(0)).reasons == ("The price in your shop is 0. Set a price above 0 to sell it here.",)
    assert not for_sale(a_product(0)).active
    some = for_sale(a_product(100, 0))
    assert [each.variant_id for each in some.variants] == ["v0"] and some.active
    assert some.reasons == ("“Size 1” has a price of 0 in your shop.",)
    many = for_sale(a_product(*[0] * 500))
    assert len(many.reasons) == 20 and many.reasons[-1] == "And 481 more."


@pytest.mark.django_db
def test_the_seller_reads_it_on_the_listing() -> None:
    shop = market.connection(market.seller())
    now = datetime.now(UTC)

    def receive(one: ShopProduct) -> Listing:
        import_products.receive_products(connection_id=shop.pk, products=[one], read_no=counts.draw_read_no(), now=now)
        return Listing.objects.get(connection=shop)

    listing = receive(replace(a_product(0), reasons=("The product is hidden in your shop.",), active=False))
    why = why_not_live(listing=listing, now=now)
    assert why[0] == "The product is hidden in your shop." and "price in your shop is 0" in why[1]
    assert why_not_live(listing=receive(a_product(100)), now=now) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("backorders", "alerts"), [(False, 1), (True, 0)])
def test_below_zero_under_allowed_backorders_is_no_oversell(backorders: bool, alerts: int) -> None:
    shop = market.connection(market.seller())
    for count in (5, -2):
        one = a_product(100, count=count, backorders=backorders)
        import_products.receive_products(
            connection_id=shop.pk, products=[one], read_no=counts.draw_read_no(), now=datetime.now(UTC)
        )
    assert Alert.objects.filter(code=AlertCode.STOCK_BELOW_ZERO).count() == alerts


@pytest.mark.parametrize("written", ["notify", "yes"])
def test_each_platform_says_when_it_takes_backorders(written: str) -> None:
    assert product(goods(backorders=written)).variants[0].backorders
    assert not product(goods()).variants[0].backorders
    assert shopify.count(of_shopify.a_variant(inventoryPolicy="CONTINUE")).backorders
    assert not shopify.count(of_shopify.a_variant(inventoryPolicy="DENY")).backorders
    below = of_vendure.variant(useGlobalOutOfStockThreshold=False, outOfStockThreshold=-10)
    assert vendure.backorders(node_of(below, "variant"), of_vendure.BOOKS)


def test_a_refund_of_nothing_is_no_news() -> None:
    refunds = (Refund("r1", Money(0, "USD"), "restock"), Refund("r2", Money(100, "USD"), "sorry"))
    copy = ShopOrder("1", "#1", "XD-1", ShopOrderState.OPEN, (), Money(1000, "USD"), refunds=refunds)
    seen = [
        event.refund.refund_id for event in news(Known({}, frozenset(), False), copy) if isinstance(event, RefundSeen)
    ]
    assert seen == ["r2"]


def test_a_prevented_dispute_is_over() -> None:
    assert _DISPUTES["prevented"] is _DISPUTES["warning_closed"] is DisputeState.WON
