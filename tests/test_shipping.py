"""Carriers: added where it is sure, never guessed, and what the shop said is never overwritten."""

import pytest

from crossdock.domain.shipping import CARRIERS, follow


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        ("1Z999AA10123456784", "UPS"),
        ("1z 999 aa1 01 2345 6784", "UPS"),
        ("9400 1118 9922 3344 5566 77", "USPS"),
        # The example of the standard itself.
        ("RR473124829GB", "Royal Mail"),
        ("RR 473 124 829 CA", "Canada Post"),
    ],
)
def test_a_number_says_whose_it_is(number: str, carrier: str) -> None:
    name, url = follow(number, named="", url="")
    assert name == carrier
    assert number.replace(" ", "").upper() in url
    assert url.startswith("https://")


@pytest.mark.parametrize("number", ["", "123456789012", "RR473124828GB", "RR473124829XX", "hello", "1Z999AA1012345678"])
def test_a_number_that_fits_nobody_surely_stays_as_it_is(number: str) -> None:
    assert follow(number, named="", url="") == ("", "")


@pytest.mark.parametrize("named", ["FedEx", "fedex", "Federal Express", " FEDEX "])
def test_a_named_carrier_is_linked_whatever_the_number(named: str) -> None:
    assert follow("123456789012", named=named, url="") == (
        named,
        "https://www.fedex.com/fedextrack/?trknbr=123456789012",
    )


def test_the_shop_s_own_words_win() -> None:
    assert follow("1Z999AA10123456784", named="My bike", url="") == ("My bike", "")
    assert follow("1Z999AA10123456784", named="", url="https://x.test/1") == ("UPS", "https://x.test/1")


@pytest.mark.parametrize("number", ["1&next=//evil.test/?#", "a/../../b", "x" * 61, "abc", "１２３４５６"])
def test_what_is_no_number_gets_no_address(number: str) -> None:
    assert follow(number, named="UPS", url="") == ("UPS", "")


def test_no_name_belongs_to_two() -> None:
    names = [alias for carrier in CARRIERS for alias in carrier.aliases]
    assert len(set(names)) == len(names)
    assert all(carrier.link.count("{}") == 1 for carrier in CARRIERS)
