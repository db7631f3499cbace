"""Carriers' prices in two currencies: 8.90 GBP stood before 9.50 USD as "the cheapest", and rates in another currency
than the insurance were not shown at all.
"""

from typing import Any

from crossdock.carriers.easypost import reading
from crossdock.domain.values import Money
from crossdock.web.seller.labels import _prices


def rate(number: int, price: str, currency: str | None, service: str = "Ground") -> dict[str, Any]:
    return {"id": f"rate_{number}", "rate": price, "currency": currency, "carrier": "USPS", "service": service}


def shipment(*rates: dict[str, Any]) -> dict[str, Any]:
    return {"id": "shp_1", "rates": list(rates)}


MIXED = shipment(rate(1, "8.90", "GBP"), rate(2, "9.50", "USD"), rate(3, "7.10", "GBP"), rate(4, "12.00", "USD"))


def test_sorted_within_a_currency_and_never_across() -> None:
    found = reading.quotes(MIXED, None)
    assert [(str(quote.price), quote.price.currency) for quote in found] == [
        ("9.50", "USD"),
        ("12.00", "USD"),
        ("7.10", "GBP"),
        ("8.90", "GBP"),
    ]
    shown = _prices(found)
    assert shown["currencies"] == ["USD", "GBP"]
    assert shown["cheapest"] == {"shp_1/rate_2", "shp_1/rate_3"}


def test_a_rate_that_the_insurance_cannot_be_added_to_is_shown_with_the_reason() -> None:
    found = reading.quotes(MIXED, Money(10_000, "USD"))
    assert len(found) == 4
    insured = [quote for quote in found if not quote.not_now]
    assert [str(quote.price) for quote in insured] == ["10.50", "13.00"]
    assert [quote.insurance for quote in insured] == [Money(100, "USD")] * 2
    apart = [quote for quote in found if quote.not_now]
    assert [str(quote.price) for quote in apart] == ["7.10", "8.90"]
    assert all(quote.insurance is None and "GBP" in quote.not_now and "USD" in quote.not_now for quote in apart)
    assert _prices(found)["cheapest"] == {"shp_1/rate_2"}


def test_one_currency_is_sorted_as_ever() -> None:
    found = reading.quotes(shipment(rate(1, "9", "USD"), rate(2, "8.5", None), rate(3, "x", "USD")), None)
    assert [str(quote.price) for quote in found] == ["8.50", "9.00"]
