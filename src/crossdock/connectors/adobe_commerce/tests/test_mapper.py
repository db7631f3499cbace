"""Magento's JSON in our words: what it writes oddly, and what is said of it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crossdock.connectors.adobe_commerce import mapper
from crossdock.connectors.adobe_commerce.client import checked
from crossdock.domain.events import ShopOrderState
from crossdock.kit.connector import Reply
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import number

SETTINGS = {"currency": "USD", "zone": "America/Chicago", "website_id": "1", "media": "https://shop.example/media/"}
NOON = datetime(2026, 11, 29, 18, 0, tzinfo=UTC)


def product(**fields: Any) -> Node:
    own = {"id": 7, "sku": "A", "name": "Card", "price": 12.5, "status": 1, "visibility": 4, "type_id": "simple"}
    return Node({**own, "extension_attributes": {"website_ids": [1]}, **fields}, "product")


def special(price: str, begins: str = "", ends: str = "") -> list[dict[str, str]]:
    pairs = {"special_price": price, "special_from_date": begins, "special_to_date": ends}
    return [{"attribute_code": name, "value": value} for name, value in pairs.items() if value]


@pytest.mark.parametrize(
    ("attributes", "price"),
    [
        (special("9.990000"), "9.99"),
        (special("9.99", "2026-11-29 00:00:00", "2026-11-29 00:00:00"), "9.99"),
        (special("9.99", ends="2026-11-28 00:00:00"), "12.50"),
        (special("9.99", begins="2026-11-30 00:00:00"), "12.50"),
        (special("19.99"), "12.50"),
        (special("0.0000"), "12.50"),
        (special("none"), "12.50"),
    ],
)
def test_a_special_price_holds_on_its_days(attributes: list[dict[str, str]], price: str) -> None:
    assert str(mapper.price_of(product(custom_attributes=attributes), SETTINGS, NOON)) == price


def test_its_days_are_those_of_the_shop() -> None:
    node = product(custom_attributes=special("9.99", "2026-11-30"))
    assert str(mapper.price_of(node, SETTINGS, datetime(2026, 11, 30, 5, 0, tzinfo=UTC))) == "12.50", "an hour before"
    assert str(mapper.price_of(node, SETTINGS, datetime(2026, 11, 30, 6, 1, tzinfo=UTC))) == "9.99"


@pytest.mark.parametrize(
    ("value", "currency", "price"),
    [
        (12.345, "USD", "12.35"),
        (19.989999999999998, "USD", "19.99"),
        (1250.5, "JPY", "1251"),
        (1.234, "KWD", "1.234"),
        ("7.0000", "USD", "7.00"),
    ],
)
def test_numbers_are_amounts_of_the_currency(value: Any, currency: str, price: str) -> None:
    assert str(mapper.price_of(product(price=value), {**SETTINGS, "currency": currency}, NOON)) == price


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": 2}, "enabled"),
        ({"type_id": "bundle"}, "type"),
        ({"type_id": "virtual"}, "type"),
        ({"extension_attributes": {"website_ids": [2]}}, "website"),
        ({"options": [{"option_id": 1, "is_require": True}]}, "options"),
        ({"price": 0}, "no price"),
        ({"price": None}, "no price"),
    ],
)
def test_what_is_not_sold_says_why(fields: dict[str, Any], word: str) -> None:
    shown = mapper.product_of(product(**fields), {}, {}, SETTINGS, NOON)
    assert not shown.active and any(word in reason for reason in shown.reasons), shown.reasons


def test_an_option_that_may_stay_empty_is_no_reason() -> None:
    assert mapper.product_of(product(options=[{"is_require": False}]), {}, {}, SETTINGS, NOON).active


def salable(qty: Any, sold: bool) -> Node:
    return Node({"sku": "A", "qty": qty, "is_salable": sold}, "salable")


@pytest.mark.parametrize(
    ("qty", "sold", "count", "below"),
    [
        (5, True, 5, False),
        (2.7, True, 2, False),
        (0, False, 0, False),
        (-3, False, -3, False),
        (-3, True, -3, True),
        (4, False, 0, False),
        (0, True, None, False),
    ],
)
def test_what_is_salable(qty: float, sold: bool, count: int | None, below: bool) -> None:
    found = mapper.count_of("7", salable(qty, sold))
    assert (found.count, found.backorders) == (count, below)
    assert mapper.count_of("7", None).count == 0, "it is not in the stock of the website"


def order(**fields: Any) -> Node:
    item = {"item_id": 3, "product_id": 7, "sku": "A", "qty_ordered": 2, "product_type": "simple"}
    own = {"entity_id": 12, "increment_id": "000000012", "state": "new", "base_currency_code": "USD", "items": [item]}
    return Node({**own, "base_grand_total": 30, "grand_total": 27.9, "order_currency_code": "EUR", **fields}, "order")


def test_an_order_is_read_in_the_base_currency() -> None:
    seen = mapper.order_of(order(), [], [])
    assert (str(seen.total), seen.total.currency, seen.stock_taken) == ("30.00", "USD", True)
    refund = Node({"entity_id": 5, "base_grand_total": 3.5, "grand_total": 3.2}, "memo")
    assert [str(each.amount) for each in mapper.order_of(order(), [], [refund]).refunds] == ["3.50"]


def test_a_configurable_product_has_one_line_and_two_rows() -> None:
    parent = {"item_id": 3, "product_id": 6, "product_type": "configurable", "sku": "A-RED", "qty_ordered": 2}
    child = {"item_id": 4, "parent_item_id": 3, "product_id": 8, "sku": "A-RED", "qty_ordered": 2}
    (line,) = mapper.order_of(order(items=[parent, child]), [], []).lines
    assert (line.line_id, line.product_id, line.variant_id, line.quantity) == ("3", "6", "8", 2)


def test_closed_is_cancelled_where_nothing_was_shipped() -> None:
    shipment = Node({"entity_id": 1, "items": [{"order_item_id": 3, "qty": 2}]}, "shipment")
    assert mapper.order_of(order(state="closed"), [], []).state is ShopOrderState.CANCELLED
    assert mapper.order_of(order(state="closed"), [shipment], []).state is ShopOrderState.OPEN
    assert mapper.order_of(order(state="canceled"), [], []).state is ShopOrderState.CANCELLED
    for state in ("new", "processing", "complete", "holded", "payment_review"):
        assert mapper.order_of(order(state=state), [], []).state is ShopOrderState.OPEN


def test_the_reference_is_the_guests() -> None:
    ours = order(customer_email="XD-1@orders.crossdock.invalid")
    assert mapper.reference_of(ours) == "XD-1"
    assert mapper.reference_of(order(customer_email="xd-1@orders.crossdock.invalid")) == "XD-1"
    assert mapper.reference_of(order(customer_email="xd-1@example.com")) == ""
    assert mapper.reference_of(order(billing_address={"fax": "Crossdock XD-9"})) == "XD-9"
    assert mapper.reference_of(order(billing_address={"fax": "+1 555"})) == ""


def reply(status: int, body: str, kind: str = "application/json") -> Reply:
    return Reply(status, {"content-type": kind}, body.encode())


def test_a_missing_resource_is_told_from_wrong_keys() -> None:
    said = '{"message": "The consumer isn\'t authorized to access %resources.", "parameters": {"resources": "A::b"}}'
    with pytest.raises(AuthDead, match="A::b"):
        checked(reply(401, said))
    with pytest.raises(AuthDead, match="activate"):
        checked(reply(401, '{"message": "The signature is invalid. Verify and try again."}'))


def test_what_magento_says_is_told_with_its_values() -> None:
    with pytest.raises(Declined, match="Carrier with such method not found: a, b"):
        checked(reply(400, '{"message": "Carrier with such method not found: %1, %2", "parameters": ["a", "b"]}'))
    said = '{"message": "No such entity with %fieldName = %fieldValue", '
    with pytest.raises(Missing, match="cartId = 5"):
        checked(reply(404, said + '"parameters": {"fieldName": "cartId", "fieldValue": 5}}'))
    ten = [*map(str, range(1, 10)), "ten %2"]
    with pytest.raises(Declined, match="No ten %2, nor 3"):
        checked(reply(400, json.dumps({"message": "No %10, nor %3", "parameters": ten})))
    with pytest.raises(Declined) as raised:
        checked(reply(400, json.dumps({"message": "%1" * 50_000, "parameters": ["x" * 100_000]})))
    assert len(str(raised.value)) < 500


def test_a_page_of_the_host_is_no_word_of_magentos() -> None:
    with pytest.raises(NoAnswer, match="no REST API"):
        checked(reply(404, "<h1>Not Found</h1>", "text/html"))
    with pytest.raises(NoAnswer):
        checked(reply(500, '{"message": "Internal Error."}'))


def test_an_id_that_is_none_goes_into_no_address() -> None:
    with pytest.raises(Strange):
        number(Node({"id": "1/../2"}, "x"), "id")


def test_a_comment_keeps_the_orders_status() -> None:
    said = mapper.comment_of("12", "pending", "Hello")["statusHistory"]
    assert (said["status"], said["is_customer_notified"], said["is_visible_on_front"]) == ("pending", 0, 0)
    assert "status" not in mapper.comment_of("12", "", "Hello")["statusHistory"]
    assert Decimal(said["parent_id"]) == 12
