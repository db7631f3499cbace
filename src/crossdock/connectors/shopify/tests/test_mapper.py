"""Shopify's words into ours, with the odd rows."""

from typing import Any

import pytest

from crossdock.connectors.shopify import mapper
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of

ADDRESS = "https://x.myshopify.com"


def usd(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}


def a_variant(number: str = "7", **changes: Any) -> Node:
    levels = {"pageInfo": {"hasNextPage": False}, "nodes": [{"quantities": [{"quantity": 3}]}]}
    whole = {
        "id": f"gid://shopify/ProductVariant/{number}",
        "title": "Default Title",
        "sku": None,
        "barcode": None,
        "price": "12.50",
    }
    return node_of(whole | {"inventoryItem": {"tracked": True, "inventoryLevels": levels}} | changes, "variant")


def a_product(**changes: Any) -> Node:
    media = [
        {"preview": {"image": {"url": "https://cdn.example/1.jpg"}}},
        {"preview": None},
        {"preview": {"image": None}},
    ]
    whole = {
        "id": "gid://shopify/Product/5",
        "title": "Card",
        "status": "ACTIVE",
        "isGiftCard": False,
        "updatedAt": "2026-11-23T10:00:00Z",
    }
    return node_of(
        whole | {"descriptionHtml": "<p>x</p>", "media": {"nodes": media}, "variants": {}} | changes, "product"
    )


def an_order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Order/9107199254740993",
        "name": "#1001",
        "confirmed": True,
        "createdAt": "2026-11-23T10:00:00Z",
        "updatedAt": "2026-11-23T11:00:00Z",
        "cancelledAt": None,
        "cancelReason": None,
        "cancellation": None,
        "sourceIdentifier": "XD-1",
        "tags": ["crossdock"],
        "metafield": {"value": "XD-1"},
        "currentTotalPriceSet": usd("20.00"),
        "totalRefundedSet": usd("0.0"),
        "lineItems": {},
        "fulfillments": [],
        "refunds": [],
    } | changes


def a_line(number: int = 1, units: int = 2) -> Node:
    return node_of(
        {
            "id": f"gid://shopify/LineItem/{number}",
            "sku": "A",
            "currentQuantity": units,
            "variant": {"id": "gid://shopify/ProductVariant/7"},
            "product": {"id": "gid://shopify/Product/5"},
        },
        "line",
    )


def read(order: dict[str, Any], lines: list[Node] | None = None) -> ShopOrder:
    parts = [
        [node_of({"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/1"}}, "part")]
        for _ in order["fulfillments"]
    ]
    return mapper.order(node_of(order, "order"), lines or [a_line()], parts, address=ADDRESS)


def a_fulfilment(status: str = "SUCCESS", *numbers: str) -> dict[str, Any]:
    info = [{"company": "UPS", "number": number, "url": f"https://ups.example/{number}"} for number in numbers]
    return {
        "id": "gid://shopify/Fulfillment/44",
        "status": status,
        "createdAt": "2026-11-23T10:30:00Z",
        "trackingInfo": info,
    }


@pytest.mark.parametrize(
    ("title", "options"),
    [
        ("Near Mint / English", (("Condition", "Near Mint"), ("Language", "English"))),
        ("NM / EN / Foil", ()),
        ("Near Mint", ()),
        ("Default Title", ()),
    ],
)
def test_a_variants_title_says_what_was_chosen_where_it_has_a_part_for_each_option(
    title: str, options: tuple[tuple[str, str], ...]
) -> None:
    about = [{"name": "Condition"}, {"name": "Language"}]
    node = a_product(options=about, tags=["graded"], productType="Singles")
    found = mapper.product(node, [a_variant(title=title)], currency="USD", address="https://a")
    assert found.variants[0].options == options
    assert (found.tags, found.types) == (("graded",), ("Singles",))


def test_a_product_with_one_variant() -> None:
    product = mapper.product(a_product(), [a_variant()], currency="USD", address=ADDRESS)
    (variant,) = product.variants
    assert (product.product_id, product.title, product.active, product.url) == (
        "5",
        "Card",
        True,
        f"{ADDRESS}/admin/products/5",
    )
    assert product.images == ("https://cdn.example/1.jpg",), "media without an image yet are no images"
    assert (variant.variant_id, variant.title, variant.sku, variant.price, variant.count) == (
        "7",
        "",
        "",
        Money(1250, "USD"),
        3,
    )


@pytest.mark.parametrize(
    "changes", [{"status": "DRAFT"}, {"status": "ARCHIVED"}, {"status": "UNLISTED"}, {"isGiftCard": True}]
)
def test_what_the_shop_would_not_show_is_not_active(changes: dict[str, Any]) -> None:
    assert not mapper.product(a_product(**changes), [a_variant()], currency="USD", address=ADDRESS).active


def test_a_currency_without_cents() -> None:
    product = mapper.product(a_product(), [a_variant(price="500")], currency="JPY", address=ADDRESS)
    assert product.variants[0].price == Money(500, "JPY")


def test_counts_of_all_locations_add_up_and_negative_ones_too() -> None:
    levels = {
        "pageInfo": {"hasNextPage": False},
        "nodes": [{"quantities": [{"quantity": 4}]}, {"quantities": [{"quantity": -5}]}],
    }
    assert mapper.available(node_of({"tracked": True, "inventoryLevels": levels}, "item")) == -1


def test_an_untracked_variant_has_no_count() -> None:
    assert (
        mapper.available(
            node_of({"tracked": False, "inventoryLevels": {"nodes": [{"quantities": [{"quantity": 9}]}]}}, "item")
        )
        is None
    )


def test_a_pinned_location_that_does_not_stock_it_has_none_to_sell() -> None:
    assert mapper.available(node_of({"tracked": True, "inventoryLevel": None}, "item")) == 0


def test_our_order() -> None:
    order = read(an_order())
    assert (order.shop_id, order.number, order.reference, order.state) == (
        "9107199254740993",
        "#1001",
        "XD-1",
        ShopOrderState.OPEN,
    )
    assert (order.total, order.stock_taken, order.buyer) == (Money(2000, "USD"), True, "")
    assert [(line.line_id, line.product_id, line.variant_id, line.quantity) for line in order.lines] == [
        ("1", "5", "7", 2)
    ]


def test_only_ours_can_be_evidence_of_taken_stock() -> None:
    """ "confirmed" is true for orders that took nothing as well."""
    theirs = read(an_order(metafield=None, sourceIdentifier=None, tags=[]))
    assert (theirs.reference, theirs.stock_taken) == ("", False)
    assert not read(an_order(confirmed=False)).stock_taken


def test_another_marketplaces_identifier_is_not_our_reference() -> None:
    assert read(an_order(metafield=None, sourceIdentifier="111-98567-54", tags=["other"])).reference == ""
    assert read(an_order(metafield=None, sourceIdentifier="XD-1", tags=["crossdock"])).reference == "XD-1"


def test_a_cancel_is_seen_with_its_note() -> None:
    order = read(
        an_order(cancelledAt="2026-11-23T11:00:00Z", cancelReason="INVENTORY", cancellation={"staffNote": "none left"})
    )
    assert (order.state, order.cancel_note) == (ShopOrderState.CANCELLED, "Inventory: none left")


def test_a_refund_shows_as_refund_and_not_as_another_total() -> None:
    refunds = [
        {
            "id": "gid://shopify/Refund/1",
            "note": "late",
            "createdAt": "2026-11-23T11:00:00Z",
            "totalRefundedSet": usd("5.00"),
        },
        {"id": "gid://shopify/Refund/2", "note": None, "createdAt": None, "totalRefundedSet": usd("0.00")},
    ]
    order = read(an_order(currentTotalPriceSet=usd("15.00"), totalRefundedSet=usd("5.00"), refunds=refunds))
    assert order.total == Money(2000, "USD")
    assert [(refund.refund_id, refund.amount, refund.note) for refund in order.refunds] == [
        ("1", Money(500, "USD"), "late")
    ], "the refund of nothing that a cancel leaves behind is none"


def test_several_numbers_are_several_parcels_and_ship_the_units_once() -> None:
    first, second = read(an_order(fulfillments=[a_fulfilment("SUCCESS", "1Z1", "1Z2")])).parcels
    assert (first.parcel_id, first.tracking_number, first.lines) == ("44", "1Z1", (("1", 1),))
    assert (second.parcel_id, second.tracking_number, second.lines) == ("44/2", "1Z2", (("1", 0),))
    (changed, _) = read(an_order(fulfillments=[a_fulfilment("SUCCESS", "NEW", "1Z2")])).parcels
    assert (changed.parcel_id, changed.tracking_number) == ("44", "NEW"), "a corrected number is the same parcel"


def test_fulfilled_without_a_number_is_a_parcel_without_one() -> None:
    (parcel,) = read(an_order(fulfillments=[a_fulfilment()])).parcels
    assert (parcel.tracking_number, parcel.cancelled) == ("", False)


@pytest.mark.parametrize("status", ["CANCELLED", "ERROR", "FAILURE"])
def test_an_undone_fulfilment_is_a_cancelled_parcel(status: str) -> None:
    assert [parcel.cancelled for parcel in read(an_order(fulfillments=[a_fulfilment(status, "1Z1")])).parcels] == [True]


@pytest.mark.parametrize("status", ["OPEN", "PENDING"])
def test_what_a_third_party_still_packs_has_not_left(status: str) -> None:
    assert read(an_order(fulfillments=[a_fulfilment(status)])).parcels == ()
    assert len(read(an_order(fulfillments=[a_fulfilment(status, "1Z1")])).parcels) == 1


def test_a_line_of_a_deleted_variant_keeps_its_units() -> None:
    line = node_of(
        {"id": "gid://shopify/LineItem/1", "sku": "A", "currentQuantity": 2, "variant": None, "product": None}, "line"
    )
    (seen,) = read(an_order(), [line]).lines
    assert (seen.variant_id, seen.product_id, seen.quantity) == ("", "", 2)


def test_an_id_of_another_shape_is_strange() -> None:
    with pytest.raises(Strange):
        mapper.tail("9107199254740993")


def test_an_order_without_lines_is_strange_and_no_crash() -> None:
    broken = an_order()
    del broken["currentTotalPriceSet"]
    with pytest.raises(Strange, match=r"order\.currentTotalPriceSet"):
        read(broken)
