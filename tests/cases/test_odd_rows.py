"""Rows of orders as real shops have them: units below zero, a status that says nothing, orders of the shop's own
customers in a currency or with lines that nobody can read. What is ours is told as it is; what is not ours is nobody's
trouble here.
"""

from typing import Any

import pytest

from crossdock.connectors.shopify.manifest import MANIFEST
from crossdock.domain.events import (
    Parcel,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
    Unreadable,
)
from crossdock.domain.for_sale import for_sale
from crossdock.domain.values import Money
from crossdock.kit.conformance.bent import Bend
from crossdock.store.models import Quarantined, ShopCopy
from crossdock.usecases.orders.snapshots import receive_orders
from landed import PLATFORMS, landed
from parcelling import Parcelling

pytestmark = pytest.mark.django_db
# Where each platform keeps it.
LINES = {"shopify": "lineItems", "vendure": "lines", "woocommerce": "line_items"}
UNITS = {"shopify": "currentQuantity", "vendure": "quantity", "woocommerce": "quantity"}
STATE = {"vendure": "state", "woocommerce": "status"}
CURRENCY = {"shopify": "currencyCode", "vendure": "currencyCode", "woocommerce": "currency"}


def orders_in(document: Any) -> list[dict[str, Any]]:
    """Every order in an answer."""
    if isinstance(document, list):
        return [found for each in document for found in orders_in(each)]
    if not isinstance(document, dict):
        return []
    if {"lineItems", "lines", "line_items"} & document.keys() and {"id", "name", "code", "status"} & document.keys():
        return [document]
    return [found for each in document.values() for found in orders_in(each)]


def changed(change: Any) -> Bend:
    def bend(method: str, url: str, document: Any, sent: Any) -> Any:
        found = orders_in(document)
        for order in found:
            change(order)
        return document if found else None

    return bend


def lines_of(order: dict[str, Any]) -> list[dict[str, Any]]:
    (held,) = (order[name] for name in LINES.values() if name in order)
    rows: list[dict[str, Any]] = held["nodes"] if isinstance(held, dict) else held
    return rows


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("units", [-1, 0])
def test_units_below_zero_are_told_as_they_are(platform: str, units: int) -> None:
    with landed(platform) as shop:
        order = shop.buy(shop.product(), 2)

        def less(row: dict[str, Any]) -> None:
            for line in lines_of(row):
                line[UNITS[platform]] = units

        shop.bend = changed(less)
        seen = shop.read(order)
        assert [line.quantity for line in seen.lines] == [units]
        assert not (platform != "shopify" and seen.stock_taken), "no units prove nothing"
        (difference,) = [one for one in shop.copy(order).differences if one.startswith("Units")]
        assert difference == f"Units of S-Ember Fox: 2 here, {units} in the shop"
        assert shop.parcels(order) == [] and shop.mails(order) == []
        shop.bend = None
        shop.read(order)
        assert shop.copy(order).state == "equal"


@pytest.mark.parametrize("platform", sorted(STATE))
@pytest.mark.parametrize("said", ["", " "])
def test_a_status_that_says_nothing_is_no_open_order(platform: str, said: str) -> None:
    with landed(platform) as shop:
        ref = shop.product()
        order, beside = shop.buy(ref), shop.buy(ref)
        odd = shop.shop_id(order)

        def silent(row: dict[str, Any]) -> None:
            if str(row["id"]) == odd:
                row[STATE[platform]] = said

        shop.bend = changed(silent)
        found = {row.entity_id if isinstance(row, Unreadable) else row.shop_id: row for row in shop.poll()}
        assert isinstance(found[odd], Unreadable) and isinstance(found[shop.shop_id(beside)], ShopOrder)
        (cause,) = shop.standing()
        assert STATE[platform] in cause and Quarantined.objects.get().order_id == order.pk
        assert shop.copy(order).state == "equal", "what was read last stands"


def test_a_fulfilment_whose_status_says_nothing_mails_nobody() -> None:
    with landed("shopify") as shop:
        order = shop.buy(shop.product())
        shop.run(shop.stage.hand.fulfil(shop.shop_id(order), tracking="1Z999AA10123456784", carrier="UPS"))

        def silent(row: dict[str, Any]) -> None:
            for part in row.get("fulfillments", ()):
                part["status"] = ""

        shop.bend = changed(silent)
        shop.poll()
        assert shop.mails(order) == [] and shop.parcels(order) == []
        assert len(shop.standing()) == 1


def bitcoin(row: dict[str, Any]) -> None:
    """Plugins sell in what ISO 4217 does not know."""
    for name in CURRENCY.values():
        if name in row:
            row[name] = "BTC"
    for bag in row.values():
        if isinstance(bag, dict) and isinstance(bag.get("shopMoney"), dict):
            bag["shopMoney"]["currencyCode"] = "BTC"


def half_line(row: dict[str, Any]) -> None:
    for line in lines_of(row):
        line[next(name for name in UNITS.values() if name in line)] = "many"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("change", [bitcoin, half_line], ids=["another money", "units in words"])
def test_an_odd_order_of_the_shop_s_own_is_nobody_s_trouble(platform: str, change: Any) -> None:
    """Not even where a page holds nothing else: that would be called the shop's failure."""
    with landed(platform) as shop:
        ref = shop.product()
        theirs = [shop.run(shop.stage.hand.sell(ref, 1)) for _ in range(3)]
        shop.bend = changed(change)
        seen = shop.poll()
        tripped = [row for row in seen if isinstance(row, Unreadable)]
        assert len(seen) >= len(theirs)
        assert (shop.standing(), shop.alerts()) == ([], [])
        # Kept for staff all the same, with its cause.
        rows = Quarantined.objects.filter(state="foreign")
        assert len(rows) == len(tripped) and all(row.cause and row.trace for row in rows)
        assert len(rows) == (0 if platform == "shopify" else 3), "Shopify is not even asked for the lines of others"
        shop.bend = None
        order = shop.buy(ref)
        shop.bend = changed(change)
        shop.poll()
        assert len(shop.standing()) == 1, "ours is told"
        assert Quarantined.objects.get(state="held").order_id == order.pk


@pytest.mark.parametrize("lines", [(("gift", 1),), (("L1", 0),), (("L1", -2),)], ids=["a gift", "none", "below zero"])
def test_a_number_alone_is_told_to_nobody_before_something_was_sent(lines: tuple[tuple[str, int], ...]) -> None:
    desk = Parcelling(units=2)
    desk.take()
    alone = Parcel("f1", lines, "1Z999AA10123456784", "UPS")
    desk.take(alone)
    assert (desk.mails(), desk.parcels(), desk.shipped(), desk.told()) == ([], [], [0], [])
    sent = Parcel("f2", (("L1", 2),), "9400111899223100001842", "USPS")
    desk.take(alone, sent)
    assert desk.shipped() == [2]
    assert {number for number, _, _ in desk.parcels()} == {"1Z999AA10123456784", "9400111899223100001842"}
    assert desk.mails()[0].startswith(f"{desk.world.seller.name} shipped 2 × Ember Fox.")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example/x", "track it here"])
def test_only_a_web_address_becomes_a_parcel_s_link(url: str) -> None:
    desk = Parcelling(units=1)
    desk.take()
    desk.take(Parcel("f1", (("L1", 1),), "NUMBER-77", "A carrier", url))
    (shipment,) = desk.order.shipments.all()
    assert (shipment.tracking_number, shipment.tracking_url) == ("NUMBER-77", "")
    assert url not in "".join(desk.mails())


def test_a_refund_that_stands_there_twice_is_one() -> None:
    desk = Parcelling(units=1)
    desk.take()
    copy = ShopCopy.objects.get(order=desk.order)
    twice = (Refund("r1", Money(100, "USD")),) * 2
    seen = ShopOrder(
        copy.shop_order_id, "#1", desk.order.reference, ShopOrderState.OPEN, desk.rows, desk.order.total, refunds=twice
    )
    receive_orders(connection_id=desk.world.shop.pk, orders=[seen], manifest=MANIFEST, now=desk.world.later())
    assert list(desk.order.shop_refunds.values_list("refund_id", "amount_minor")) == [("r1", 100)]
    assert not Quarantined.objects.exists()


def test_a_variant_priced_in_another_money_is_not_sold_at_the_first_one_s() -> None:
    variants = (
        ShopVariant("v1", "FOX-S", "S", Money(1000, "JPY"), 3),
        ShopVariant("v2", "FOX-M", "M", Money(1000, "USD"), 3),
    )
    kept = for_sale(ShopProduct("p1", "Ember Fox", variants))
    assert [variant.variant_id for variant in kept.variants] == ["v1"] and kept.active
    assert kept.reasons == ("“M” has its price in USD, the others in JPY: it is not sold.",)
