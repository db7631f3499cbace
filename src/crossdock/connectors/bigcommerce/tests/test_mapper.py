"""BigCommerce's JSON in our words: what the vendor documents, and what is easily read wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.bigcommerce import mapper
from crossdock.domain.commands import CreateOrder, Line
from crossdock.domain.events import ProductGone, ShopOrder, ShopOrderState, ShopProduct
from crossdock.domain.values import Address, Money
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import node_of

VARIANT: dict[str, Any] = {"id": 7, "sku": "S-7", "price": None, "calculated_price": 12.5, "option_values": []}
PRODUCT: dict[str, Any] = {
    "id": 5,
    "name": "Card",
    "description": "<p>Nice</p>",
    "price": 20,
    "inventory_tracking": "product",
    "is_visible": True,
    "availability": "available",
    "base_variant_id": 7,
    "date_modified": "2026-11-29T10:00:00+00:00",
    "variants": [VARIANT],
}
ORDER: dict[str, Any] = {
    "id": 100,
    "status_id": 11,
    "default_currency_code": "USD",
    "currency_code": "EUR",
    "total_inc_tax": "25.0000",
    "refunded_amount": "0.0000",
    "external_source": "crossdock",
    "external_order_id": "XD-1",
    "date_modified": "Tue, 20 Nov 2012 00:00:00 +0000",
    "billing_address": {"first_name": "Ada", "last_name": "Buyer"},
}
LINES = [{"id": 1, "product_id": 5, "variant_id": 7, "sku": "S-7", "quantity": 2, "order_address_id": 3}]


def product(**changes: Any) -> ShopProduct:
    found = mapper.product_of(
        node_of({**PRODUCT, **changes}, "product"), currency="USD", admin="https://a.example", counts={"7": 4}
    )
    assert not isinstance(found, ProductGone)
    return found


def order(*shipments: Any, takes: str = "order_placed", **changes: Any) -> ShopOrder:
    lines, sent = [node_of(row, "line") for row in LINES], [node_of(row, "shipment") for row in shipments]
    whole = node_of({**ORDER, **changes}, "order")
    return mapper.order_of(whole, lines, sent, admin="https://a.example", takes=takes)


class TestProducts:
    def test_the_price_is_the_one_that_the_storefront_shows(self) -> None:
        (variant,) = product().variants
        assert (str(variant.price), variant.count) == ("12.50", 4)
        (variant,) = product(variants=[{**VARIANT, "calculated_price": None, "price": 9}]).variants
        assert str(variant.price) == "9.00"
        (variant,) = product(variants=[{**VARIANT, "calculated_price": None}]).variants
        assert str(variant.price) == "20.00", "null is the product's"

    def test_what_is_not_for_sale_says_why(self) -> None:
        for changes in (
            {"is_visible": False},
            {"availability": "disabled"},
            {"is_price_hidden": True},
            {"variants": [{**VARIANT, "purchasing_disabled": True}]},
            {"variants": [{**VARIANT, "calculated_price": 0}]},
        ):
            found = product(**changes)
            assert not found.active and found.reasons, changes

    def test_one_count_for_several_variants_cannot_be_sold(self) -> None:
        several = [VARIANT, {**VARIANT, "id": 8, "sku": "S-8"}]
        found = product(base_variant_id=None, variants=several)
        assert not found.active and "by variant" in found.reasons[0]
        assert product(base_variant_id=None, variants=several, inventory_tracking="variant").active

    def test_locations_that_are_switched_off_or_not_chosen_do_not_count(self) -> None:
        rows = [
            {"location_id": 1, "available_to_sell": 5, "location_enabled": True},
            {"location_id": 2, "available_to_sell": 3, "location_enabled": True},
            {"location_id": 3, "available_to_sell": 9, "location_enabled": False},
        ]
        item = node_of({"locations": rows}, "item")
        assert (mapper.count_of(item, ()), mapper.count_of(item, {"2", "3"})) == (8, 3)


class TestOrders:
    def test_the_currency_is_the_transaction_s_and_not_the_one_that_was_shown(self) -> None:
        found = order()
        assert (found.total, found.reference, found.state) == (Money(2500, "USD"), "XD-1", ShopOrderState.OPEN)
        assert found.updated_at == datetime(2012, 11, 20, tzinfo=UTC) and found.buyer == "Ada Buyer"

    @pytest.mark.parametrize("said", ["", "0000-00-00", "Tue, 99 Nov 2012", ",", "Tue, 20 Nov 99999 00:00:00 +0000"])
    def test_a_date_that_is_none_is_none(self, said: str) -> None:
        assert order(date_modified=said).updated_at is None

    def test_a_reference_of_another_program_is_not_ours(self) -> None:
        assert order(external_source="Amazon").reference == ""
        assert order(external_source=None).reference == ""
        assert order(external_order_id="XD-1 (taken back)").reference == ""

    @pytest.mark.parametrize(("status", "state"), [(5, "cancelled"), (6, "cancelled"), (4, "cancelled"), (14, "open")])
    def test_what_ends_an_order(self, status: int, state: str) -> None:
        assert order(status_id=status).state == state

    def test_refunded_after_shipping_is_no_cancel(self) -> None:
        shipment = {"id": 9, "items": [{"order_product_id": 1, "quantity": 2}]}
        assert order(shipment, status_id=4).state is ShopOrderState.OPEN
        assert order(is_deleted=True).state is ShopOrderState.GONE

    def test_who_moves_stock_is_the_store_s_setting(self) -> None:
        later = "order_completed_or_shipped"
        assert order().stock_taken and not order(takes=later).stock_taken
        assert order(takes=later, status_id=2).stock_taken and not order(status_id=5).stock_taken
        assert not order(takes="").stock_taken

    def test_a_shipment_keeps_its_items_and_what_none_holds_left_without_a_number(self) -> None:
        shipment = {
            "id": 9,
            "tracking_number": "1Z",
            "tracking_carrier": "ups",
            "generated_tracking_link": "https://t.example/1Z",
            "items": [{"order_product_id": 1, "quantity": 1}],
        }
        (parcel,) = order(shipment, status_id=3).parcels
        assert (parcel.lines, parcel.carrier, parcel.tracking_url) == ((("1", 1),), "ups", "https://t.example/1Z")
        _, rest = order(shipment, status_id=2).parcels
        assert (rest.parcel_id, rest.lines, rest.tracking_number) == ("status", (("1", 1),), "")

    def test_odd_numbers_are_named(self) -> None:
        for changes in ({"status_id": "eleven"}, {"total_inc_tax": "much"}, {"default_currency_code": ""}):
            with pytest.raises(Strange):
                order(**changes)


def test_our_order_has_no_mail_address_and_no_tax_and_always_a_postal_code() -> None:
    command = CreateOrder(
        "XD-1",
        (Line("5", "7", "S", "Card", 2, Money.of("3.33", "USD")),),
        Money.of("4.99", "USD"),
        Address("Ada Buyer", "1 Quay", "Hong Kong", "HK", ""),
        "relay@market.example",
        datetime.now(UTC),
    )
    body = mapper.body_of(command)
    assert "email" not in body["billing_address"] and "relay@market.example" in body["staff_notes"]
    assert body["billing_address"]["zip"] == "00"
    (line,) = body["products"]
    assert (line["price_inc_tax"], line["price_ex_tax"], line["quantity"]) == (3.33, 3.33, 2)
    assert body["external_order_id"] == "XD-1" and body["status_id"] == 11
