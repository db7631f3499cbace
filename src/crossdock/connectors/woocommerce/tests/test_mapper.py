"""WooCommerce's JSON in our words: every odd row of the mapper has its case."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crossdock.connectors.woocommerce import goods as reading_goods
from crossdock.connectors.woocommerce import mapper
from crossdock.connectors.woocommerce.sandbox import shapes
from crossdock.domain.commands import CreateOrder, Line
from crossdock.domain.events import Parcel, ShopOrder, ShopOrderState
from crossdock.domain.values import Address, Money
from crossdock.kit.json_node import node_of, unread

AT = "2026-11-23T10:00:00+00:00"
BASE = "https://shop.example"


def goods(**fields: Any) -> dict[str, Any]:
    doc = {
        "id": 10,
        "type": "simple",
        "status": "publish",
        "parent": 0,
        "name": "Mug",
        "sku": "MUG",
        "price": "10.00",
        "count": 5,
        "manage": True,
        "created": AT,
        "modified": AT,
        **fields,
    }
    return shapes.variation(doc, BASE) if doc["parent"] else shapes.product(doc, BASE)


def child(id_: int, **fields: Any) -> dict[str, Any]:
    return goods(**{"id": id_, "type": "variation", "parent": 10, "option": f"Option {id_}", **fields})


def product(doc: dict[str, Any], *children: dict[str, Any], currency: str = "USD") -> Any:
    rows = [node_of(row, "variation") for row in children]
    return reading_goods.product_of(node_of(doc, "product"), rows, currency=currency, address=BASE)


# Products


def test_a_simple_product_is_one_variant_under_its_own_id() -> None:
    got = product(
        goods(images=["https://shop.example/mug.jpg", "javascript:x"], description="<p>Red &amp; <b>white</b></p>")
    )
    (variant,) = got.variants
    assert (got.product_id, variant.variant_id, variant.title, variant.sku) == ("10", "10", "", "MUG")
    assert (variant.price, variant.count, variant.image) == (Money(1000, "USD"), 5, "https://shop.example/mug.jpg")
    assert (got.images, got.description, got.active) == (("https://shop.example/mug.jpg",), "Red & white", True)
    assert got.url == "https://shop.example/wp-admin/post.php?post=10&action=edit"
    assert got.updated_at == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_titles_are_read_without_their_escapes() -> None:
    assert product(goods(name="Salt &amp; pepper &#8211; set")).title == "Salt & pepper – set"


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"count": 5}, 5),
        ({"count": 0}, 0),
        ({"count": -3}, -3),
        ({"manage": False, "count": 9}, None),
        ({"count": 2.5}, 2),
        ({"count": -0.5}, -1),
    ],
)
def test_counts(fields: dict[str, Any], count: int | None) -> None:
    """Plugins allow half units; half a unit cannot be sold here."""
    assert product(goods(**fields)).variants[0].count == count


@pytest.mark.parametrize(
    ("fields", "active", "variants"),
    [
        ({}, True, 1),
        ({"status": "draft"}, False, 1),
        ({"status": "private"}, False, 1),
        ({"price": ""}, False, 0),
        ({"type": "grouped"}, False, 0),
        ({"type": "external"}, False, 0),
        ({"type": "variable"}, False, 0),
    ],
)
def test_what_the_shop_would_sell(fields: dict[str, Any], active: bool, variants: int) -> None:
    got = product(goods(**fields))
    assert (got.active, len(got.variants)) == (active, variants)


def test_a_disabled_or_unpriced_variation_is_no_variant() -> None:
    rows = [child(11), child(12, status="private"), child(13, price="")]
    got = product(goods(type="variable", manage=False), *rows)
    assert [(variant.variant_id, variant.title) for variant in got.variants] == [("11", "Option 11")]


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (5, {"11": 2, "12": 2, "13": 1}),
        (3, {"11": 1, "12": 1, "13": 1}),
        (1, {"11": 1, "12": 0, "13": 0}),
        (0, {"11": 0, "12": 0, "13": 0}),
        (-2, {"11": -2, "12": -2, "13": -2}),
    ],
)
def test_variations_that_share_one_count_get_equal_parts_of_it(total: int, expected: dict[str, int]) -> None:
    """Offering the whole for each would promise one unit three times."""
    rows = [node_of(child(id_, manage="parent", count=total), "variation") for id_ in (13, 11, 12)]
    counts = reading_goods.counts_of(node_of({}, "product"), rows)
    assert counts == expected
    assert total < 0 or sum(count or 0 for count in counts.values()) == total


def test_only_those_that_are_sold_share_and_an_own_count_is_left_alone() -> None:
    rows = [
        child(11, manage="parent", count=4),
        child(12, manage="parent", count=4, status="private"),
        child(13, count=9),
    ]
    assert reading_goods.counts_of(node_of({}, "product"), [node_of(row, "variation") for row in rows]) == {
        "11": 4,
        "12": 4,
        "13": 9,
    }


def test_money_of_other_currencies() -> None:
    assert product(goods(price="500"), currency="JPY").variants[0].price == Money(500, "JPY")
    assert product(goods(price="1.234"), currency="KWD").variants[0].price == Money(1234, "KWD")


# Orders


def order_doc(**fields: Any) -> dict[str, Any]:
    line = {
        "id": 1,
        "name": "Mug",
        "product_id": 10,
        "variation_id": 0,
        "quantity": 2,
        "sku": "MUG",
        "parent_name": None,
        "subtotal": "17.00",
        "total": "17.00",
        "reduced": 2,
        "meta_data": [],
    }
    doc = {
        "id": 13,
        "status": "processing",
        "currency": "USD",
        "order_key": "k",
        "created_via": "rest-api",
        "payment_method": "crossdock",
        "payment_method_title": "",
        "transaction_id": "R",
        "customer_note": "",
        "billing": {"first_name": "Ann", "last_name": "Buyer"},
        "shipping": {},
        "created": AT,
        "modified": AT,
        "completed": None,
        "paid": AT,
        "total": "21.00",
        "refunds": [],
        "line_items": [line],
        "shipping_lines": [{"id": 3, "method_title": "x", "method_id": "y", "total": "4.00"}],
        "meta_data": [],
        **fields,
    }
    return shapes.order(doc, BASE, 2)


def order(*fulfillments: dict[str, Any], **fields: Any) -> ShopOrder:
    return mapper.order_of(
        node_of(order_doc(**fields), "order"), [node_of(f, "fulfillment") for f in fulfillments], address=BASE
    )


def metas(**values: Any) -> list[dict[str, Any]]:
    return [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(values.items())]


def test_an_order_as_it_stands() -> None:
    got = order(meta_data=metas(_crossdock_reference="XD-1"))
    assert (got.shop_id, got.number, got.reference, got.buyer) == ("13", "13", "XD-1", "Ann Buyer")
    assert (got.state, got.total, got.stock_taken) == (ShopOrderState.OPEN, Money(2100, "USD"), True)
    (line,) = got.lines
    assert (line.product_id, line.variant_id, line.quantity, line.stock_taken) == ("10", "10", 2, 2)
    assert got.parcels == () and got.refunds == ()


@pytest.mark.parametrize(
    ("status", "completed", "state"),
    [
        ("pending", None, ShopOrderState.OPEN),
        ("processing", None, ShopOrderState.OPEN),
        ("on-hold", None, ShopOrderState.OPEN),
        ("completed", AT, ShopOrderState.OPEN),
        ("cancelled", None, ShopOrderState.CANCELLED),
        ("failed", None, ShopOrderState.CANCELLED),
        ("refunded", None, ShopOrderState.CANCELLED),
        ("refunded", AT, ShopOrderState.OPEN),
        ("trash", None, ShopOrderState.GONE),
        ("wc-some-plugin", None, ShopOrderState.OPEN),
    ],
)
def test_states(status: str, completed: str | None, state: ShopOrderState) -> None:
    got = order(status=status, completed=completed)
    assert got.state is state
    assert bool(got.parcels) == (completed is not None)


def test_stock_is_taken_only_where_each_line_says_so() -> None:
    lines = order_doc()["line_items"]
    assert lines[0]["meta_data"][0]["key"] == "_reduced_stock"
    for reduced in (0, 1):
        doc = order_doc()
        doc["line_items"][0]["meta_data"] = (
            [{"id": 1, "key": "_reduced_stock", "value": str(reduced)}] if reduced else []
        )
        got = mapper.order_of(node_of(doc, "order"), [], address=BASE)
        assert not got.stock_taken and got.lines[0].stock_taken == (reduced or None)


def test_a_line_of_a_product_that_the_shop_does_not_know() -> None:
    doc = order_doc()
    doc["line_items"][0] |= {"product_id": 0, "meta_data": [], "sku": None}
    (line,) = mapper.order_of(node_of(doc, "order"), [], address=BASE).lines
    assert (line.product_id, line.variant_id, line.sku) == ("", "", "")


def test_refunds_are_positive_amounts_under_their_own_ids() -> None:
    entries = [{"id": 55, "amount": "17.00", "reason": "broken"}, {"id": 56, "amount": "0.5", "reason": ""}]
    got = order(refunds=entries)
    assert [(refund.refund_id, refund.amount, refund.note) for refund in got.refunds] == [
        ("55", Money(1700, "USD"), "broken"),
        ("56", Money(50, "USD"), ""),
    ]
    assert got.state is ShopOrderState.OPEN


# Parcels


def fulfillment(
    id_: int, number: str, units: int = 2, *, fulfilled: Any = "1", deleted: Any = None, **more: Any
) -> dict[str, Any]:
    facts = {"_tracking_number": number, "_shipment_provider": "dhl", "_items": [{"item_id": 1, "qty": units}]} | more
    entry = shapes.fulfillment(
        {"id": id_, "order_id": 13, "is_fulfilled": True, "updated": AT, "meta_data": metas(**facts)}, read_again=True
    )
    return entry | {"is_fulfilled": fulfilled, "date_deleted": deleted}


def numbers(got: ShopOrder) -> list[tuple[str, str]]:
    return [(parcel.parcel_id, parcel.tracking_number) for parcel in got.parcels]


def test_core_fulfilments_are_parcels_with_their_units() -> None:
    got = order(fulfillment(3, "A", 1, _date_fulfilled="2026-11-23 12:00:00"), fulfillment(4, "B", 1))
    first, second = got.parcels
    assert first == Parcel("f3", (("1", 1),), "A", "dhl", "", datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert (second.parcel_id, second.tracking_number) == ("f4", "B")


@pytest.mark.parametrize(
    ("flag", "counts"), [(True, True), ("1", True), (1, True), (False, False), ("0", False), ("", False), (None, False)]
)
def test_is_fulfilled_has_many_spellings(flag: Any, counts: bool) -> None:
    assert bool(order(fulfillment(3, "A", fulfilled=flag)).parcels) == counts


def test_a_deleted_fulfilment_is_no_parcel() -> None:
    assert order(fulfillment(3, "A", deleted="2026-11-23 12:00:00")).parcels == ()


def test_a_changed_number_stays_the_same_parcel() -> None:
    assert numbers(order(fulfillment(3, "A"))) == [("f3", "A")] and numbers(order(fulfillment(3, "B"))) == [("f3", "B")]


def plugin(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return metas(_wc_shipment_tracking_items=list(entries))


def test_the_plain_plugin_s_entries_by_their_place() -> None:
    """It changes a number by deleting the entry and adding another, with another id of its own."""
    before = order(
        meta_data=plugin(
            {"tracking_number": "OLD", "tracking_provider": "ups", "tracking_id": "aaa", "date_shipped": "1795393739"}
        )
    )
    after = order(meta_data=plugin({"tracking_number": "NEW", "tracking_provider": "ups", "tracking_id": "bbb"}))
    assert (numbers(before), numbers(after)) == ([("t1", "OLD")], [("t1", "NEW")])
    assert before.parcels[0].carrier == "ups" and before.parcels[0].lines == ()
    assert before.parcels[0].shipped_at == datetime.fromtimestamp(1795393739, UTC)


def test_entries_that_name_their_lines_keep_their_own_ids() -> None:
    part = {"products_list": [{"product": "10", "item_id": "1", "qty": "1"}]}
    got = order(
        meta_data=plugin(
            {"tracking_number": "A", "tracking_id": "aaa", **part},
            {"tracking_number": "B", "tracking_id": "bbb", **part},
        )
    )
    assert [(parcel.parcel_id, parcel.lines) for parcel in got.parcels] == [
        ("t-aaa", (("1", 1),)),
        ("t-bbb", (("1", 1),)),
    ]


def test_php_writes_a_list_with_a_hole_as_an_object() -> None:
    got = order(
        meta_data=metas(_wc_shipment_tracking_items={"1": {"tracking_number": "A"}, "4": {"tracking_number": "B"}})
    )
    assert numbers(got) == [("t1", "A"), ("t2", "B")]


@pytest.mark.parametrize("junk", ["", None, [], "text", 7, {}])
def test_no_entries_are_no_parcels(junk: Any) -> None:
    assert order(meta_data=metas(_wc_shipment_tracking_items=junk)).parcels == ()


def test_custom_carriers_and_links() -> None:
    entry = {
        "tracking_number": "A",
        "tracking_provider": "",
        "custom_tracking_provider": "Bike",
        "custom_tracking_link": "https://bike.example/A",
    }
    (parcel,) = order(meta_data=plugin(entry)).parcels
    assert (parcel.carrier, parcel.tracking_url) == ("Bike", "https://bike.example/A")
    (parcel,) = order(meta_data=plugin(entry | {"custom_tracking_link": "javascript:alert(1)"})).parcels
    assert parcel.tracking_url == ""


def test_completed_without_a_number_is_shipped_without_one() -> None:
    (parcel,) = order(status="completed", completed=AT).parcels
    assert (parcel.parcel_id, parcel.lines, parcel.tracking_number) == ("t1", (), "")
    # The number that is added later belongs to the same parcel.
    assert numbers(order(status="completed", completed=AT, meta_data=plugin({"tracking_number": "A"}))) == [("t1", "A")]


def test_completed_with_a_part_in_a_fulfilment_ships_the_rest() -> None:
    got = order(fulfillment(3, "A", 1), status="completed", completed=AT)
    assert [(parcel.parcel_id, parcel.lines) for parcel in got.parcels] == [("f3", (("1", 1),)), ("rest", (("1", 1),))]
    assert len(order(fulfillment(3, "A", 2), status="completed", completed=AT).parcels) == 1


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("", False),
        ("unfulfilled", False),
        ("no_fulfillments", False),
        ("partially_fulfilled", True),
        ("fulfilled", True),
    ],
)
def test_the_core_is_asked_only_where_it_may_know_something(value: str, asked: bool) -> None:
    got = mapper.may_have_fulfillments(node_of(order_doc(meta_data=metas(_fulfillment_status=value)), "order"))
    assert got == asked
    assert not mapper.may_have_fulfillments(node_of(order_doc(), "order"))
    assert mapper.may_have_fulfillments(node_of(order_doc(status="completed", completed=AT), "order"))


# Our order in their words


def command(**fields: Any) -> CreateOrder:
    lines = (
        Line("10", "10", "MUG", "Mug", 3, Money(333, "USD")),
        Line("11", "12", "TEE-S", "Tee", 1, Money(2000, "USD")),
    )
    where = Address("Ann Mary Buyer", "1 Rd", "X", "US", "90001", region="CA", phone="+1 555 010 0000")
    values = {
        "reference": "XD-1",
        "lines": lines,
        "shipping": Money(400, "USD"),
        "ship_to": where,
        "email": "r@relay.example",
    } | fields
    return CreateOrder(placed_at=datetime(2026, 11, 23, tzinfo=UTC), **values)


def test_the_order_that_is_sent() -> None:
    body = mapper.body_of(command())
    assert (body["status"], body["set_paid"], body["currency"], body["transaction_id"]) == (
        "processing",
        False,
        "USD",
        "XD-1",
    )
    assert body["line_items"] == [
        {"product_id": 10, "quantity": 3, "subtotal": "9.99", "total": "9.99"},
        {"product_id": 11, "quantity": 1, "subtotal": "20.00", "total": "20.00", "variation_id": 12},
    ]
    assert body["shipping_lines"][0]["total"] == "4.00" and "XD-1" in body["shipping_lines"][0]["method_title"]
    assert {"key": "_crossdock_reference", "value": "XD-1"} in body["meta_data"]
    assert {"key": "is_vat_exempt", "value": "yes"} in body["meta_data"]


def test_nobody_can_be_mailed_or_texted_from_it() -> None:
    body = mapper.body_of(command())
    assert not {"email", "phone"} & body["billing"].keys()
    assert "r@relay.example" in body["customer_note"]
    assert body["shipping"]["phone"] == "+1 555 010 0000"
    assert mapper.body_of(command(email="", note="Gift"))["customer_note"] == "Gift"


def test_names_are_cut_in_two() -> None:
    body = mapper.body_of(command())
    assert (body["billing"]["first_name"], body["billing"]["last_name"]) == ("Ann Mary", "Buyer")
    single = mapper.body_of(command(ship_to=Address("Cher", "1 Rd", "X", "US")))["billing"]
    assert (single["first_name"], single["last_name"]) == ("Cher", "")


def test_amounts_are_written_in_the_currency_s_own_decimals() -> None:
    line = Line("10", "10", "", "Mug", 2, Money(1234, "KWD"))
    body = mapper.body_of(command(lines=(line,), shipping=Money(0, "KWD")))
    assert body["line_items"][0]["total"] == "2.468" and Decimal(body["shipping_lines"][0]["total"]) == 0


def test_every_field_that_the_simulator_writes_is_read_or_known(monkeypatch: pytest.MonkeyPatch) -> None:
    # What other connectors' tests of this process left unread is not ours.
    monkeypatch.setattr("crossdock.kit.json_node._reported", set())
    product(goods(type="variable", manage=False), child(11))
    order(fulfillment(3, "A"))
    assert not {path for path in unread() if path.startswith(("product", "variation", "order", "fulfillment"))}


@pytest.mark.parametrize("image", [None, False, [], {}, {"id": 0, "src": False}, {"src": "data:image/png;base64,x"}])
def test_pictures_that_php_left_out(image: Any) -> None:
    doc = goods(type="variable", manage=False) | {"images": [image] if image else image}
    got = product(doc, child(11) | {"image": image})
    assert got.images == () and got.variants[0].image == ""
