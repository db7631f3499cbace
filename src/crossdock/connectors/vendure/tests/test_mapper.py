"""Vendure's words into ours, on answers written by hand after real ones."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.vendure import mapper
from crossdock.connectors.vendure.mapper import Books
from crossdock.domain.events import Parcel, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import node_of

SHOP = Shop("https://shop.example", {}, {"currency": "USD", "precision": "2"}, http=None, now=lambda: datetime.now(UTC))  # type: ignore[arg-type]
BOOKS = Books(tracks=True, threshold=0, locations=frozenset({"1", "2"}))
AT = "2026-11-23T03:42:20.000Z"
LATER = "2026-11-23T03:42:30.000Z"


def variant(**fields: Any) -> dict[str, Any]:
    return {
        "id": "7",
        "sku": "A",
        "name": "Lamp red",
        "enabled": True,
        "priceWithTax": 1250,
        "currencyCode": "USD",
        "options": [{"name": "red"}],
        "featuredAsset": None,
        "trackInventory": "INHERIT",
        "outOfStockThreshold": 0,
        "useGlobalOutOfStockThreshold": True,
        "stockLevels": [{"stockLocationId": "1", "stockOnHand": 5, "stockAllocated": 2}],
        **fields,
    }


def product(**fields: Any) -> dict[str, Any]:
    return {
        "id": "3",
        "name": "Lamp",
        "description": "<p>Warm &amp; bright</p>",
        "enabled": True,
        "updatedAt": AT,
        "featuredAsset": None,
        "assets": [],
        "variants": [variant()],
        **fields,
    }


def order(**fields: Any) -> dict[str, Any]:
    line = {
        "id": "11",
        "quantity": 2,
        "orderPlacedQuantity": 2,
        "productVariant": {"id": "7", "productId": "3", "sku": "A"},
    }
    return {
        "id": "9",
        "code": "ABC",
        "state": "PaymentSettled",
        "orderPlacedAt": AT,
        "updatedAt": AT,
        "totalWithTax": 3000,
        "currencyCode": "USD",
        "customer": {"emailAddress": "cd-1@orders.example"},
        "lines": [line],
        "fulfillments": [],
        "payments": [{"method": "crossdock", "transactionId": "CD-1", "createdAt": AT, "refunds": []}],
        **fields,
    }


def parcel(id: str, state: str, code: str, *, units: int = 2, made: str = AT, changed: str = AT) -> dict[str, Any]:
    lines = [{"orderLineId": "11", "quantity": units}]
    return {
        "id": id,
        "state": state,
        "method": "UPS",
        "trackingCode": code,
        "createdAt": made,
        "updatedAt": changed,
        "lines": lines,
    }


def read(**fields: Any) -> Any:
    return mapper.order(node_of(order(**fields), "order"), SHOP)


# Counts


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 3),
        ({"stockLevels": [{"stockLocationId": "1", "stockOnHand": 1, "stockAllocated": 5}]}, -4),
        ({"stockLevels": [{"stockLocationId": str(n), "stockOnHand": 5, "stockAllocated": 0} for n in (1, 2, 9)]}, 10),
        ({"stockLevels": []}, 0),
        ({"trackInventory": "FALSE"}, None),
        ({"useGlobalOutOfStockThreshold": False, "outOfStockThreshold": 2}, 1),
        ({"useGlobalOutOfStockThreshold": False, "outOfStockThreshold": -10}, 3),
    ],
    ids=[
        "on hand minus allocated",
        "below zero stays",
        "only this channel's locations",
        "never stocked",
        "untracked",
        "kept back",
        "no back-orders",
    ],
)
def test_the_count_is_what_the_shop_would_sell_of_what_it_has(fields: dict[str, Any], count: int | None) -> None:
    assert mapper.saleable(node_of(variant(**fields), "variant"), BOOKS) == count


def test_the_shops_own_settings_decide_where_the_variant_inherits() -> None:
    node = node_of(variant(), "variant")
    assert mapper.saleable(node, replace(BOOKS, threshold=1)) == 2
    assert mapper.saleable(node, replace(BOOKS, tracks=False)) is None
    assert mapper.saleable(node_of(variant(trackInventory="TRUE"), "variant"), replace(BOOKS, tracks=False)) == 3


def test_a_pinned_location_is_the_only_one_counted() -> None:
    world = {
        "globalSettings": {"trackInventory": True, "outOfStockThreshold": 0},
        "stockLocations": {"items": [{"id": "1"}, {"id": "2"}]},
    }
    assert mapper.books(node_of(world, "data"), {}).locations == {"1", "2"}
    assert mapper.books(node_of(world, "data"), {"location": "2"}).locations == {"2"}


# Products


def test_a_product_is_read_whole() -> None:
    picture = {"preview": "/assets/lamp.jpg"}
    found = mapper.product(
        node_of(product(featuredAsset=picture, assets=[picture, {"preview": "https://cdn.example/b.jpg"}]), "product"),
        BOOKS,
        SHOP,
    )
    assert found.description == "Warm & bright"
    assert found.images == ("https://shop.example/assets/lamp.jpg", "https://cdn.example/b.jpg")
    assert found.url == "https://shop.example/dashboard/products/3"
    assert [(each.variant_id, each.title, each.price, each.count) for each in found.variants] == [
        ("7", "red", Money(1250, "USD"), 3)
    ]
    assert found.active


def test_what_the_shop_does_not_sell_is_not_sold_here() -> None:
    off = mapper.product(node_of(product(enabled=False), "product"), BOOKS, SHOP)
    assert (off.active, len(off.variants)) == (False, 1)
    none = mapper.product(node_of(product(variants=[variant(enabled=False)]), "product"), BOOKS, SHOP)
    assert (none.active, none.variants) == (False, ())


@pytest.mark.parametrize(
    ("value", "currency", "precision", "money"),
    [
        (1250, "USD", "2", Money(1250, "USD")),
        (50000, "JPY", "2", Money(500, "JPY")),
        (12345, "USD", "3", Money(1235, "USD")),
    ],
    ids=["cents", "two decimals even where the currency has none", "a shop with a finer precision"],
)
def test_amounts_are_whole_numbers_of_the_shops_precision(
    value: int, currency: str, precision: str, money: Money
) -> None:
    assert mapper.money(value, currency, replace(SHOP, settings={"precision": precision})) == money


def test_a_missing_field_is_strange_and_named() -> None:
    broken = product()
    del broken["name"]
    with pytest.raises(Strange, match=r"product\.name"):
        mapper.product(node_of(broken, "product"), BOOKS, SHOP)


def test_a_variant_that_cannot_be_understood_leaves_the_others() -> None:
    broken = variant(id="8", options=[{"name": "blue"}])
    del broken["stockLevels"]
    got = mapper.product(node_of(product(variants=[variant(), broken]), "product"), BOOKS, SHOP)
    assert [each.variant_id for each in got.variants] == ["7"] and got.active
    assert got.reasons == ("“blue” could not be understood: its number, price or count is no number.",)


# Orders


def test_only_our_own_payment_carries_our_reference() -> None:
    assert read().reference == "CD-1"
    assert (
        read(payments=[{"method": "stripe", "transactionId": "CD-1", "createdAt": AT, "refunds": []}]).reference == ""
    )


def test_a_cancelled_order_shows_what_was_ordered_although_its_lines_are_empty() -> None:
    line = {**order()["lines"][0], "quantity": 0}
    found = read(state="Cancelled", totalWithTax=0, lines=[line], history={"items": [{"data": {"reason": "sold out"}}]})
    assert (found.state, found.lines[0].quantity, found.cancel_note) == (ShopOrderState.CANCELLED, 2, "sold out")
    assert found.stock_taken is False


def test_an_order_that_nobody_proved_claims_no_stock() -> None:
    assert (read().stock_taken, read().lines[0].stock_taken) == (False, None)
    proven = mapper.order(node_of(order(), "order"), SHOP, taken={"7": 2})
    assert (proven.stock_taken, proven.lines[0].stock_taken) == (True, 2)
    short = mapper.order(node_of(order(), "order"), SHOP, taken={"7": 1})
    assert (short.stock_taken, short.lines[0].stock_taken) == (False, 1)


def test_a_parcel_comes_when_it_leaves() -> None:
    assert read(fulfillments=[parcel("1", "Pending", "T1")]).parcels == ()
    (sent,) = read(fulfillments=[parcel("1", "Shipped", " T1 ")]).parcels
    assert sent == Parcel("1", (("11", 2),), "T1", "UPS", "", datetime(2026, 11, 23, 3, 42, 20, tzinfo=UTC))
    assert [each.tracking_number for each in read(fulfillments=[parcel("1", "Delivered", "T1")]).parcels] == ["T1"]


def test_a_fulfilment_made_again_with_another_number_is_the_same_parcel() -> None:
    rows = [
        parcel("1", "Cancelled", "WRONG", changed=LATER),
        parcel("2", "Cancelled", "WRONG2", made=LATER, changed=LATER),
    ]
    rows.append(parcel("3", "Shipped", "RIGHT", made=LATER, changed=LATER))
    assert [(each.parcel_id, each.tracking_number, each.cancelled) for each in read(fulfillments=rows).parcels] == [
        ("1", "RIGHT", False)
    ]


def test_a_parcel_taken_back_stays_seen_as_taken_back_until_it_is_replaced() -> None:
    rows = [parcel("1", "Cancelled", "T1", changed=LATER), parcel("2", "Pending", "T2", made=LATER)]
    assert [(each.parcel_id, each.cancelled) for each in read(fulfillments=rows).parcels] == [("1", True)]


def test_two_equal_parcels_side_by_side_stay_two_when_one_is_taken_back() -> None:
    rows = [parcel("1", "Cancelled", "T1", units=1, changed=LATER), parcel("2", "Shipped", "T2", units=1)]
    found = read(fulfillments=rows).parcels
    assert [(each.parcel_id, each.tracking_number, each.cancelled) for each in found] == [
        ("1", "T1", True),
        ("2", "T2", False),
    ]


def test_a_refund_that_failed_is_none() -> None:
    refunds = [
        {"id": str(n), "total": 100 * n, "state": state, "reason": None, "createdAt": AT}
        for n, state in enumerate(("Settled", "Pending", "Failed"), 1)
    ]
    found = read(
        payments=[{"method": "crossdock", "transactionId": "CD-1", "createdAt": AT, "refunds": refunds}]
    ).refunds
    assert [(each.refund_id, each.amount) for each in found] == [("1", Money(100, "USD")), ("2", Money(200, "USD"))]


# The proof that units were taken


def moved(*rows: tuple[str, int]) -> Any:
    """A variant with allocations (second, units)."""
    items = [
        {"__typename": "Allocation", "createdAt": f"2026-11-23T03:42:{second}.000Z", "quantity": units}
        for second, units in rows
    ]
    return node_of({"id": "7", "stockMovements": {"items": items}}, "variant")


def wish(id: str, second: str, units: int, *, variant_id: str = "7", clock: str = "03:42") -> Any:
    """An order paid in that second; `clock` is the hour and minute that the server program thinks it is."""
    return node_of(
        {
            "id": id,
            "orderPlacedAt": f"2026-11-23T{clock}:{second}.500Z",
            "payments": [{"createdAt": f"2026-11-23T03:42:{second}.000Z"}],
            "lines": [{"orderPlacedQuantity": units, "productVariant": {"id": variant_id}}],
        },
        "order",
    )


@pytest.mark.parametrize(
    ("orders", "allocations", "units"),
    [
        ([wish("1", "20", 2)], [("20", 2)], 2),
        ([wish("1", "20", 2)], [], 0),
        ([wish("1", "20", 2)], [("20", 1)], 1),
        ([wish("1", "20", 6)], [("20", 3), ("20", 4)], 6),
        ([wish("9", "19", 1), wish("1", "20", 1)], [("19", 1)], 0),
        ([wish("1", "19", 1), wish("9", "20", 1)], [("19", 1)], 1),
        ([wish("9", "20", 1), wish("1", "20", 1)], [("20", 1), ("20", 1)], 1),
        ([wish("1", "50", 1)], [("20", 1)], 0),
        ([wish("9", "20", 1, variant_id="8"), wish("1", "20", 1)], [("20", 1)], 1),
        ([wish("1", "20", 1, clock="03:41")], [("20", 1)], 1),
        ([wish("1", "20", 1, clock="05:10")], [("20", 1)], 1),
        ([wish("9", "20", 1)], [("20", 1)], 0),
    ],
    ids=[
        "ours alone",
        "nothing allocated",
        "a part of it",
        "from two places",
        "theirs was first",
        "ours was first",
        "both got one",
        "an older allocation",
        "another variant's order",
        "the database's clock ahead",
        "the database's clock behind",
        "not our order",
    ],
)
def test_units_are_proven_by_the_moment_of_the_payment(
    orders: list[Any], allocations: list[tuple[str, int]], units: int
) -> None:
    assert mapper.units_taken("1", moved(*allocations), orders) == units
