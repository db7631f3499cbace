"""Which rate holds for a line, and that no smallest unit of the fees is lost or made."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.credit import Paid, with_shipping
from crossdock.domain.earnings.commission import Rule, fees, rate_of
from crossdock.domain.finding.taxonomy import Category
from crossdock.domain.values import Money

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WAY = (Category("cards", "Cards"), Category("singles", "Single cards", "cards"))
ALL = Rule(1, 900, NOW - DAY)
CARDS, SINGLES = Rule(2, 1200, NOW, category="cards"), Rule(3, 1100, NOW, category="singles")
HERS, HERS_CARDS = Rule(4, 300, NOW, NOW + DAY, seller=7), Rule(5, 200, NOW, NOW + DAY, seller=7, category="cards")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "8 %, own commission"),
        ([ALL], "9 %, the rate for all goods"),
        ([CARDS, ALL], "12 %, the rate of Cards"),
        ([SINGLES, CARDS, ALL], "11 %, the rate of Single cards"),
        ([SINGLES, HERS], "3 %, own promotion until 30 November 2026"),
        ([HERS_CARDS, HERS], "2 %, own promotion for Cards until 30 November 2026"),
        ([Rule(9, 100, NOW, seller=8), Rule(10, 100, NOW, category="coins")], "8 %, own commission"),
        ([CARDS, Rule(6, 1000, NOW, category="cards")], "10 %, the rate of Cards"),
    ],
)
def test_the_nearest_rule_holds_and_says_why(rules: list[Rule], words: str) -> None:
    until = NOW.replace(hour=0) + DAY
    rules = [Rule(r.id, r.basis_points, r.since, r.until and until, r.seller, r.category) for r in rules]
    for order in (rules, rules[::-1]):
        assert rate_of(order, seller=7, own=800, way=WAY, at=NOW).words == words


def test_it_holds_from_its_first_moment_and_no_longer_at_its_end() -> None:
    def points(at: datetime) -> int:
        return rate_of([HERS], seller=7, own=800, way=(), at=at).basis_points

    second = timedelta(microseconds=1)
    assert [points(NOW - second), points(NOW), points(NOW + DAY - second), points(NOW + DAY)] == [800, 300, 300, 800]


LINE = st.tuples(st.integers(0, 10**7), st.integers(1, 50), st.integers(0, 5000))


@given(
    lines=st.lists(LINE, min_size=1, max_size=8),
    shipping=st.integers(0, 10**6),
    code=st.sampled_from(["JPY", "USD", "KWD"]),
)
def test_the_fees_of_the_lines_are_the_order_s_fee_to_the_smallest_unit(
    lines: list[tuple[int, int, int]], shipping: int, code: str
) -> None:
    paid, points = [Paid(each * units, units) for each, units, _ in lines], [rate for _, _, rate in lines]
    total = Money(sum(line.items for line in paid) + shipping, code)
    each = fees(paid, shipping, points)
    assert all(minor >= 0 for minor in each) and len(each) == len(lines)
    low, high = (total.minor * rate // 10_000 for rate in (min(points), max(points)))
    assert low <= sum(each) <= high, "between what the lowest and the highest rate would take of all of it"
    assert sum(fees(paid, shipping, [700] * len(lines))) == total.minor * 700 // 10_000, "one rate: as if undivided"
    exact = [whole * rate for whole, rate in zip(with_shipping(paid, shipping), points, strict=True)]
    assert sum(each) == sum(exact) // 10_000, "rounded once"
    assert all(abs(minor * 10_000 - weight) < 10_000 for minor, weight in zip(each, exact, strict=True))
