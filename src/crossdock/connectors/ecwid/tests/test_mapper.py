"""Ecwid's documents in our words: the vendor's own examples, and what nobody expects in them."""

from typing import Any

import pytest

from crossdock.connectors.ecwid import mapper
from crossdock.domain.events import ShopOrderState
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of

# After the examples of search-products and search-orders.
PRODUCT: dict[str, Any] = {
    "id": 692730761,
    "sku": "123123",
    "name": "Toys",
    "unlimited": False,
    "quantity": 4,
    "price": 10,
    "defaultDisplayedPrice": 12.1,
    "enabled": True,
    "combinations": [],
    "updateTimestamp": 1725434412,
    "media": {
        "images": [
            {"imageOriginalUrl": "https://x.example/2.jpg"},
            {"isMain": True, "image1500pxUrl": "https://x.example/1.jpg"},
        ]
    },
}
ORDER: dict[str, Any] = {
    "id": "EBJFT",
    "internalId": 492512057,
    "total": 600,
    "paymentStatus": "PAID",
    "fulfillmentStatus": "AWAITING_PROCESSING",
    "updateTimestamp": 1714541188,
    "refererId": "Crossdock",
    "externalOrderId": "XD-1",
    "items": [{"id": 1741253497, "productId": 4397102, "quantity": 2, "price": 300}],
}


def product(**changes: Any) -> Any:
    return mapper.product_of(node_of({**PRODUCT, **changes}, "product"), currency="EUR")


def order(**changes: Any) -> Any:
    return mapper.order_of(node_of({**ORDER, **changes}, "order"), currency="EUR")


def node(value: dict[str, Any]) -> Node:
    return node_of(value, "node")


def test_a_product_has_the_price_that_the_storefront_shows() -> None:
    read = product()
    (variant,) = read.variants
    assert (variant.variant_id, str(variant.price), variant.count) == ("p692730761", "12.10", 4)
    assert read.images == ("https://x.example/1.jpg", "https://x.example/2.jpg") and read.active
    assert str(product(defaultDisplayedPrice=None).variants[0].price) == "10.00"


def test_a_float_is_no_reason_for_another_cent() -> None:
    for said, read in ((0.1 + 0.2, "0.30"), (1.005, "1.01"), (19.99, "19.99"), (1e2, "100.00"), ("8.5", "8.50")):
        assert str(product(defaultDisplayedPrice=said).variants[0].price) == read


def test_variations_are_the_variants_and_inherit_what_they_lack() -> None:
    rows = [
        {"id": 5, "sku": "R", "quantity": 2, "price": 11, "options": [{"name": "Colour", "value": "Red"}]},
        {"id": 6, "unlimited": True, "options": [{"name": "Colour", "value": "Blue"}, {"name": "Size", "value": "M"}]},
    ]
    read = product(combinations=rows, unlimited=True, quantity=None)
    red, blue = read.variants
    assert (red.variant_id, red.title, str(red.price), red.count, red.sku) == ("5", "Red", "11.00", 2, "R")
    assert (blue.variant_id, blue.title, str(blue.price), blue.count) == ("6", "Blue / M", "10.00", None)
    assert blue.sku == "123123"
    assert [id_ for id_, _ in mapper.variants_in(node({**PRODUCT, "combinations": rows}))] == ["5", "6"]


def test_without_a_count_that_is_not_unlimited_nothing_is_guessed() -> None:
    with pytest.raises(Strange):
        product(quantity=None)
    assert product(quantity=None, unlimited=True).variants[0].count is None
    assert product(quantity=-3).variants[0].count == -3


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ({"enabled": False}, "switched off"),
        ({"isGiftCard": True}, "Gift cards"),
        ({"isSampleProduct": True}, "demo"),
        ({"nameYourPriceEnabled": True}, "name the price"),
        ({"compositeComponents": [{"productId": 1}]}, "bundle"),
        ({"subscriptionSettings": {"subscriptionAllowed": True, "oneTimePurchaseAllowed": False}}, "subscription"),
        ({"price": 0, "defaultDisplayedPrice": 0}, "no price"),
    ],
)
def test_what_is_not_sold_here_says_why(field: dict[str, Any], word: str) -> None:
    read = product(**field)
    assert not read.active and any(word in reason for reason in read.reasons)
    assert product(subscriptionSettings={"subscriptionAllowed": True, "oneTimePurchaseAllowed": True}).active


def test_an_order_is_known_by_the_number_that_stays() -> None:
    read = order()
    assert (read.shop_id, read.number, read.reference, str(read.total)) == ("492512057", "EBJFT", "XD-1", "600.00")
    (line,) = read.lines
    assert (line.product_id, line.variant_id, line.quantity) == ("4397102", "p4397102", 2)
    assert read.stock_taken and read.state is ShopOrderState.OPEN and not read.parcels


def test_whose_order_it_is_takes_both_fields() -> None:
    assert order(refererId="Amazon").reference == "" and order(externalOrderId=None).reference == ""
    assert order(externalOrderId="XD-1 (taken back)").reference == ""


@pytest.mark.parametrize(
    ("payment", "sent", "state", "taken"),
    [
        ("AWAITING_PAYMENT", "PROCESSING", ShopOrderState.OPEN, True),
        ("PARTIALLY_REFUNDED", "PROCESSING", ShopOrderState.OPEN, True),
        ("CUSTOM_PAYMENT_STATUS_2", "CUSTOM_FULFILLMENT_STATUS_1", ShopOrderState.OPEN, True),
        ("INCOMPLETE", "AWAITING_PROCESSING", ShopOrderState.OPEN, False),
        ("CANCELLED", "WILL_NOT_DELIVER", ShopOrderState.CANCELLED, False),
        ("CANCELLED", "SHIPPED", ShopOrderState.CANCELLED, False),
        ("REFUNDED", "PROCESSING", ShopOrderState.CANCELLED, False),
        ("REFUNDED", "SHIPPED", ShopOrderState.OPEN, False),
        ("A_STATUS_OF_TOMORROW", "PROCESSING", ShopOrderState.OPEN, True),
    ],
)
def test_the_status_of_payment_says_what_became_of_it(
    payment: str, sent: str, state: ShopOrderState, taken: bool
) -> None:
    read = order(paymentStatus=payment, fulfillmentStatus=sent)
    assert (read.state, read.stock_taken) == (state, taken)


def test_will_not_deliver_is_no_parcel_though_it_has_a_number() -> None:
    assert order(fulfillmentStatus="WILL_NOT_DELIVER", trackingNumber="T1").parcels == ()
    (parcel,) = order(fulfillmentStatus="DELIVERED").parcels
    assert parcel.tracking_number == "" and parcel.lines == (("1741253497", 2),)


def test_refunds_of_one_second_are_told_apart_and_keep_their_ids() -> None:
    row = {"date": "2024-05-01 05:26:28 +0000", "source": "CP", "reason": "late", "amount": 2.5}
    one = order(paymentStatus="PARTIALLY_REFUNDED", refunds=[row]).refunds
    two = order(paymentStatus="PARTIALLY_REFUNDED", refunds=[row, row]).refunds
    assert two[0] == one[0] and len({each.refund_id for each in two}) == 2
    assert one[0].at is not None and one[0].at.isoformat() == "2024-05-01T05:26:28+00:00"


def test_a_date_that_is_none_moves_nothing() -> None:
    for said in (None, "", "soon", 0, -5, True, 10**14, 1.5):
        assert mapper.moment(node({"updateTimestamp": said})) is None
    assert mapper.moment(node({"updateTimestamp": "1714541188"})) is not None
