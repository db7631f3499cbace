"""Exchanges made fit to show: no keys, no buyer. What is kept is evidence for people, never input for the program."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

HIDDEN = "[hidden]"
LONGEST = 4_000
LONGEST_READ = 200_000

_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|credential|authori[sz]ation|signature|cookie|session|nonce|hmac|bearer|consumer_"
    r"|(^|[^a-z])(api|access|private|auth)?[-_ ]?key$|api[-_]?key|apikey|(^|_)otp$|(^|_)pin$|^code$",
    re.IGNORECASE,
)
_PERSON_NAME = re.compile(
    r"^(e[-_]?mail|email_?address|phone.*|.*phone(_?number)?|mobile|(street|address)[-_]?(line)?[-_]?[12]?|street.*|line[12]"
    r"|(first|last|full|given|family|recipient|sur)[-_]?name)$",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.:-])\+\d[\d ()/.-]{6,16}\d(?!\w)")
_KEY_LIKE = re.compile(r"\b[A-Za-z]{2,8}_[0-9A-Za-z_]{20,}\b|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*")


def redact_url(url: str) -> str:
    """The URL with the values of secret-looking query fields hidden."""
    parts = urlsplit(url)
    fields = [
        (name, HIDDEN if _hides(name) else redact_text(value))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    query = "&".join(f"{quote(name)}={quote(value, safe='[]')}" for name, value in fields)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: HIDDEN if _SECRET_NAME.search(name) else redact_text(value) for name, value in headers.items()}


def redact_body(body: bytes, kind: str = "") -> str:
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
        return _cut("&".join(f"{name}={HIDDEN if _hides(name) else redact_text(value)}" for name, value in fields))
    try:
        return _cut(json.dumps(redact_value(json.loads(text)), ensure_ascii=False))
    except (ValueError, RecursionError):
        return _cut(redact_text(text))


def redact_value(value: Any, name: str = "") -> Any:
    """A JSON value with what its field names and its texts give away hidden."""
    match value:
        case dict():
            return {key: redact_value(inner, str(key)) for key, inner in value.items()}
        case list():
            return [redact_value(inner, name) for inner in value]
        case str() if value:
            return HIDDEN if _hides(name) else redact_text(value)
        case int() | float() if not isinstance(value, bool) and _SECRET_NAME.search(name):
            return HIDDEN
        case _:
            return value


def redact_text(text: str) -> str:
    """Running text without e-mail addresses, telephone numbers and things that look like keys."""
    for pattern in (_EMAIL, _PHONE, _KEY_LIKE):
        text = pattern.sub(HIDDEN, text)
    return text


def _hides(name: str) -> bool:
    # Some platforms write a field's path into its name: billing[email], meta_data[0][api_key].
    last = name.replace("]", "").rpartition("[")[2]
    return bool(_SECRET_NAME.search(last) or _PERSON_NAME.match(last))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
