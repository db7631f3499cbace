"""A carrier's answer with something odd in it: a rate that cannot be read is left out, what was bought is either known
whole or said to be unknown, and nothing is stumbled over.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from crossdock.carriers.easypost import reading
from crossdock.domain.labels import Bought
from crossdock.domain.values import Money
from crossdock.kit import wire
from crossdock.kit.conformance.odd import ODD, places
from crossdock.kit.errors import Strange

SHIPMENT: dict[str, Any] = {
    "id": "shp_1",
    "rates": [
        {"id": "r1", "rate": "8.90", "currency": "USD", "carrier": "USPS", "service": "Ground", "delivery_days": 3},
        {"id": "r2", "rate": "9.90", "currency": "USD", "carrier": "UPS", "service": "Ground", "delivery_days": None},
    ],
    "messages": [{"carrier": "UPS", "message": "No service there."}],
    "postage_label": {"label_url": "https://labels.example/1.png"},
    "tracking_code": "9400111899223100001842",
    "selected_rate": {"id": "r1", "rate": "8.90", "currency": "USD", "carrier": "USPS", "service": "Ground"},
    "tracker": {
        "public_url": "https://track.example/1",
        "tracking_details": [
            {"status": "in_transit", "datetime": "2026-11-01T00:00:00Z", "tracking_location": {"city": "Springfield"}}
        ],
    },
    "fees": [{"type": "PostageFee", "amount": "8.90"}],
    "refund_status": None,
}
READ: dict[str, Callable[[Any], Any]] = {
    "rates": lambda shipment: reading.quotes(shipment, Money(1000, "USD")),
    "why there are none": reading.why_no_rates,
    "what was bought": lambda shipment: reading.bought(shipment, None),
    "how it stands": reading.standing,
}
VALUES = {word: wire.load(text.encode()) for word, text in ODD.items()}


def with_odd(path: tuple[str | int, ...], value: Any) -> Any:
    shipment = copy.deepcopy(SHIPMENT)
    inner: Any = shipment
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return shipment


@pytest.mark.parametrize("what", READ)
def test_nothing_is_stumbled_over(what: str) -> None:
    for path in places(SHIPMENT):
        for word, value in VALUES.items():
            try:
                got = READ[what](with_odd(path, value))
            except Strange:
                continue
            if isinstance(got, Bought):
                assert got.tracking_number and got.price.minor >= 0 and len(got.tracking_number) <= 200, (path, word)


def test_an_odd_rate_is_left_out_and_the_other_is_there() -> None:
    for word in ("null", "a list", "an object", "1e400", "empty text", "a word"):
        shipment = with_odd(("rates", 0, "rate"), VALUES[word])
        assert [quote.ref for quote in reading.quotes(shipment, None)] == ["shp_1/r2"], word
        assert len(reading.quotes(with_odd(("rates", 1), VALUES[word]), None)) == 1, word


def test_fees_that_cannot_be_read_do_not_hide_a_label_that_was_bought() -> None:
    bought = reading.bought(with_odd(("fees",), "none"), None)
    assert bought is not None
    assert (bought.tracking_number, bought.price) == ("9400111899223100001842", Money(890, "USD"))


def test_only_a_web_address_follows_a_label() -> None:
    bought = reading.bought(with_odd(("tracker", "public_url"), "javascript:alert(1)"), None)
    assert bought is not None and bought.tracking_url == ""
