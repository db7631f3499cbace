"""What a price rule makes of a shop's price."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.selling.pricing import (
    LEAST_PERCENT,
    MOST_PERCENT,
    OWN,
    Pricing,
    Way,
    examples,
    roundings,
    wrong_pricing,
)
from crossdock.domain.values import Money

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
PRICES = st.integers(1, 10**8)


@st.composite
def rules(draw: st.DrawFn) -> Pricing:
    currency = draw(CURRENCIES)
    step, ending = draw(st.sampled_from([(0, 0), *roundings(currency)]))
    rule = Pricing(
        percent=draw(st.integers(LEAST_PERCENT, MOST_PERCENT)),
        fixed=draw(st.integers(-5_000, 5_000)),
        step=step,
        ending=ending,
        way=draw(st.sampled_from(list(Way))) if step else Way.NEAREST,
        minimum=draw(st.integers(0, 20_000)),
        not_below_shop=draw(st.booleans()),
        currency=currency,
    )
    return rule


def usd(minor: int, **rule: object) -> int:
    return Pricing(**rule, currency="USD").of(Money(minor, "USD")).minor  # type: ignore[arg-type]


def test_markup_amount_rounding_and_bounds() -> None:
    assert usd(1000, percent=12_50) == 1125
    assert usd(1000, percent=10_00, fixed=50) == 1150
    assert usd(333, percent=10_00) == 366 and usd(335, percent=10_00) == 369
    ninety_nine = {"step": 100, "ending": 99}
    assert [usd(minor, **ninety_nine) for minor in (1000, 1049, 1050, 1099)] == [999, 1099, 1099, 1099]
    assert [usd(1000, **ninety_nine, way=way) for way in (Way.UP, Way.DOWN)] == [1099, 999]
    assert [usd(minor, step=5) for minor in (1002, 1003, 1005)] == [1000, 1005, 1005]
    assert usd(1000, **ninety_nine, not_below_shop=True) == 1099
    assert usd(100, minimum=500) == 500 and usd(100, **ninety_nine, minimum=500) == 599
    assert usd(40, step=100, way=Way.DOWN) == 100, "nothing is given away"
    assert usd(1, percent=-90_00) == 1


def test_currencies_have_their_own_decimals() -> None:
    assert Pricing(percent=10_00, step=100, ending=80, currency="JPY").of(Money(1000, "JPY")) == Money(1080, "JPY")
    assert Pricing(step=1000, ending=990, currency="KWD").of(Money(1234, "KWD")) == Money(990, "KWD")
    assert Pricing(step=50, currency="KWD").of(Money(1234, "KWD")) == Money(1250, "KWD")
    assert examples(100, 99, "USD") == "$0.99, $1.99, $2.99, …" and examples(10, 0, "JPY") == "¥10, ¥20, ¥30, …"
    assert (5, 0) in roundings("USD") and (50, 0) in roundings("KWD")


def test_another_currency_is_not_priced_and_says_so() -> None:
    rule = Pricing(fixed=500, currency="USD")
    assert rule.of(Money(900, "EUR")) == Money(900, "EUR")
    assert "in EUR" in rule.why_not("EUR") and "in USD" in rule.why_not("EUR")
    assert Pricing(percent=10_00).of(Money(900, "EUR")) == Money(990, "EUR")
    assert rule.why_not("USD") == OWN.why_not("EUR") == ""


@given(rules(), PRICES, PRICES)
def test_a_dearer_thing_is_never_cheaper_here(rule: Pricing, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert rule.of(Money(low, rule.currency)) <= rule.of(Money(high, rule.currency))


@given(rules(), PRICES)
def test_exact_on_its_grid_and_never_below_what_it_must_not(rule: Pricing, shop: int) -> None:
    price = rule.of(Money(shop, rule.currency)).minor
    assert isinstance(price, int) and price >= max(1, rule.minimum)
    if rule.plain:
        assert price == shop
        return
    assert not rule.not_below_shop or price >= shop
    step = rule.step or 1
    assert (price - rule.ending) % step == 0
    # By exact fractions: nothing nearer was allowed.
    exact = Fraction(shop) * (10_000 + rule.percent) / 10_000 + rule.fixed
    bound = max(1, rule.minimum, shop if rule.not_below_shop else 0)
    if price - step >= bound:
        far = {Way.NEAREST: Fraction(step, 2), Way.UP: step, Way.DOWN: step}[rule.way]
        assert abs(price - exact) <= far
        assert rule.way is not Way.UP or price >= exact
        assert rule.way is not Way.DOWN or price <= exact


@given(rules(), PRICES)
def test_the_same_price_of_the_shop_is_the_same_price_here(rule: Pricing, shop: int) -> None:
    assert rule.of(Money(shop, rule.currency)) == rule.of(Money(shop, rule.currency))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Pricing(percent=MOST_PERCENT + 1), "percentage from -90 to +1000"),
        (Pricing(fixed=-100, currency="USD"), "needs a lowest price"),
        (Pricing(step=7, currency="USD"), "one of the roundings"),
        (Pricing(minimum=-1, currency="USD"), "too large"),
    ],
)
def test_what_is_wrong_is_said(rule: Pricing, words: str) -> None:
    assert words in wrong_pricing(rule)


def test_a_rule_reads_in_words() -> None:
    rule = Pricing(12_50, 30, 100, 99, Way.UP, 500, True, "USD")
    assert wrong_pricing(rule) == "" and rule.sentences == [
        "+12.5 % on your shop's price",
        "$0.30 more a piece",
        "rounded up: $0.99, $1.99, $2.99, …",
        "never below $5.00",
        "never below your shop's own price",
    ]
    assert Pricing(percent=-5_00).sentences == ["-5 % on your shop's price"] and OWN.sentences == []
