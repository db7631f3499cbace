"""What the redaction does not look for in a text is not in it: with its short ways closed it finds the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain import redact, redact_text

# Words, numbers and what makes a secret of them, with and without a space between.
PIECES = ["token", "Bearer", "pin", "Mr", "Ada", "weg", "Hauptstraße", "0170", "4111", "DE89", "eyJhbGciOiJIUzI1NiJ9"]
PIECES += ["sk_test_0", "ABCDEFabcdef", "0123456789", "P.O.Box", "rue", "Street", "is", "code", "a", "B", "_"]
BETWEEN = ["", " ", " ", ": ", "=", "-", ".", "@", "/", "+", ",", "\n", "\x1c", " "]
TEXTS = st.lists(st.sampled_from(PIECES) | st.sampled_from(BETWEEN), max_size=9).map("".join)
SHORT = st.from_regex(redact_text._NOTHING_IN_IT, fullmatch=True)


def long_way(text: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact_text, "_NOTHING_IN_IT", re.compile(r"(?!)"))
        patch.setattr(redact_text, "_SPACE", re.compile(""))
        return redact.redact_text(text, ["Ada Lovelace"])


@given(TEXTS | SHORT | st.text(max_size=40))
def test_a_short_way_finds_what_the_long_one_does(text: str) -> None:
    assert redact.redact_text(text, ["Ada Lovelace"]) == long_way(text)


def test_the_comparison_sees_a_way_that_is_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk_test_0123456789abcdefghij"
    monkeypatch.setattr(redact_text, "_NOTHING_IN_IT", re.compile(r"\w+"))
    assert redact.redact_text(secret) == secret and long_way(secret) == "[hidden]"


@pytest.mark.parametrize("name", ["password", "billing[email]", "x" * 400 + "[email]", "x" * 400, "total", "phone2"])
def test_a_name_means_the_same_each_time(name: str) -> None:
    assert redact._about(name) == redact._about(name) == redact._read_name(name)
    assert redact.hides(name) == any(word in name for word in ("password", "email", "phone"))
    assert redact._read_name_once.cache_info().maxsize == 4_096
