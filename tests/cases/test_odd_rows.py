"""Rows of orders as real shops have them: units below zero, a status that says nothing, orders of the shop's own
customers in a currency or with lines that nobody can read. What is ours is told as it is; what is not ours is nobody's
trouble here.
"""

from typing import Any

import pytest
from tests.landed import PLATFORMS, landed

from crossdock.domain.events import ShopOrder, Unreadable
from crossdock.kit.conformance.bent import Bend
from crossdock.store.models import Quarantined

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
