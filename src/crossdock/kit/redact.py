"""Exchanges made fit to show, by the rules of domain/redact.py: addresses, headers and bodies as they travel.

Evidence for people, and for playing a case again.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from crossdock.domain.redact import DEEPEST, HIDDEN, SECRET_NAME, hides, redact_cut, redact_text, redact_value

# <name>text</name>, also with <![CDATA[text]]>, as in the bodies of XML that we write.
_ELEMENT = re.compile(r"<([\w.-]+)>([^<]+|<!\[CDATA\[[^\]]*\]\]>)</\1>")
LONGEST = 4_000
LONGEST_READ = 200_000

__all__ = ["HIDDEN", "LONGEST", "redact_body", "redact_headers", "redact_text", "redact_url", "redact_value"]


def redact_url(url: str) -> str:
    """The URL with the values of secret-looking query fields hidden, and what its path gives away."""
    parts = urlsplit(url)
    fields = [
        (name, HIDDEN if hides(name) else redact_text(value))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    query = "&".join(f"{quote(name)}={quote(value, safe='[]')}" for name, value in fields)
    plain = unquote(parts.path)
    path = parts.path if redact_text(plain) == plain else quote(redact_text(plain), safe="/[]")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: HIDDEN if SECRET_NAME.search(name) else redact_text(value) for name, value in headers.items()}


def redact_body(body: bytes, kind: str = "", longest: int = LONGEST, longest_read: int = LONGEST_READ) -> str:
    """The body as readable text. `kind` is its content type; what is no JSON, form, XML or text is only measured."""
    if not body:
        return ""
    if len(body) > longest_read:
        return f"({len(body)} bytes)"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"({len(body)} bytes)"
    if "form-urlencoded" in kind:
        fields = parse_qsl(text, keep_blank_values=True)
        shown = "&".join(f"{name}={HIDDEN if hides(name) else redact_cut(value, longest)}" for name, value in fields)
        return _cut(shown, longest)
    if "xml" in kind:
        text = _ELEMENT.sub(lambda found: f"<{found[1]}>{HIDDEN}</{found[1]}>" if hides(found[1]) else found[0], text)
        return text_cut(text, longest)
    try:
        return _cut(json.dumps(redact_value(_shortened(json.loads(text), longest)), ensure_ascii=False), longest)
    except (ValueError, RecursionError):
        return text_cut(text, longest)


def text_cut(text: str, longest: int = LONGEST) -> str:
    """Running text, redacted, of which the end is left out when it is long."""
    if len(text) <= longest:
        return _cut(redact_text(text), longest)
    return f"{redact_cut(text, longest)[:longest]}... ({len(text)} characters)"


def _shortened(value: Any, longest: int, depth: int = 0) -> Any:
    """A text of which the end will not be shown is cut before it costs anything."""
    match value:
        case str() if len(value) > longest:
            return redact_cut(value, longest)
        case dict() | list() if depth > DEEPEST:
            return HIDDEN
        case dict():
            return {key[:longest]: _shortened(inner, longest, depth + 1) for key, inner in value.items()}
        case list():
            return [_shortened(inner, longest, depth + 1) for inner in value]
        case _:
            return value


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
