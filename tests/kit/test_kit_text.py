"""HTML and odd bytes as plain text: what people read, in linear time."""

import json
from time import process_time

import pytest

from crossdock.kit import text, wire
from crossdock.kit.connector import Reply
from crossdock.kit.errors import NotJson


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>a</p><p>b</p>", "a\nb"),
        ("Line one<br>Line two<br/>Line three", "Line one\nLine two\nLine three"),
        ("<ul><li>English</li><li>Holo</li></ul><p>One</p>", "English\nHolo\nOne"),
        ("<p>Near mint, <strong>first edition</strong>.</p>", "Near mint, first edition."),
        ("<table><tr><td>7</td><td>mm</td></tr></table>", "7\nmm"),
        ("Salt &amp; pepper &#8211; set", "Salt & pepper – set"),
        ("&lt;p&gt;escaped &lt;b&gt;twice&lt;/b&gt;&lt;/p&gt;", "escaped twice"),
        ("<a title='a > b' href=\"x\">link</a>", "link"),
        ("<script>alert(1)</script>seen<style>p{}</style><!-- <b> -->.", "seen."),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
        ("seen<script>never closed", "seen"),
        ("  a  \n\n\n  b  ", "a\nb"),
        ("", ""),
    ],
)
def test_html_is_shown_as_a_browser_would(html: str, shown: str) -> None:
    assert text.plain(html) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ember Fox <br><small>1st edition &amp; signed</small>", "Ember Fox 1st edition & signed"),
        ("Shirt <M> & <3", "Shirt <M> & <3"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("a\n b\tc", "a b c"),
        ("<custom-tag>x</custom-tag>", "x"),
        ("x" * 2_000, "x" * 1_000),
    ],
)
def test_a_name_is_one_line_without_markup(given: str, shown: str) -> None:
    assert text.label(given) == shown


HARD = ["<", "<!--", "<a ", "<a '", '<a "', "&", "<![", "<?", "</", "<script>", "<style>", "<!", "&#", "<p>a", "<a \"'"]
HARD += ["<![CDATA[", "'\"<a", "</script", "<x-", "<a/", " ", "\n", "&amp"]


@pytest.mark.parametrize("word", HARD)
def test_hard_text_takes_linear_time(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Growth of the work, not seconds on the clock: of eight times as much, quadratic would be 64 times."""
    monkeypatch.setattr(text, "MOST", 10**9)

    def seconds(size: int) -> float:
        given, best = word * (size // len(word)), 9.0
        for _ in range(3):
            begun = process_time()
            text.plain(given)
            text.label(given, size)
            best = min(best, process_time() - begun)
        return best

    assert seconds(160_000) <= 40 * max(seconds(20_000), 0.002)


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def test_text_that_no_database_keeps_is_made_harmless() -> None:
    given = {"a\x00": ["Gem\x00 Turtle", {"b": "half \ud83d, whole 🦊, end \udc00"}], "c": "fine"}
    assert wire.load(body(given)) == {"a": ["Gem Turtle", {"b": "half \ufffd, whole 🦊, end \ufffd"}], "c": "fine"}
    assert wire.load(b'{"a": "raw \xed\xa0\xbd half, bad \xff byte, raw \x00 nul"}')["a"].isprintable()
    assert wire.load(b'"\\\\u0000 is text"') == "\\u0000 is text"


def test_a_byte_order_mark_and_raw_line_breaks_are_no_reason_to_refuse() -> None:
    assert wire.load(b'\xef\xbb\xbf{"a": "one\ntwo"}') == {"a": "one\ntwo"}


@pytest.mark.parametrize("broken", [b"", b"<html>", b'{"a": ', b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe"])
def test_what_is_no_json_is_said_so_and_nothing_else(broken: bytes) -> None:
    with pytest.raises(NotJson):
        Reply(200, {}, broken).json()


def test_numbers_of_any_size_are_parsed_in_no_time() -> None:
    assert wire.load(b"[" + b"9" * 100_000 + b", 1e400, -3]") == [float("inf"), float("inf"), -3]
