"""What an address asks for is read the same way again from the address that is written of it."""

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.daily.filters import DUE_WORDS, QUEUE_WORDS, RISK_WORDS, OrderFilter, read

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), max_size=20)


@given(
    queue=st.sampled_from(sorted(QUEUE_WORDS)),
    words=TEXT,
    carrier=TEXT,
    risk=st.sampled_from(["", *RISK_WORDS]),
    due=st.sampled_from(["", *DUE_WORDS]),
    country=st.sampled_from(["", "DE", "JP"]),
    shop=st.sampled_from(["", "none", "x0000000000001"]),
    low=st.none() | st.integers(0, 10**9),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_there_and_back(low: int | None, currency: str, **parts: str) -> None:
    wanted = OrderFilter(**parts, low=low, currency=currency if low is not None else "")
    again, wrong = read(QueryDict(wanted.address).dict(), currency="USD")
    assert not wrong
    assert again == wanted and again.address == wanted.address
    for part in wanted.parts:
        assert part not in wanted.without(part).parts


@pytest.mark.parametrize(
    ("typed", "low", "high", "said"),
    [
        ({"low": "12,50"}, 1250, None, 0),
        ({"low": "5", "high": "1.234", "currency": "KWD"}, 1234, 5000, 0),
        ({"high": "500", "currency": "JPY"}, None, 500, 0),
        ({"high": "500.5", "currency": "JPY"}, None, None, 1),
        ({"low": "-3"}, None, None, 1),
        ({"low": "lots", "high": "9" * 30}, None, None, 2),
        ({"low": "0", "currency": "XXXX"}, 0, None, 0),
    ],
)
def test_amounts(typed: dict[str, str], low: int | None, high: int | None, said: int) -> None:
    found, wrong = read(typed, currency="USD")
    assert (found.low, found.high, len(wrong)) == (low, high, said)
    assert found.parts == (("amount",) if low is not None or high is not None else ())


def test_nonsense_chooses_nothing() -> None:
    odd = {"queue": "x", "shop": "a/b", "risk": "x", "country": "ZZ", "due": "x", "q": "  "}
    found, wrong = read(odd, currency="USD")
    assert found == OrderFilter("to_ship") and not wrong
    assert read({"country": "de"}, currency="USD")[0] == OrderFilter("all", country="DE")
