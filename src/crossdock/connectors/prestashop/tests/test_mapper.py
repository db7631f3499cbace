"""PrestaShop's JSON in our words: what the vendor documents, and what is easily read wrong."""

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from crossdock.connectors.prestashop import mapper
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import node_of

PARIS = ZoneInfo("Europe/Paris")
SETTINGS = {
    "currency": "EUR",
    "currencies": "1=EUR 2=JPY",
    "id_currency": "1",
    "zone": "Europe/Paris",
    "shipped": "4,5",
    "canceled": "6",
    "refunded": "7",
    "error": "8",
    "unpaid": "12",
    "counts": "1",
    "backorders": "0",
}
ORDER: dict[str, Any] = {
    "id": 5,
    "reference": "XKBKNABJK",
    "current_state": "11",
    "id_currency": "1",
    "payment": "Crossdock CD-1-ABC",
    "total_paid_tax_incl": "25.000000",
    "date_upd": "2026-11-29 18:00:00",
    "delivery_date": "0000-00-00 00:00:00",
    "associations": {
        "order_rows": [{"id": "9", "product_id": "3", "product_attribute_id": "0", "product_quantity": "2"}]
    },
}
SHOP = Shop("https://shop.example", {}, SETTINGS, cast("Any", None), lambda: datetime.now(UTC))
NUMBERED = {"id": "7", "id_carrier": "4", "tracking_number": "JD01"}


def read(sent: Any = (), slips: Any = (), **changes: Any) -> ShopOrder:
    carriers = {"4": node_of({"id": 4, "name": "DHL", "url": "https://dhl.example/?n=@"}, "carrier")}
    nodes = [[node_of(row, "row") for row in rows] for rows in (sent, slips)]
    return mapper.order_of(node_of(ORDER | changes, "order"), *nodes, carriers, SETTINGS)


def test_an_order_of_ours() -> None:
    order = read()
    assert (order.shop_id, order.number, order.reference) == ("5", "XKBKNABJK", "CD-1-ABC")
    assert str(order.total) == "25.00" and order.stock_taken and order.state is ShopOrderState.OPEN
    assert [(line.line_id, line.product_id, line.variant_id, line.quantity) for line in order.lines] == [
        ("9", "3", "3-0", 2)
    ]
    assert order.updated_at == datetime(2026, 11, 29, 17, tzinfo=UTC)


@pytest.mark.parametrize("said", ["Crossdock CD-1 (taken back)", "Crossdock", "Bank wire", "crossdock CD-1", ""])
def test_other_payment_methods_carry_no_reference(said: str) -> None:
    assert read(payment=said).reference == ""


@pytest.mark.parametrize(
    ("state", "closed", "taken"), [("6", True, False), ("7", True, True), ("8", False, False), ("12", False, False)]
)
def test_states(state: str, closed: bool, taken: bool) -> None:
    order = read(current_state=state)
    assert (order.state is ShopOrderState.CANCELLED, order.stock_taken) == (closed, taken)


def test_refunded_after_it_was_shipped_is_no_cancel() -> None:
    assert read([NUMBERED], current_state="7").state is ShopOrderState.OPEN


def test_parcels() -> None:
    (parcel,) = read([NUMBERED]).parcels
    assert (parcel.parcel_id, parcel.carrier, parcel.tracking_url) == ("7", "DHL", "https://dhl.example/?n=JD01")
    assert parcel.lines == (("9", 2),)
    first, second = read([NUMBERED | {"id": "12"}, NUMBERED], current_state="4").parcels
    assert (first.parcel_id, second.parcel_id) == ("7", "12"), "the oldest row first, by number"
    assert second.lines == (("9", 0),), "no unit is in two parcels"
    bare = NUMBERED | {"tracking_number": ""}
    assert [p.parcel_id for p in read([bare], current_state="5").parcels] == ["7"]
    assert [p.parcel_id for p in read([], current_state="4").parcels] == ["status"]
    assert read([bare]).parcels == ()


def test_an_order_in_another_currency_is_read_in_it_and_an_unknown_one_is_strange() -> None:
    assert str(read(id_currency="2", total_paid_tax_incl="2500.000000").total) == "2500"
    with pytest.raises(Strange, match="id_currency"):
        read(id_currency="3")


def test_a_combination_that_did_not_come_is_no_simple_product() -> None:
    product = {"id": 3, "name": "Card", "associations": {"combinations": [{"id": "4"}]}}
    with pytest.raises(Strange, match="combinations"):
        mapper.product_of(node_of(product, "product"), [], {}, {}, SHOP)
