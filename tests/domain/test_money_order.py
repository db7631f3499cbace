"""Amounts of two currencies are neither more nor less than each other: asking is an error, not a wrong answer."""

from operator import ge, gt, le, lt

import pytest

from crossdock.domain.currencies import NotMoney
from crossdock.domain.values import Money

POUNDS, DOLLARS = Money(890, "GBP"), Money(950, "USD")


@pytest.mark.parametrize("asked", [lt, le, gt, ge])
def test_two_currencies_are_not_compared(asked: object) -> None:
    with pytest.raises(NotMoney, match="GBP and USD"):
        asked(POUNDS, DOLLARS)  # type: ignore[operator]


def test_nor_by_sorting_or_the_least_of_them() -> None:
    for asked in (sorted, min, max):
        with pytest.raises(NotMoney):
            asked([POUNDS, DOLLARS])


def test_one_currency_is_ordered_by_amount() -> None:
    less, more = Money(890, "USD"), Money(950, "USD")
    assert less < more
    assert more >= less
    assert less <= Money(890, "USD")
    assert sorted([more, less]) == [less, more]
    assert DOLLARS != POUNDS
    assert Money(890, "USD") != POUNDS
