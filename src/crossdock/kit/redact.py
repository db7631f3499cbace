"""Exchanges made fit to show, by the rules of domain/redact.py: addresses, headers and bodies as they travel.

Evidence for people, and for playing a case again.
"""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from crossdock.domain.redact import HIDDEN, SECRET_NAME, hides, redact_text, redact_value

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


def redact_body(body: bytes, kind: str = "", longest: int = LONGEST) -> str:
    """The body as readable text. `kind` is its content type; anything but JSON, forms and text is only measured."""
    if not body:
        return ""
    if len(body) > LONGEST_READ:
        return f"({len(body)} bytes)"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"({len(body)} bytes)"
    if "form-urlencoded" in kind:
        fields = parse_qsl(text, keep_blank_values=True)
        shown = "&".join(f"{name}={HIDDEN if hides(name) else redact_text(value)}" for name, value in fields)
        return _cut(shown, longest)
    try:
        return _cut(json.dumps(redact_value(json.loads(text)), ensure_ascii=False), longest)
    except (ValueError, RecursionError):
        return _cut(redact_text(text), longest)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
