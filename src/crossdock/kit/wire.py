"""Outside bytes into values and back: JSON is parsed here and nowhere else, and its text is made fit to keep."""

import json
import re
from typing import Any

from crossdock.domain.storable import make_storable
from crossdock.kit.errors import NotJson

# Longer whole numbers are no count, id or amount; as a float they stay comparable, and cost no time to convert.
_LONGEST_NUMBER = 40
# Only by NUL itself, or by an escape of it or of half a pair, is a text unfit to keep: decoding makes no halves.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def load(body: bytes, where: str = "the answer's body") -> Any:
    """The JSON value. Raises NotJson, whatever the bytes are.

    A byte order mark is skipped (plugins of PHP shops print one before the answer), bytes that are no UTF-8 are
    replaced, control characters inside of texts are taken as they are.
    """
    text = body.decode("utf-8-sig", "replace")
    try:
        value = json.loads(text, strict=False, parse_int=_whole)
    except (ValueError, RecursionError):
        raise NotJson(where, "JSON", body) from None
    return make_storable(value) if "\x00" in text or _SUSPECT.search(text) else value


def dump(value: Any) -> bytes:
    """The bytes that a value goes out as: whoever signs them signs these."""
    return json.dumps(value, separators=(",", ":")).encode()


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)
