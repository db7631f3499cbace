"""Saleor's words into ours: what a field says, and what it leaves out."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.saleor import mapper
from crossdock.domain.events import ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit.connector import Http, Shop
from crossdock.kit.json_node import node_of

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SETTINGS = {"channel_id": "C", "warehouses": "W1,W2", "gross": "yes", "currency": "EUR"}


def amount(value: float, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": value, "currency": currency}


def stock(place: str, quantity: int, allocated: int = 0, reserved: int = 0) -> dict[str, Any]:
    numbers = {"quantity": quantity, "quantityAllocated": allocated, "quantityReserved": reserved}
    return {**numbers, "warehouse": {"id": place}}


def variant(**changes: Any) -> dict[str, Any]:
    price = {"gross": amount(12.5), "net": amount(10.5)}
    row = {"id": "V", "name": "Large", "sku": "L-1", "preorder": None, "pricing": {"price": price}, "media": []}
    return {**row, "trackInventory": True, "stocks": [stock("W1", 5, 2)], **changes}


def product(*variants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    listing = {"channel": {"id": "C"}, "isPublished": True, "publishedAt": None, "isAvailableForPurchase": True}
    doc = {"id": "P", "name": "Mug", "description": None, "updatedAt": "2026-11-01T00:00:00+00:00", "media": []}
    return {**doc, "channelListings": [listing], "variants": list(variants) or [variant()], **changes}


class Silent(Http):
    """Nothing is sent in these tests."""


def read(doc: dict[str, Any], **settings: str) -> Any:
    shop = Shop("https://s.example", {}, {**SETTINGS, **settings}, Silent(), now=lambda: NOW)
    return mapper.product_of(shop, node_of(doc, "product"))


def listed(**changes: Any) -> list[dict[str, Any]]:
    return [{**product()["channelListings"][0], **changes}]


@pytest.mark.parametrize(
    ("stocks", "count"),
    [
        ([stock("W1", 5, 2)], 3),
        ([stock("W1", 5, 2), stock("W2", 4)], 7),
        ([stock("W1", 5), stock("elsewhere", 100)], 5),
        ([stock("W1", 1, 3)], -2),
        ([stock("W1", 5, 1, 2)], 2),
        ([], 0),
        (None, 0),
    ],
)
def test_the_count_is_what_is_left_at_the_warehouses_of_the_channel(stocks: Any, count: int) -> None:
    assert mapper.count_of(node_of(variant(stocks=stocks), "v"), SETTINGS) == count


def test_chosen_warehouses_count_alone_and_what_is_not_tracked_has_no_count() -> None:
    row = node_of(variant(stocks=[stock("W1", 5), stock("W2", 4)]), "v")
    assert mapper.count_of(row, {**SETTINGS, "location": "W2"}) == 4
    assert mapper.count_of(node_of(variant(trackInventory=False), "v"), SETTINGS) is None


def test_the_price_is_the_one_that_the_channel_shows() -> None:
    assert read(product()).variants[0].price == Money.of("12.50", "EUR")
    assert read(product(), gross="no").variants[0].price == Money.of("10.50", "EUR")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"channelListings": []}, "not listed"),
        ({"channelListings": listed(isPublished=False)}, "not published"),
        ({"channelListings": listed(publishedAt="2026-12-24T00:00:00+00:00")}, "not published"),
        ({"channelListings": listed(isAvailableForPurchase=False)}, "not available for purchase"),
        ({"channelListings": listed(channel={"id": "other"})}, "not listed"),
        ({"variants": []}, "no variant"),
        ({"variants": None}, "no variant"),
    ],
)
def test_what_the_channel_does_not_sell_says_why(changes: dict[str, Any], why: str) -> None:
    found = read(product(**changes))
    assert not found.active
    assert why in found.reasons[0]


def test_a_publication_whose_time_has_come_is_one() -> None:
    """Another time zone: one o'clock in the afternoon at +02:00 is before noon here."""
    assert read(product(channelListings=listed(publishedAt="2026-11-29T13:00:00+02:00"))).active


def test_variants_without_a_price_and_preorders_are_left_out_and_named() -> None:
    rows = (
        variant(),
        variant(id="W", name="Small", pricing=None),
        variant(id="X", name="Soon", preorder={"endDate": None}),
    )
    found = read(product(*rows))
    assert [row.variant_id for row in found.variants] == ["V"]
    assert found.active
    assert ["Small" in found.reasons[0], "Soon" in found.reasons[1]] == [True, True]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("no json", ""),
        ("[]", ""),
        ('{"blocks": 3}', ""),
        (json.dumps({"blocks": [{"data": {"text": "One <b>two</b>"}}, {"data": {"text": "three"}}]}), "One two\nthree"),
        (json.dumps({"blocks": [{"type": "list", "data": {"items": ["a", {"content": "b"}, 3]}}, 7, {}]}), "a"),
        ("[" * 100_000, ""),
    ],
)
def test_a_description_is_a_document_within_text(value: str, text: str) -> None:
    assert mapper.described(value) == text


def order(**changes: Any) -> dict[str, Any]:
    line = {
        "id": "L",
        "productSku": "L-1",
        "productVariantId": "V",
        "quantity": 3,
        "quantityFulfilled": 1,
        "undiscountedUnitPrice": {"gross": amount(10.0)},
        "variant": {"id": "V", "trackInventory": True, "product": {"id": "P"}},
        "allocations": [{"quantity": 2, "warehouse": {"id": "W1"}}],
    }
    made = {
        "id": "F",
        "status": "FULFILLED",
        "trackingNumber": "1Z999AA10123456784",
        "created": "2026-11-20T10:00:00+00:00",
        "privateMetadata": [],
        "warehouse": {"id": "W1"},
        "lines": [{"quantity": 1, "orderLine": {"id": "L"}}],
    }
    doc = {
        "id": "O",
        "number": "21",
        "status": "PARTIALLY_FULFILLED",
        "isPaid": True,
        "updatedAt": "2026-11-20T10:00:00.123456+00:00",
        "externalReference": "XD-1",
        "metadata": [{"key": "crossdock", "value": "XD-1"}],
        "total": {"gross": amount(30.0)},
        "lines": [line],
        "fulfillments": [made],
        "payments": [],
        "transactions": [],
        "grantedRefunds": [],
    }
    return {**doc, **changes}


def shown(**changes: Any) -> Any:
    return mapper.order_of(node_of(order(**changes), "order"), admin="https://s.example")


def line(**changes: Any) -> list[dict[str, Any]]:
    return [{**order()["lines"][0], **changes}]


def made(**changes: Any) -> list[dict[str, Any]]:
    return [{**order()["fulfillments"][0], **changes}]


def test_an_external_reference_without_our_mark_is_somebody_elses() -> None:
    assert shown().reference == "XD-1"
    assert shown(metadata=[]).reference == ""
    assert shown(externalReference="XD-2").reference == ""


def test_units_are_taken_when_they_are_allocated_or_gone() -> None:
    assert shown().stock_taken and shown().lines[0].stock_taken == 3
    short = shown(lines=line(allocations=[{"quantity": 1, "warehouse": {"id": "W1"}}]))
    assert not short.stock_taken and short.lines[0].stock_taken == 2
    assert not shown(lines=line(allocations=None, quantityFulfilled=0)).stock_taken
    assert not shown(status="CANCELED").stock_taken
    assert not shown(lines=[]).stock_taken


def test_a_deleted_variant_leaves_its_id_in_the_line() -> None:
    (gone,) = shown(lines=line(variant=None)).lines
    assert (gone.variant_id, gone.product_id, gone.quantity, gone.stock_taken) == ("V", "", 3, None)


@pytest.mark.parametrize(
    ("status", "state"), [("CANCELED", "cancelled"), ("EXPIRED", "cancelled"), ("RETURNED", "open")]
)
def test_states(status: str, state: str) -> None:
    assert shown(status=status).state is ShopOrderState(state)


@pytest.mark.parametrize(
    ("status", "parcels", "packed", "cancelled"),
    [
        ("FULFILLED", 1, 0, False),
        ("CANCELED", 1, 0, True),
        ("WAITING_FOR_APPROVAL", 0, 1, False),
        ("RETURNED", 0, 0, False),
        ("REFUNDED", 0, 0, False),
        ("REFUNDED_AND_RETURNED", 0, 0, False),
        ("REPLACED", 0, 0, False),
    ],
)
def test_only_what_left_is_a_parcel(status: str, parcels: int, packed: int, cancelled: bool) -> None:
    found = shown(fulfillments=made(status=status))
    assert (len(found.parcels), len(found.packed)) == (parcels, packed)
    assert any(parcel.cancelled for parcel in found.parcels) is cancelled


@pytest.mark.parametrize(
    ("entered", "number", "link"),
    [
        ("1Z999AA10123456784", "1Z999AA10123456784", ""),
        ("", "", ""),
        (
            "https://www.dhl.com/track?tracking-id=JD0146000038&lang=en",
            "JD0146000038",
            "https://www.dhl.com/track?tracking-id=JD0146000038&lang=en",
        ),
        ("https://gls.example/12345678901", "12345678901", "https://gls.example/12345678901"),
        ("https://carrier.example/track", "", "https://carrier.example/track"),
        ("https://ups.example/track?v=200&number=P-1B7", "P-1B7", "https://ups.example/track?v=200&number=P-1B7"),
        ("https://ups.example/track?number=P-1", "P-1", "https://ups.example/track?number=P-1"),
        ("JD014600003801, 1Z999AA10123456784", "JD014600003801, 1Z999AA10123456784", ""),
        ("http://[odd", "", "http://[odd"),
    ],
)
def test_a_link_in_place_of_the_number(entered: str, number: str, link: str) -> None:
    (parcel,) = shown(fulfillments=made(trackingNumber=entered)).parcels
    assert (parcel.tracking_number, parcel.tracking_url) == (number, link)


def test_the_carrier_stands_in_the_metadata_of_ours() -> None:
    words = [{"key": mapper.CARRIER, "value": "USPS"}, {"key": mapper.LINK, "value": "https://usps.example/1"}]
    (parcel,) = shown(fulfillments=made(privateMetadata=words)).parcels
    assert (parcel.carrier, parcel.tracking_url) == ("USPS", "https://usps.example/1")


def test_refunds_of_both_payment_apis_and_what_is_granted_are_one_each() -> None:
    when = "2026-11-21T10:00:00+00:00"
    paid = {"id": "T1", "kind": "REFUND", "isSuccess": True, "createdAt": when, "amount": amount(3.5)}
    failed, captured = {**paid, "id": "T2", "isSuccess": False}, {**paid, "id": "T3", "kind": "CAPTURE"}
    events = [
        {"id": "E1", "type": "REFUND_SUCCESS", "createdAt": when, "reason": "sorry", "amount": amount(2)},
        {"id": "E2", "type": "REFUND_SUCCESS", "createdAt": when, "reason": "", "amount": amount(5)},
        {"id": "E3", "type": "REFUND_REQUEST", "createdAt": when, "reason": "", "amount": amount(5)},
    ]
    granted = {
        "id": "G1",
        "createdAt": when,
        "reason": "late",
        "amount": amount(5),
        "transactionEvents": [{"id": "E2"}],
    }
    found = shown(
        payments=[{"transactions": [paid, failed, captured]}],
        transactions=[{"events": events}],
        grantedRefunds=[granted],
    ).refunds
    assert [(refund.refund_id, str(refund.amount), refund.note) for refund in found] == [
        ("T1", "3.50", ""),
        ("G1", "5.00", "late"),
        ("E1", "2.00", "sorry"),
    ]
