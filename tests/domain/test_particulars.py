"""What is told of a seller is judged field by field, and what is another seller is known."""

from dataclasses import replace
from datetime import date

import pytest

from crossdock.domain.moderation.particulars import (
    WHO,
    Kind,
    Particulars,
    is_somebody_else,
    is_tax_number,
    is_vat_id,
    needs_contact,
    wrong_in,
)

TODAY = date(2026, 11, 30)
NORA = Particulars(
    Kind.PRIVATE, "Nora Kern", "5 Market St", "Austin", "78701", "US", "US", "536-90-4399", born="1990-05-17"
)
FIRM = replace(NORA, kind=Kind.COMPANY, born="", registration="HRB 1234")


def test_a_person_and_a_company_need_different_things() -> None:
    assert wrong_in(NORA, TODAY) == wrong_in(FIRM, TODAY) == wrong_in(replace(NORA, kind="trader"), TODAY) == {}
    assert set(wrong_in(replace(NORA, kind=Kind.COMPANY), TODAY)) == {"registration"}
    assert set(wrong_in(replace(FIRM, kind=Kind.TRADER), TODAY)) == {"born"}
    empty = Particulars("", "", "", "", "", "", "", "")
    assert set(wrong_in(empty, TODAY)) == {"kind", "name", "line1", "city", "country", "tax_country", "tax_number"}
    assert set(wrong_in(replace(NORA, country="XX", tax_country="ZZ"), TODAY)) == {"country", "tax_country"}


@pytest.mark.parametrize(
    ("born", "fine"),
    [("2008-11-30", True), ("2008-12-01", False), ("1906-11-30", True), ("1905-11-30", False), ("soon", False)],
)
def test_eighteen_years_to_the_day(born: str, fine: bool) -> None:
    assert ("born" not in wrong_in(replace(NORA, born=born), TODAY)) is fine


@pytest.mark.parametrize(
    ("country", "number", "fine"),
    [
        ("US", "536-90-4399", True),
        ("US", "536-90", False),
        ("DE", "36 574 261 809", True),
        ("DE", "36 574 261", False),
        ("ES", "54362315K", True),
        ("ES", "54362315Z", False),
        ("PL", "44051401359", True),
        ("PL", "44051401358", False),
        ("FJ", "12-3456", True),
        ("FJ", "?", False),
    ],
)
def test_a_tax_number_is_one_of_its_country(country: str, number: str, fine: bool) -> None:
    assert is_tax_number(country, number) is fine


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        ("DE136695976", True),
        ("DE136695978", False),
        ("136695976", False),
        ("XI980780684", True),
        ("GB980780684", True),
        ("US1234", True),
        ("?", False),
        ("DE", False),
    ],
)
def test_a_vat_number(number: str, fine: bool) -> None:
    assert is_vat_id(number) is fine


def test_what_is_another_seller() -> None:
    for name in WHO:
        assert is_somebody_else(NORA, replace(NORA, **{name: "X"})), name
    assert not is_somebody_else(NORA, replace(NORA, line1="6", city="B", postal_code="1", country="DE", vat_id="X"))


def test_who_needs_somebody_in_the_union() -> None:
    everywhere, home, there = frozenset({"US", "*"}), frozenset({"US"}), frozenset({"FR"})
    assert needs_contact(country="US", destinations=everywhere) and needs_contact(country="CH", destinations=there)
    assert not needs_contact(country="US", destinations=home)
    assert not needs_contact(country="DE", destinations=everywhere)
