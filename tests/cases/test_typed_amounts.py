"""An amount typed as "12,50" was 1,250.00: a browser's number field drops the comma. It is 12.50 or a question."""

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.amounts import typed_decimal
from crossdock.domain.currencies import NotMoney
from crossdock.web.forms import MoneyField, WholeNumber, money_of
from crossdock.web.seller.label_forms import LabelForm
from crossdock.web.seller.limits import LimitsForm
from crossdock.web.seller.listing_edit import ListingForm
from crossdock.web.seller.profile import RateForm
from crossdock.web.seller.shops import SettingsForm
from crossdock.web.staff.credits import CreditForm
from crossdock.web.storefront.offers import PriceForm
from crossdock.web.storefront.selling import SellerForm


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("12,50", "12.50"),
        ("12.50", "12.50"),
        ("12,5", "12.5"),
        (" 12,50 ", "12.50"),
        ("1.250,00", "1250.00"),
        ("1,250.00", "1250.00"),
        ("1 250,00", "1250.00"),
        ("1\u202f250,00", "1250.00"),
        ("1'250.50", "1250.50"),
        ("1’250.50", "1250.50"),
        ("1,250,000", "1250000"),
        ("1.250.000", "1250000"),
        ("0,500", "0.500"),
        (",5", "0.5"),
        ("１２，５０", "12.50"),
        ("1.250", "1.250"),
        ("-1", "-1"),
    ],
)
def test_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert typed_decimal(typed) == Decimal(meant)
    assert str(typed_decimal(typed)) == meant


@pytest.mark.parametrize("typed", ["1,250", "12,500", "999,999"])
def test_what_can_mean_two_amounts_is_asked_about(typed: str) -> None:
    with pytest.raises(NotMoney, match="can mean two amounts") as asked:
        typed_decimal(typed)
    assert typed.replace(",", "") in str(asked.value)
    assert typed.replace(",", ".") in str(asked.value)


@pytest.mark.parametrize(
    "typed", ["1e3", "NaN", "inf", "1_0", "$5", "12.50 USD", "1,2,3", "1,25,000", "--", "5-", "9" * 60]
)
def test_anything_else_is_asked_for_again(typed: str) -> None:
    with pytest.raises(NotMoney):
        typed_decimal(typed)


@given(st.text(max_size=30))
def test_no_digit_that_was_typed_is_ever_dropped(text: str) -> None:
    try:
        read = typed_decimal(text)
    except NotMoney:
        return
    digits = "".join(letter for letter in text if letter.isdigit())
    assert len(str(abs(read)).replace(".", "").strip("0")) <= len(digits)


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_cents_survive_every_way_of_writing(amount: Decimal) -> None:
    for text in (f"{amount}", f"{amount}".replace(".", ","), f"{amount:,}"):
        assert typed_decimal(text) == amount


def test_zeros_are_decimals_too() -> None:
    """1.250 euros are 1,250 to many: said again rather than sold for 1.25."""
    with pytest.raises(forms.ValidationError, match="at most 2 decimals"):
        money_of(Decimal("1.250"), "EUR")
    with pytest.raises(forms.ValidationError, match="no decimals"):
        money_of(Decimal("5.00"), "JPY")
    assert money_of(Decimal("1.250"), "KWD").minor == 1250


def _all_forms() -> list[type[forms.Form]]:
    return [ListingForm, RateForm, PriceForm, CreditForm, SellerForm, SettingsForm, LimitsForm, LabelForm]


@pytest.mark.parametrize("kind", _all_forms(), ids=lambda kind: kind.__name__)
def test_no_field_for_an_amount_or_a_limit_is_a_browser_s_number_field(kind: Any) -> None:
    fields = {name: field for name, field in kind.base_fields.items() if isinstance(field, forms.DecimalField)}
    fields |= {name: field for name, field in kind.base_fields.items() if isinstance(field, WholeNumber)}
    assert fields
    assert all(field.widget.input_type == "text" for field in fields.values())
    assert all(field.widget.attrs["inputmode"] in ("decimal", "numeric") for field in fields.values())


def test_a_limit_of_units_is_no_fraction() -> None:
    with pytest.raises(forms.ValidationError, match="whole number"):
        WholeNumber().clean("12,50")
    with pytest.raises(forms.ValidationError, match="two amounts"):
        MoneyField().clean("1,250")
    assert MoneyField().clean("12,50") == Decimal("12.50")
