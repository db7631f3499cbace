"""No secret stands in a log line, wherever it came from."""

import json
import logging
from contextvars import Context

import pytest

from crossdock.logs import ABOUT, MASK, REQUEST, JsonFormatter, PlainFormatter, mask
from masked import LOOK_SECRET


@pytest.mark.parametrize("text", LOOK_SECRET)
def test_what_looks_secret_is_masked(text: str) -> None:
    masked = mask(text)
    assert "geheim" not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text", ["Order 1007 stands in the shop", "GET https://shop.example/orders?page=2 200", "token refreshed"]
)
def test_the_rest_stays(text: str) -> None:
    assert mask(text) == text


def test_configured_secrets_are_masked_in_arguments_and_tracebacks() -> None:
    formatter = PlainFormatter(secrets=["correct horse", "correct horse battery", ""])
    try:
        raise ValueError("it was correct horse battery")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "said %s", ("correct horse",), (type(error), error, error.__traceback__)
        )
    line = formatter.format(record)
    assert "correct horse" not in line
    assert "battery" not in line
    assert "ValueError" in line


def test_a_line_as_json_says_what_it_is_about_and_no_secret() -> None:
    formatter = JsonFormatter(secrets=["correct horse battery"])
    try:
        raise ValueError("it was correct horse battery")
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
        record = logging.LogRecord("shop", logging.ERROR, __file__, 1, 'said "%s"\npassword=geheim', ("x",), told)
    request, about = REQUEST.set("0123456789abcdef"), ABOUT.set("ORDER-1")
    try:
        line = formatter.format(record)
    finally:
        REQUEST.reset(request)
        ABOUT.reset(about)
    assert "\n" not in line and "correct horse" not in line and "geheim" not in line
    read = json.loads(line)
    assert (read["request"], read["order"], read["level"], read["logger"]) == (
        "0123456789abcdef",
        "ORDER-1",
        "ERROR",
        "shop",
    )
    assert read["message"].startswith('said "x"\n') and "ValueError" in read["message"]
    # Nothing is said of an order where none is known: in a context of its own, since a page that another test asked
    # for may have left one in this.
    assert "order" not in json.loads(Context().run(formatter.format, record))
