"""Carriers: added where it is sure, never guessed, and what the shop said is never overwritten."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.shipping import CARRIERS, follow
from crossdock.domain.tracking import FORMATS, POSTS, express, recognise, s10_check, sevens, threes, twos


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


@pytest.mark.parametrize(
    "number", ["", "123456789013", "RR473124828GB", "RR473124829XX", "hello", "1Z999AA1012345678", "1Z999AA10123456785"]
)
def test_a_number_that_fits_nobody_surely_stays_as_it_is(number: str) -> None:
    assert follow(number, named="", url="") == ("", "")


@pytest.mark.parametrize("named", ["FedEx", "fedex", "Federal Express", " FEDEX "])
def test_a_named_carrier_is_linked_whatever_the_number(named: str) -> None:
    assert follow("123456789012", named=named, url="") == (
        "FedEx",
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


# Numbers that are public as samples, and one of ours per other kind with its digit computed.
@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        ("420100039400199000000100000016", "USPS"),
        ("420100030001" + "94001990000001000000" + "16", "USPS"),
        ("986578788855", "FedEx"),
        ("568283610012000", "FedEx"),
        ("61299998820821171811", "FedEx"),
        ("9611020987654312345672", "FedEx"),
        ("9632001960000000000400152152152158", "FedEx"),
        ("3318810025", "DHL Express"),
        ("GM60511234500000001", "DHL eCommerce"),
        ("C11031500001879", "OnTrac"),
        ("1LS728008728012", "OnTrac"),
        ("TBA123456789012", "Amazon Logistics"),
        ("0073938000549297", "Canada Post"),
        ("9261299998820821171811", "USPS"),
        (f"RR12345678{s10_check('12345678')}NL", "PostNL"),
    ],
)
def test_more_numbers_that_say_whose_they_are(number: str, carrier: str) -> None:
    assert follow(number, named="", url="")[0] == carrier


def test_twenty_digits_of_a_pallet_are_nobody_s() -> None:
    pallet = "00" + "34012345000000001"
    assert recognise(pallet + str(threes(pallet))) == ""


def test_letters_of_other_scripts_are_no_digits() -> None:
    assert recognise("٣٣١٨٨١٠٠٢٥") == "" and recognise("¹" * 10) == ""


NUMBERS: dict[str, tuple[str, Callable[[str], int]]] = {
    "ups": (r"1Z[0-9A-Z]{15}", lambda body: twos(body[2:])),
    "usps22": (r"9[2-5][0-9]{19}", threes),
    "usps26": (r"9[2-5][0-9]{23}", threes),
    "fedex12": (r"[0-9]{11}", express),
    "fedex15": (r"[0-9]{14}", threes),
    "dhl": (r"[0-9]{9}", sevens),
    "ontrac": (r"[CD][0-9]{13}", twos),
    "canada": (r"[0-9]{15}", threes),
    "s10": (r"[A-Z]{2}[0-9]{8}", lambda body: s10_check(body[2:])),
}
OWNERS = {
    "ups": "UPS",
    "usps22": "USPS",
    "usps26": "USPS",
    "fedex12": "FedEx",
    "fedex15": "FedEx",
    "dhl": "DHL Express",
    "ontrac": "OnTrac",
    "canada": "Canada Post",
    "s10": "PostNL",
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_the_last_digit_decides(kind: str) -> None:
    pattern, check = NUMBERS[kind]
    tail = "NL" if kind == "s10" else ""

    @given(st.from_regex(re.compile(rf"\A{pattern}\Z", re.ASCII)), st.integers(1, 9))
    def decides(body: str, off: int) -> None:
        right = check(body)
        assert recognise(f"{body}{right}{tail}") == OWNERS[kind]
        assert recognise(f"{body}{(right + off) % 10}{tail}") == ""

    decides()


@given(st.from_regex(re.compile(r"\A9[2-5][0-9]{19}\Z", re.ASCII)), st.integers(2, 21), st.integers(1, 9))
def test_any_changed_digit_of_a_postal_number_is_noticed(body: str, place: int, off: int) -> None:
    number = f"{body}{threes(body)}"
    changed = number[:place] + str((int(number[place]) + off) % 10) + number[place + 1 :]
    assert recognise(number) == "USPS" and recognise(changed) == ""


@given(st.text(max_size=40))
def test_whatever_is_typed_is_answered(text: str) -> None:
    assert recognise(text.upper()) in {"", *POSTS.values(), *(one.carrier for one in FORMATS)}
