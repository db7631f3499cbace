"""Squarespace's JSON in our words: what its pages say, what live sites answered, and what is easily misread."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.squarespace import mapper
from crossdock.connectors.squarespace.sandbox.models import CreateOrder as Asked
from crossdock.domain.commands import AdjustStock, CreateOrder, Line, WriteFulfilment
from crossdock.domain.events import ProductGone, ShopOrder, ShopOrderState, ShopProduct
from crossdock.domain.values import Address, Money
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import node_of
from crossdock.kit.shop.paging import instant

VARIANT: dict[str, Any] = {
    "id": "70c579d9-d597-41d7-9315-ba4beb0a9619",
    "sku": "SQ1",
    "pricing": {
        "basePrice": {"currency": "USD", "value": "20.00"},
        "salePrice": {"currency": "USD", "value": "0.00"},
        "onSale": False,
    },
    "stock": {"quantity": 3, "unlimited": False},
    "attributes": {"Color": "Navy", "Size": "M"},
    "image": None,
}
PRODUCT: dict[str, Any] = {
    "id": "6a82c75d452f993158f1ae4b",
    "type": "PHYSICAL",
    "name": "Tote Bag",
    "description": "<p>Nice</p>",
    "isVisible": True,
    "images": [
        {"url": "https://images.example/2.jpg", "orderIndex": 1},
        {"url": "https://images.example/1.jpg", "orderIndex": 0},
    ],
    "variants": [VARIANT],
    "modifiedOn": "2026-08-17T08:36:02.620Z",
}
LINE = {"id": "6a1", "variantId": VARIANT["id"], "productId": PRODUCT["id"], "sku": "SQ1", "quantity": 2}
SENT = {
    "shipDate": "2026-11-28T10:00:00.000Z",
    "carrierName": "UPS",
    "service": "Ground",
    "trackingNumber": "1Z999",
    "trackingUrl": "https://www.ups.com/track?tracknum=1Z999",
}
ORDER: dict[str, Any] = {
    "id": "6a81716f0589b404e7529648",
    "orderNumber": "12",
    "modifiedOn": "2026-08-16T08:14:39.705Z",
    "billingAddress": None,
    "shippingAddress": {"firstName": "Ada", "lastName": "Buyer"},
    "fulfillmentStatus": "PENDING",
    "lineItems": [LINE, {**LINE, "id": "6a2", "quantity": 1}],
    "fulfillments": [],
    "refundedTotal": {"currency": "USD", "value": "0.00"},
    "grandTotal": {"currency": "USD", "value": "60.00"},
    "channelName": "Crossdock",
    "externalOrderReference": "XD-1",
    "fulfilledOn": None,
}


def product(**changes: Any) -> ShopProduct:
    found = mapper.product_of(node_of({**PRODUCT, **changes}, "product"))
    assert not isinstance(found, ProductGone)
    return found


def order(**changes: Any) -> ShopOrder:
    return mapper.order_of(node_of({**ORDER, **changes}, "order"))


def fulfilled(*shipments: Any, **changes: Any) -> ShopOrder:
    return order(**{"fulfillmentStatus": "FULFILLED", "fulfillments": list(shipments), **changes})


class TestProducts:
    def test_a_variant_has_its_options_price_and_count(self) -> None:
        (variant,) = product().variants
        assert (variant.title, str(variant.price), variant.count) == ("Navy / M", "20.00", 3)
        assert product().images == ("https://images.example/1.jpg", "https://images.example/2.jpg")

    def test_the_sale_price_counts_only_on_sale(self) -> None:
        """It is 0.00 where nothing is on sale."""
        prices = VARIANT["pricing"] | {"salePrice": {"currency": "USD", "value": "15.00"}, "onSale": True}
        (variant,) = product(variants=[VARIANT | {"pricing": prices}]).variants
        assert str(variant.price) == "15.00"

    def test_unlimited_stock_is_not_counted_whatever_its_quantity_says(self) -> None:
        (variant,) = product(variants=[VARIANT | {"stock": {"quantity": 0, "unlimited": True}}]).variants
        assert variant.count is None
        row = {"variantId": "v", "quantity": 0, "isUnlimited": True}
        assert mapper.count_of(node_of(row, "row")).count is None

    @pytest.mark.parametrize("change", [{"type": "SERVICE"}, {"type": "GIFT_CARD"}, {"isVisible": False}])
    def test_what_is_not_physical_or_hidden_is_not_sold_and_says_why(self, change: dict[str, Any]) -> None:
        found = product(**change)
        assert not found.active and found.reasons

    def test_lists_without_entries_may_be_null(self) -> None:
        """ "Array fields that contain no data can either be represented as a null value or an empty array"."""
        assert product(images=None).images == () and order(fulfillments=None).parcels == ()
        with pytest.raises(Strange):
            product(variants=None)


class TestOrders:
    def test_ours_is_told_from_others_by_the_channel(self) -> None:
        assert order().reference == "XD-1" and order().stock_taken
        assert order(channelName="Faire Wholesale").reference == ""
        own = order(channelName=None, externalOrderReference=None)
        assert own.reference == "" and not own.stock_taken

    def test_a_cancelled_order_holds_no_units(self) -> None:
        found = order(fulfillmentStatus="CANCELED")
        assert found.state is ShopOrderState.CANCELLED and not found.stock_taken

    def test_the_first_shipment_stands_for_all_units_and_further_ones_add_numbers(self) -> None:
        first, second = fulfilled(SENT, SENT | {"trackingNumber": "1Z2"}).parcels
        assert first.lines == (("6a1", 2), ("6a2", 1)) and second.lines == (("6a1", 0), ("6a2", 0))
        assert (first.tracking_number, second.tracking_number) == ("1Z999", "1Z2")
        assert first.parcel_id != second.parcel_id, "one date, two shipments"

    def test_a_corrected_number_leaves_the_parcel_what_it_was(self) -> None:
        (before,), (after,) = fulfilled(SENT).parcels, fulfilled(SENT | {"trackingNumber": "1Z3"}).parcels
        assert before.parcel_id == after.parcel_id

    def test_one_that_is_only_marked_as_fulfilled_left_without_a_number(self) -> None:
        (parcel,) = fulfilled(fulfilledOn="2026-11-28T10:00:00Z").parcels
        assert (parcel.parcel_id, parcel.tracking_number) == ("status", "") and parcel.lines == (("6a1", 2), ("6a2", 1))

    def test_shipments_of_an_order_that_is_pending_again_were_undone_and_those_of_a_cancelled_one_have_left(
        self,
    ) -> None:
        assert [parcel.cancelled for parcel in fulfilled(SENT, fulfillmentStatus="PENDING").parcels] == [True]
        assert [parcel.cancelled for parcel in fulfilled(SENT, fulfillmentStatus="CANCELED").parcels] == [False]

    def test_a_line_without_a_variant_is_a_line(self) -> None:
        found = order(lineItems=[{**LINE, "variantId": None, "productId": None, "sku": None}])
        assert (found.lines[0].variant_id, found.lines[0].quantity) == ("", 2)


def placed(currency: str = "USD", price: str = "9.90", shipping: str = "4.99") -> CreateOrder:
    return CreateOrder(
        reference="XD-ABC-0001",
        lines=(Line("p", str(VARIANT["id"]), "SQ1", "Tote", 2, Money.of(price, currency)),),
        shipping=Money.of(shipping, currency),
        ship_to=Address("Ada Lovelace Buyer", "17 Lane", "San Juan", "US", "00901", region="PR", company="Shop Inc."),
        email="buyer-1@relay.example",
        placed_at=datetime(2026, 11, 29, 10, 0, tzinfo=UTC),
    )


class TestOurOrder:
    @pytest.mark.parametrize(("currency", "price", "shipping"), [("USD", "0.99", "0.00"), ("JPY", "990", "500")])
    def test_it_is_as_documented_and_adds_up(self, currency: str, price: str, shipping: str) -> None:
        asked = Asked.model_validate(mapper.body_of(placed(currency, price, shipping)))
        assert asked.wrong_sum() == "" and asked.inventory_behavior == "DEDUCT"

    def test_nobody_can_be_mailed(self) -> None:
        body = mapper.body_of(placed())
        assert "customerEmail" not in body and body["shopperFulfillmentNotificationBehavior"] == "SKIP"
        assert "buyer-1@relay.example" in body["shippingLines"][0]["method"]
        sent = WriteFulfilment("XD", "1", "k", (), "1Z", "UPS", "", datetime.now(UTC))
        assert mapper.fulfilment_of(sent)["shouldSendNotification"] is False

    def test_a_territory_is_a_country_of_its_own(self) -> None:
        address = mapper.body_of(placed())["shippingAddress"]
        assert (address["countryCode"], address["state"]) == ("PR", "")
        assert (address["firstName"], address["lastName"]) == ("Ada Lovelace", "Buyer")

    def test_keys_are_of_the_kind_and_the_name_and_fit(self) -> None:
        keys = {mapper.key(kind, name) for kind in ("order", "count") for name in ("XD-1", "ß & “long”" * 40)}
        assert len(keys) == 4 and all(len(key) == 64 and key.isalnum() for key in keys)

    def test_a_difference_is_added_or_taken(self) -> None:
        for delta, name in ((3, "incrementOperations"), (-3, "decrementOperations")):
            asked = mapper.adjustment_of(AdjustStock("p", "v", delta, "k", "why"))
            assert asked == {name: [{"variantId": "v", "quantity": 3}]}

    def test_a_moment_is_written_as_they_write_it(self) -> None:
        assert instant(datetime(2026, 11, 29, 10, 0, 0, 7_000, tzinfo=UTC)) == "2026-11-29T10:00:00.007Z"
