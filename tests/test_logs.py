"""No secret stands in a log line, wherever it came from."""

import logging

import pytest

from crossdock.logs import MASK, PlainFormatter, mask


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer geheim",
        "{'X-Acme-Access-Token': 'geheim'}",
        '{"consumer_secret": "geheim", "id": 7}',
        "password=geheim&next=/",
        "POST /token client_secret=geheim",
        "postgresql://user:geheim@host/name",
        "api_key: geheim",
    ],
)
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
