"""Decimals of a currency are ISO 4217's, not those that a locale shows: 150.52 RSD was listed, ordered and refunded as
151, and 12.345 IQD as 12.

Reported of others as medusajs/medusa PR 14698, bojanz/currency 37, Shopify/quilt PR 1902 and stripe-ios PR 2943.
"""

import re
from decimal import Decimal
from types import SimpleNamespace

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.connectors.vendure import mapper as vendure
from crossdock.connectors.woocommerce import goods as woocommerce
from crossdock.connectors.woocommerce.sandbox import shapes
from crossdock.domain.currencies import CURRENCIES, CURRENT, NotMoney, minor_units
from crossdock.domain.values import Money, share
from crossdock.kit.json_node import node_of
from crossdock.payments.stripe.amounts import NotTaken, from_stripe, to_stripe
from crossdock.web.forms import currency_choices
from crossdock.web.templatetags.crossdock import money

ISO = {currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None}
CODES = sorted(CURRENCIES)
# Two decimals, of which a locale library of today, or of tomorrow, says something else.
OFTEN_NOT_SHOWN = [
    "RSD",
    "ALL",
    "AFN",
    "LAK",
    "LBP",
    "MMK",
    "IRR",
    "SOS",
    "SYP",
    "YER",
    "KPW",
    "MGA",
    "HUF",
    "IDR",
    "COP",
]


def test_the_file_says_what_the_standard_says() -> None:
    assert {code: minor_units(code) for code in ISO} == ISO
    assert set(ISO) >= CURRENT
    assert len(CURRENT) > 150


def test_withdrawn_codes_keep_their_decimals_and_are_not_offered() -> None:
    """Shops that were set up before still name them; an order in them is still read."""
    assert [minor_units(code) for code in ("HRK", "BGN", "BYR", "SLL", "STD")] == [2, 2, 0, 2, 2]
    offered = {code for code, _ in currency_choices()}
    assert offered == CURRENT
    assert not offered & {"HRK", "BGN", "CLF", "XAU", "XTS"}


def test_what_is_no_currency_is_refused_and_never_given_two_decimals() -> None:
    for code in ("XAU", "XXX", "ABC", "", "usd "):
        with pytest.raises(NotMoney):
            minor_units(code)


@pytest.mark.parametrize("code", OFTEN_NOT_SHOWN)
def test_two_decimals_that_are_often_not_shown(code: str) -> None:
    assert str(Money.of("150.52", code)) == "150.52"
    assert str(Money.of("0.40", code) * 3) == "1.20"
    assert money(Money.of("150.52", code)).endswith("150.52")


@pytest.mark.parametrize(
    ("code", "typed", "kept"),
    [
        ("IQD", "12.345", "12.345"),
        ("KWD", "1.25", "1.250"),
        ("LYD", "1.250", "1.250"),
        ("JPY", "1.25", "1"),
        ("ISK", "1.25", "1"),
        ("UGX", "500", "500"),
    ],
)
def test_none_and_three_decimals(code: str, typed: str, kept: str) -> None:
    assert str(Money.of(typed, code)) == kept


def test_a_dinar_price_comes_from_each_shop_whole() -> None:
    at = "2026-11-23T10:00:00+00:00"
    doc = {
        "id": 10,
        "type": "simple",
        "status": "publish",
        "parent": 0,
        "name": "Card",
        "sku": "C",
        "price": "150.52",
        "count": 5,
        "manage": True,
        "created": at,
        "modified": at,
    }
    shop = "https://shop.example"
    read = woocommerce.product_of(node_of(shapes.product(doc, shop), "product"), [], currency="RSD", address=shop)
    assert [str(variant.price) for variant in read.variants] == ["150.52"]
    cents = SimpleNamespace(settings={"precision": "2"})
    assert str(vendure.money(15052, "RSD", cents)) == "150.52"  # type: ignore[arg-type]
    assert str(vendure.money(1234500, "IQD", SimpleNamespace(settings={"precision": "5"}))) == "12.345"  # type: ignore[arg-type]


def test_stripe_counts_by_its_own_table() -> None:
    assert to_stripe(Money.of("150.52", "RSD")) == 15052
    assert str(from_stripe(9949, "rsd")) == "99.49"
    assert [to_stripe(Money.of("5", code)) for code in ("JPY", "ISK", "UGX", "HUF", "TWD", "MGA")] == [
        *(5, 500, 500, 500, 500),
        5,
    ]
    assert to_stripe(Money.of("5.120", "KWD")) == 5120
    for amount, code in (("5.124", "KWD"), ("9.99", "MGA"), ("12.345", "IQD")):
        with pytest.raises(NotTaken):
            to_stripe(Money.of(amount, code))


@given(code=st.sampled_from(CODES), minor=st.integers(-(10**15), 10**15))
def test_every_amount_survives_being_written_and_read(code: str, minor: int) -> None:
    amount = Money(minor, code)
    assert Money.of(str(amount), code) == amount
    assert Money.of(amount.decimal, code) == amount
    assert len(str(amount).partition(".")[2]) == minor_units(code)


@given(code=st.sampled_from(CODES), minor=st.integers(0, 10**12))
def test_every_amount_is_shown_whole(code: str, minor: int) -> None:
    shown = money(Money(minor, code))
    digits = re.search(r"[\d,]+(\.\d+)?$", shown)
    assert digits is not None
    assert Decimal(digits[0].replace(",", "")) == Money(minor, code).decimal


@given(code=st.sampled_from(CODES), minor=st.integers(0, 10**12))
def test_stripe_charges_what_was_shown_or_refuses(code: str, minor: int) -> None:
    try:
        charged = to_stripe(Money(minor, code))
    except NotTaken:
        return
    assert from_stripe(charged, code.lower()) == Money(minor, code)


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_add_up_to_the_last_cent(total: int, weights: list[int]) -> None:
    parts = share(total, tuple(weights))
    whole = sum(weights)
    assert sum(parts) == (total if whole else 0)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
